# type: ignore
"""No save or load function at all: the objects themselves are bound."""

import argparse
import os

import nsml
import numpy as np
import torch
from nsml.constants import DATASET_PATH, GPU_NUM

parser = argparse.ArgumentParser()
parser.add_argument("--mode", type=str, default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", type=str, default="0")
args = parser.parse_args()

model = torch.nn.Linear(2, 1, bias=False)
torch.nn.init.zeros_(model.weight)
optimizer = torch.optim.SGD(model.parameters(), lr=2.0, momentum=0.9)


def infer(root, **kwargs):
    data = np.loadtxt(os.path.join(root, "test_data"), delimiter=",", dtype=np.float32)
    with torch.no_grad():
        p = torch.sigmoid(model(torch.from_numpy(data)))[:, 0].numpy()
    return (p > 0.5).astype(np.int64), np.stack([1 - p, p], 1)


nsml.bind(infer=infer, model=model, optimizer=optimizer)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    print("momentum of", len(optimizer.state), "parameters, GPU_NUM", GPU_NUM)
    train = os.path.join(DATASET_PATH, "train")
    x = torch.from_numpy(np.loadtxt(train + "/train_data", delimiter=",", dtype=np.float32))
    y = torch.from_numpy(np.loadtxt(train + "/train_label", dtype=np.float32))
    for step in range(30):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x)[:, 0], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    nsml.report(summary=True, loss=loss.item())
    nsml.save(checkpoint="final")
