import os


def test_data_loader(root_path):
    with open(os.path.join(root_path, "test", "test_data")) as file:
        queries = file.read().split()
    return queries, {"0": (0.9, 0.1), "1": (0.1, 0.9)}
