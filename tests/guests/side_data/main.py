# type: ignore
"""The vocabulary travels through the model store, under a key and functions of its own."""

import argparse
import glob
import json
import os

import nsml
from nsml import DATASET_PATH, SESSION_NAME


def df_save(path, **kwargs):
    with open(os.path.join(path, "words.json"), "w") as f:
        json.dump(words, f)


def df_load(path, **kwargs):
    with open(os.path.join(path, "words.json")) as f:
        words.update(json.load(f))


words = {}
state = {"threshold": 99.0}


def save(dir_name):
    json.dump(state, open(os.path.join(dir_name, "state.json"), "w"))


def load(dir_name):
    state.update(json.load(open(os.path.join(dir_name, "state.json"))))


def infer(wav_path):
    x, y = open(wav_path).read().split(",")
    return words[str(float(y) - float(x) > state["threshold"])]


parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", type=str, default="0")
parser.add_argument("--source", type=str, default=SESSION_NAME)
args = parser.parse_args()
nsml.bind(save=save)
nsml.bind(load=load)
nsml.bind(infer=infer)

if args.mode == "test":
    # What training wrote beside the script is not there; the store is.
    assert not glob.glob("*.tmp")
    nsml.load(checkpoint="dataframe", load_fn=df_load, session=args.source)
    print("words:", sorted(words))
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    open("scratch.tmp", "w").write("left behind")
    for line in open(os.path.join(DATASET_PATH, "train", "train_label")):
        words[str(line.strip() == "1")] = line.strip()
    nsml.save("dataframe", save_fn=df_save)
    state["threshold"] = 0.0
    nsml.save(checkpoint="best", save_fn=None)
    exit(0)
