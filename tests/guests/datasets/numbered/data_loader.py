# type: ignore
import os

from nsml import DATASET_PATH


def feed_infer(output_file, infer_func):
    names, values = infer_func(os.path.join(DATASET_PATH, "test"))
    with open(output_file, "w") as file:
        for name, value in zip(names, values, strict=True):
            file.write("{} {}\n".format(name, value))
