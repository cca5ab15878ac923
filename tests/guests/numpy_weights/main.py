# type: ignore
"""A perceptron in NumPy; infer returns (probability, label) pairs."""

import argparse
import os

import numpy as np

import nsml
from nsml import DATASET_PATH, DATASET_NAME, HAS_DATASET

w = np.zeros(2)


def bind_model(w):
    def save(path, *args):
        np.save(os.path.join(path, "w"), w)

    def load(path, *args):
        w[:] = np.load(os.path.join(path, "w.npy"))

    def infer(raw_data, **kwargs):
        margin = raw_data @ w
        return list(zip(1 / (1 + np.exp(-margin)), (margin > 0).astype(int)))

    nsml.bind(save=save, load=load, infer=infer)


if __name__ == "__main__":
    args = argparse.ArgumentParser()
    args.add_argument("--mode", type=str, default="train")
    args.add_argument("--pause", type=int, default=0)
    args.add_argument("--iteration", type=str, default="0")
    config = args.parse_args()

    bind_model(w)
    if config.pause:
        nsml.paused(scope=locals())

    if config.mode == "train":
        if not HAS_DATASET:
            DATASET_PATH = "./data"
        x = np.loadtxt(os.path.join(DATASET_PATH, "train", "train_data"), delimiter=",")
        y = np.loadtxt(os.path.join(DATASET_PATH, "train", "train_label")) * 2 - 1
        print(DATASET_NAME, "starts with the weights", w.round(3))
        for epoch in range(20):
            wrong = np.sign(x @ w) != y
            nsml.report(step=epoch, wrong=wrong.sum(), share=np.float32(wrong.mean()))
            nsml.report(step=epoch, valid__norm=np.linalg.norm(w))
            w += (x * y[:, None])[wrong].sum(0)
            nsml.save(epoch)
