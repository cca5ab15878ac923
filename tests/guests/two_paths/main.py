# type: ignore
"""infer takes two paths, as in the sticker task of 2019."""

import argparse
import os

import nsml
from nsml import DATASET_PATH

import point_data


def bind_model(params):
    def save(dir_name, **kwargs):
        point_data.write(os.path.join(dir_name, "params.csv"), params)

    def load(dir_name, **kwargs):
        params[:] = point_data.read(os.path.join(dir_name, "params.csv"))

    def infer(test_image_data_path, test_meta_data_path):
        with open(test_meta_data_path) as f:
            names = f.read().split()
        points = [point_data.read(os.path.join(test_image_data_path, name)) for name in names]
        return [int(sum(p * q for p, q in zip(point, params)) > 0) for point in points]

    nsml.bind(save=save, load=load, infer=infer)


parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--iteration", type=str, default="0")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--train_tf", type=str, default="[]")
args = parser.parse_args()
params = [0.0, 0.0]
bind_model(params)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    print("transforms:", args.train_tf, "from", params)
    with open(os.path.join(DATASET_PATH, "train", "train_data")) as f:
        points = [list(map(float, line.split(","))) for line in f]
    with open(os.path.join(DATASET_PATH, "train", "train_label")) as f:
        signs = [int(line) * 2 - 1 for line in f]
    for axis in range(2):
        params[axis] = sum(p[axis] * s for p, s in zip(points, signs)) / len(points)
    nsml.save("epoch_03")
