import argparse

import numpy as np

parser = argparse.ArgumentParser()
parser.add_argument("--prediction", default="preds.npz")
parser.add_argument("--test_label_path")
args = parser.parse_args()
prediction = np.load(args.prediction)
truth = np.loadtxt(args.test_label_path)
assert prediction["scores"].shape == (len(truth), 2)
print(float(np.mean(prediction["labels"] == truth)))
