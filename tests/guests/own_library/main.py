# type: ignore
"""Brings a stand-in for the library and a loader of its own; neither may win."""

import argparse
import os

import data_loader
import nsml

parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", type=str, default="0")
args = parser.parse_args()
kept = {}


def save(path):
    open(os.path.join(path, "kept"), "w").write("1")


def load(path):
    kept["up"] = int(open(os.path.join(path, "kept")).read())


def infer(data):
    points = [data_loader.parse(line) for line in data]
    return [str(int((y - x) * kept["up"] > 0)) for x, y in points]


nsml.bind(save=save, load=load, infer=infer)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    print("local stand-in:", getattr(nsml, "STAND_IN", False), "kept:", kept)
    nsml.save(1)
