# type: ignore
"""PyTorch as in the contests from 2019 on: a folder that the script makes again."""

import argparse
import os

import nsml
import torch
import torch.nn as nn
from nsml import DATASET_PATH, GPU_NUM, HAS_DATASET, IS_ON_NSML


def read_points(path):
    with open(path) as f:
        return torch.tensor([[float(v) for v in line.split(",")] for line in f])


def bind_model(model, optimizer):
    def save(dir_name, *args, **kwargs):
        os.makedirs(dir_name, exist_ok=True)
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, os.path.join(dir_name, "model.pt"))
        print("saved")

    def load(dir_name, *args, **kwargs):
        state = torch.load(os.path.join(dir_name, "model.pt"), map_location="cpu")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        print("loaded")

    def infer(data):
        points = torch.tensor([[float(v) for v in line.split(",")] for line in data])
        model.eval()
        with torch.no_grad():
            return [str(label) for label in model(points).argmax(1).tolist()]

    nsml.bind(save=save, load=load, infer=infer)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", type=str, default="train")
    parser.add_argument("--iteration", type=str, default="0")
    parser.add_argument("--pause", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=30)
    config = parser.parse_args()

    torch.manual_seed(0)
    model = nn.Linear(2, 2)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    if GPU_NUM:
        model = model.cuda()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    bind_model(model, optimizer)

    if config.pause:
        nsml.paused(scope=locals())

    if config.mode == "train":
        assert IS_ON_NSML and HAS_DATASET
        x = read_points(os.path.join(DATASET_PATH, "train", "train_data"))
        with open(os.path.join(DATASET_PATH, "train", "train_label")) as f:
            y = torch.tensor([int(line) for line in f])
        for epoch in range(config.epochs):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            nsml.report(
                summary=True,
                scope=locals(),
                epoch=epoch,
                epoch_total=config.epochs,
                train__loss=loss.detach(),
                step=epoch,
            )
        nsml.save(epoch)
        print("last loss", loss.item())
