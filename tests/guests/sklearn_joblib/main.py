# type: ignore
"""scikit-learn; the answer is a table, as in the spam task."""

import argparse
import os

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

import nsml
from nsml.constants import DATASET_PATH


class Trainer:
    def __init__(self):
        self.clf = LogisticRegression()

    def bind_nsml(self):
        def save(dir_name, **kwargs):
            joblib.dump(self.clf, os.path.join(dir_name, "clf.joblib"))

        def load(dir_name, **kwargs):
            self.clf = joblib.load(os.path.join(dir_name, "clf.joblib"))

        def infer(test_dir, **kwargs):
            x = np.loadtxt(os.path.join(test_dir, "test_data"), delimiter=",")
            return pd.DataFrame({"row": range(len(x)), "y_pred": self.clf.predict(x)})

        nsml.bind(save=save, load=load, infer=infer)

    def train(self):
        root = os.path.join(DATASET_PATH, "train")
        x = np.loadtxt(os.path.join(root, "train_data"), delimiter=",")
        y = np.loadtxt(os.path.join(root, "train_label"), dtype=int)
        print("fitted before:", hasattr(self.clf, "coef_"))
        self.clf.fit(x, y)
        nsml.report(summary=True, step=1, epoch=1, train__acc=self.clf.score(x, y))
        nsml.save("best")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", type=str, default="train")
    parser.add_argument("--pause", type=int, default=0)
    parser.add_argument("--iteration", type=str, default="best")
    args = parser.parse_args()
    trainer = Trainer()
    trainer.bind_nsml()
    if args.pause:
        nsml.paused(scope=locals())
    if args.mode == "train":
        trainer.train()
