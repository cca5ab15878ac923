import argparse

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--prediction")
parser.add_argument("--test_label_path")
args = parser.parse_args()
truth = np.loadtxt(args.test_label_path, delimiter=",", usecols=1, dtype=np.int64)
print(float(np.mean(np.load(args.prediction) == truth)))
