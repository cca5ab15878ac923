# type: ignore
import json
import os

from nsml import DATASET_PATH


def feed_infer(output_file, infer_func):
    with open(output_file, "w") as file:
        json.dump(infer_func(os.path.join(DATASET_PATH, "test")), file)
