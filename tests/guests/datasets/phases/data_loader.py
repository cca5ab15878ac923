# type: ignore
import os

from nsml import DATASET_PATH


def feed_infer(output_file, infer_func):
    result = infer_func(os.path.join(DATASET_PATH, "test"), phase="test")
    with open(output_file, "w") as file:
        file.write(result)
