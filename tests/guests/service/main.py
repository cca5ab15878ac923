# type: ignore
"""A model that answers questions; the answer depends on what was trained."""

import argparse
import os

import nsml

weights = {"x": 0.0, "y": 0.0}


def bind_model():
    def save(dir_name, **kwargs):
        with open(os.path.join(dir_name, "weights"), "w") as f:
            f.write("{x} {y}".format(**weights))

    def load(dir_name, **kwargs):
        weights["x"], weights["y"] = map(float, open(dir_name + "/weights").read().split())

    def infer(input, **kwargs):
        if isinstance(input[0], bytes):
            input = [[float(value) for value in input[0].decode().split(",")]]
        return [str(int(x * weights["x"] + y * weights["y"] > 0)) for x, y in input]

    nsml.bind(save=save, load=load, infer=infer)


parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", type=str, default="0")
args = parser.parse_args()
bind_model()
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    print("weights before", weights)
    root = nsml.DATASET_PATH + "/train/"
    for line, label in zip(open(root + "train_data"), open(root + "train_label")):
        x, y = map(float, line.split(","))
        weights["x"] += x * (int(label) * 2 - 1)
        weights["y"] += y * (int(label) * 2 - 1)
    nsml.save("1")
