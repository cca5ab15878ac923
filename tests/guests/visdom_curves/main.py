# type: ignore
"""Curves are drawn through visdom; the module comes with the guest."""

import argparse
import os

import nsml
import visdom
from nsml import DATASET_PATH, Visdom

parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", type=str, default="0")
args = parser.parse_args()
bias = [1.0]


def infer(data):
    points = [tuple(map(float, line.split(","))) for line in data]
    return [str(int(y > x + bias[0])) for x, y in points]


nsml.bind(
    save=lambda path: open(os.path.join(path, "bias"), "w").write(str(round(bias[0], 3))),
    load=lambda path: bias.__setitem__(0, float(open(os.path.join(path, "bias")).read())),
    infer=infer,
)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    vis = Visdom(visdom=visdom)
    window = None
    points = [
        tuple(map(float, line.split(","))) for line in open(DATASET_PATH + "/train/train_data")
    ]
    labels = open(DATASET_PATH + "/train/train_label").read().split()
    print("begins at bias", bias[0])
    bias[0] = 1.0
    for step in range(10):
        wrong = sum((y > x + bias[0]) != (t == "1") for (x, y), t in zip(points, labels))
        if window is None:
            window = vis.line(Y=[wrong], X=[step], opts=dict(title="wrong"))
        else:
            vis.line(Y=[wrong], X=[step], win=window, update="append")
        bias[0] -= 0.1
    nsml.save(step)
