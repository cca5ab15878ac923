# type: ignore
"""LightGBM; the model goes into a text file."""

import argparse
import os

import lightgbm as lgb  # pyright: ignore[reportMissingImports]
import nsml
import numpy as np
import pandas as pd
from nsml.constants import DATASET_PATH

holder = {}


def save_model(dir_name):
    os.makedirs(dir_name, exist_ok=True)
    holder["booster"].save_model(os.path.join(dir_name, "model"))


def load_model(dir_name):
    holder["booster"] = lgb.Booster(model_file=os.path.join(dir_name, "model"))


def features(path):
    x = np.loadtxt(path, delimiter=",")
    return np.column_stack([x, x[:, 1] - x[:, 0]])


def infer(root, **kwargs):
    p = holder["booster"].predict(features(os.path.join(root, "test_data")))
    return pd.DataFrame({"row": range(len(p)), "y_pred": (p > 0.5).astype(int)})


parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--iteration", type=str, default="0")
parser.add_argument("--pause", type=int, default=0)
args = parser.parse_args()
nsml.bind(save=save_model, load=load_model, infer=infer)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    root = os.path.join(DATASET_PATH, "train")
    x, y = features(root + "/train_data"), np.loadtxt(root + "/train_label")
    params = {"objective": "binary", "min_data_in_leaf": 2, "verbose": -1, "num_threads": 1}
    before = holder.get("booster")
    print("trees before:", before.num_trees() if before else 0)
    holder["booster"] = lgb.train(params, lgb.Dataset(x, y), 20, init_model=before)
    nsml.save(10)
