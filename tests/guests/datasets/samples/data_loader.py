# type: ignore
import os

import numpy as np
from nsml import DATASET_PATH


def feed_infer(output_file, infer_func):
    folder = os.path.join(DATASET_PATH, "test", "test_data", "points")
    labels = [infer_func(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]
    with open(output_file, "wb") as file:
        np.save(file, np.array(labels, dtype=np.int64))
