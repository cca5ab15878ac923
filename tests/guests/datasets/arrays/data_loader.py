# type: ignore
import os
import shutil

import numpy as np
from nsml import DATASET_PATH


def feed_infer(output_file, infer_func):
    labels, scores = infer_func(os.path.join(DATASET_PATH, "test"))
    np.savez("result.npz", labels=labels, scores=scores)
    shutil.move("result.npz", output_file)
