# type: ignore
import glob
import os

from nsml import DATASET_PATH


def feed_infer(output_file, infer_func):
    paths = sorted(glob.glob(os.path.join(DATASET_PATH, "test", "test_data", "points", "*")))
    with open(output_file, "w") as file:
        for path in paths:
            file.write("{},{}\n".format(os.path.basename(path), infer_func(path)))
