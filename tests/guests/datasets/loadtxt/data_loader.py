import os

import numpy as np


def test_data_loader(root_path):
    path = os.path.join(root_path, "test", "test_data")
    return np.loadtxt(path, delimiter=",", dtype=np.float32)
