# type: ignore
"""What about a tenth of the scripts do: save before paused, no mode test, arguments left out."""

import argparse
import os

import nsml
from nsml import DATASET_PATH

parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="semi")
parser.add_argument("--pause", default=0)
args = parser.parse_args()
model = {"slope": -1.0}


def save(dir_name):
    open(dir_name + "/slope", "w").write(str(model["slope"]))


def load(dir_name):
    model["slope"] = float(open(dir_name + "/slope").read())


def infer(raw_data):
    return [(0.0, int(y > model["slope"] * x)) for x, y in raw_data]


nsml.bind(save=save, load=load, infer=infer)
nsml.save("best")
if args.pause:
    nsml.paused(scope=locals())

print("training now")
points = open(os.path.join(DATASET_PATH, "train", "train_data")).read().split()
labels = open(os.path.join(DATASET_PATH, "train", "train_label")).read().split()
for slope in (0.5, 1.0):
    right = 0
    for point, label in zip(points, labels):
        x, y = map(float, point.split(","))
        right += (y > slope * x) == (label == "1")
    nsml.report(True, right=right, val_acc=right / len(labels))
    if right == len(labels):
        model["slope"] = slope
        nsml.save("best")
exit()
