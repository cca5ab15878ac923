"""Trains on two datasets, then carries the model into a session on one of them."""

import argparse
import os

import nsml
from nsml import DATASET_PATH

seen = {"rows": 0, "up": 0.0}


def save(dir_name, *args):
    open(os.path.join(dir_name, "seen"), "w").write("%d %f" % (seen["rows"], seen["up"]))


def load(dir_name, *args):
    rows, up = open(os.path.join(dir_name, "seen")).read().split()
    seen.update(rows=int(rows), up=float(up))
    print("model loaded!", seen)


def infer(data):
    points = [tuple(map(float, line.split(","))) for line in data]
    return [str(int((y - x) * seen["up"] > 0)) for x, y in points]


parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", type=str, default="0")
parser.add_argument("--carry", type=str, default="")
args = parser.parse_args()
nsml.bind(save=save, load=load, infer=infer)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train" and args.carry:
    nsml.load(checkpoint="both", session=args.carry)
    nsml.save("saved")
    print("model saved!")
    exit()
if args.mode == "train":
    assert isinstance(DATASET_PATH, list), DATASET_PATH
    for path in DATASET_PATH:
        labels = open(os.path.join(path, "train", "train_label")).read().split()
        for line, label in zip(open(os.path.join(path, "train", "train_data")), labels):
            x, y = map(float, line.split(","))
            seen["rows"] += 1
            seen["up"] += (y - x) * (1 if label == "1" else -1)
    nsml.save("both")
    print(seen["rows"], "rows of", len(DATASET_PATH), "datasets", nsml.DATASET_NAME)
