# type: ignore
"""Pickles of classes of this very script, read back through globals."""

import argparse
import os
import pickle

import nsml
from nsml import DATASET_PATH


class Centre:
    def __init__(self, points):
        self.place = [sum(p) / len(p) for p in zip(*points)]

    def distance(self, point):
        return sum((a - b) ** 2 for a, b in zip(self.place, point))


class Vocabulary(dict):
    pass


def read(path):
    with open(path) as f:
        return [tuple(map(float, line.split(","))) for line in f]


def save(dir_name):
    with open(os.path.join(dir_name, "everything.pkl"), "wb") as f:
        pickle.dump((centres, vocabulary, config), f)


def load(dir_name):
    global centres, vocabulary
    with open(os.path.join(dir_name, "everything.pkl"), "rb") as f:
        centres, vocabulary, old = pickle.load(f)
    print("loaded what", old.author, "saved")


def infer(path):
    nearest = [
        min(centres, key=lambda k: centres[k].distance(p)) for p in read(path + "/test_data")
    ]
    return [vocabulary[k] for k in nearest]


parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", default="0")
parser.add_argument("--author", default="민수")
config = parser.parse_args()
centres, vocabulary = {}, Vocabulary()
nsml.bind(load=load, infer=infer, save=save)
if config.pause:
    nsml.paused(scope=globals())
if config.mode == "train":
    points = read(os.path.join(DATASET_PATH, "train", "train_data"))
    labels = open(os.path.join(DATASET_PATH, "train", "train_label")).read().split()
    for name in sorted(set(labels)):
        centres[name] = Centre([p for p, label in zip(points, labels) if label == name])
        vocabulary[name] = name
    nsml.save("uesakasumire_wa_kawaii")
    print("한글 출력", len(centres), "centres")
