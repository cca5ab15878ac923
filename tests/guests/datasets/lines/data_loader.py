import os

from nsml import DATASET_PATH


def test_data_loader(root_path):
    with open(os.path.join(root_path, "test", "test_data")) as file:
        return [line.rstrip("\n") for line in file]


def feed_infer(output_file, infer_func):
    with open(output_file, "w") as file:
        for result in infer_func(test_data_loader(DATASET_PATH)):
            file.write(result + "\n")
