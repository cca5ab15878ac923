# type: ignore
import os

from nsml import DATASET_PATH


def feed_infer(output_file, infer_func):
    root = os.path.join(DATASET_PATH, "test", "test_data")
    results = infer_func(os.path.join(root, "points"), os.path.join(root, "names.csv"))
    with open(output_file, "w") as file:
        file.write("\n".join(str(label) for label in results))
