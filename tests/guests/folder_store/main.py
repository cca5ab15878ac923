# type: ignore
"""As in 2022: a folder is stored as it is, and nothing has to be bound for it."""

import argparse
import os
import pathlib

import nsml
from nsml import DATASET_PATH, NSML_NFS_OUTPUT

parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--iteration", type=str, default="0")
parser.add_argument("--pause", type=int, default=0)
args = parser.parse_args()
folder = pathlib.Path(NSML_NFS_OUTPUT or ".") / "exp" / "models"
found = []


def load(path):
    found[:] = [sorted(os.listdir(path)), (pathlib.Path(path) / "deep" / "rule.txt").read_text()]
    print("found", found)


def inference(path, **kwargs):
    sign = float(found[1])
    return [int((y - x) * sign > 0) for x, y in path]


nsml.bind(load=load, infer=inference, use_nsml_legacy=False)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    root = pathlib.Path(DATASET_PATH) / "train"
    total = 0.0
    labels = (root / "train_label").read_text().split()
    for line, label in zip((root / "train_data").read_text().split(), labels):
        x, y = map(float, line.split(","))
        total += (y - x) * (int(label) * 2 - 1)
    (folder / "deep" / "rule.txt").write_text(str(total))
    (folder / "readme").write_text("kept as it is")
    nsml.save_folder("models", str(folder))
