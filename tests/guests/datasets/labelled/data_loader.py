import os

from nsml import DATASET_PATH


def test_data_loader(root_path):
    root = os.path.join(root_path, "test", "test_data")
    with open(os.path.join(root, "names.csv")) as file:
        names, labels = zip(*(line.strip().split(",") for line in file), strict=True)
    data = []
    for name in names:
        with open(os.path.join(root, "points", name)) as file:
            data.append([float(value) for value in file.read().split(",")])
    return data, labels


def feed_infer(output_file, infer_func):
    data, labels = test_data_loader(DATASET_PATH)
    with open(output_file, "w") as file:
        for predicted, label in zip(infer_func(data), labels, strict=True):
            file.write("{}, {}\n".format(predicted, label))
