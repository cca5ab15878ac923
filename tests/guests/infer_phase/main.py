# type: ignore
"""infer(root, phase), as the medical tasks of 2019 called it."""

import argparse
import os

import nsml
from nsml import DATASET_PATH, IS_ON_NSML


def load_data(root, phase):
    folder = os.path.join(root, "{}_data".format(phase))
    return [[float(v) for v in line.split(",")] for line in open(folder)]


def bind_nsml(model):
    def save(dir_name, *args, **kwargs):
        os.makedirs(dir_name) if not os.path.exists(dir_name) else None
        open(os.path.join(dir_name, "a"), "w").write(repr(model))
        open(os.path.join(dir_name, "dummy"), "w").write("so that it is never empty")

    def load(dir_name, *args, **kwargs):
        model.update(eval(open(os.path.join(dir_name, "a")).read()))

    def infer(root, phase):
        points = load_data(root, phase)
        return "\n".join(str(int(y > model["slope"] * x)) for x, y in points)

    nsml.bind(save=save, load=load, infer=infer)


args = argparse.ArgumentParser()
args.add_argument("--mode", type=str, default="train")
args.add_argument("--iteration", type=int, default=0)
args.add_argument("--pause", type=int, default=0)
config = args.parse_args()
model = {"slope": -100.0}
bind_nsml(model)
if config.pause:
    nsml.paused(scope=locals())
if config.mode == "train":
    root = os.path.join(DATASET_PATH, "train") if IS_ON_NSML else "/data/train"
    points = load_data(root, "train")
    labels = open(os.path.join(root, "train_label")).read().split()
    best = 0
    for slope in (-1.0, 0.0, 1.0, 2.0):
        right = sum((y > slope * x) == (label == "1") for (x, y), label in zip(points, labels))
        if right > best:
            best, model["slope"] = right, slope
        nsml.report(summary=True, step=int(slope), right=right, best=best)
    print("slope", model["slope"], "begun from iteration", config.iteration)
    nsml.save(1)
