# type: ignore
"""PyTorch as in 2018: one file, written to the path itself; labels come from two neighbours."""

import argparse
import os

import nsml
import torch
from nsml import DATASET_PATH


def bind_model(model, args):
    def save(filename, *a):
        torch.save({"args": args, "model": model}, filename)
        print("Model saved")

    def load(filename, *a):
        state = torch.load(filename)
        model.load_state_dict(state["model"].state_dict())
        print("Model loaded, it was trained with lr {}".format(state["args"].lr))

    def infer(queries, db):
        points = torch.tensor([[float(v) for v in q.split(",")] for q in queries])
        keys = sorted(db)
        neighbours = torch.tensor([db[k] for k in keys])
        with torch.no_grad():
            similar = torch.sigmoid(model(points)) @ neighbours.t()
        return [(float(row.max()), keys[int(row.argmax())]) for row in similar]

    nsml.bind(save, load, infer)


class Net(torch.nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.fc = torch.nn.Linear(2, 2, bias=False)
        torch.nn.init.zeros_(self.fc.weight)

    def forward(self, x):
        return self.fc(x)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", default="train")
    parser.add_argument("--iteration", default="0")
    parser.add_argument("--pause", type=int, default=0)
    parser.add_argument("--lr", type=float, default=0.5)
    args = parser.parse_args()
    model = Net()
    bind_model(model, args)
    if args.pause:
        nsml.paused(scope=locals())
    if args.mode != "train":
        return
    root = os.path.join(DATASET_PATH, "train")
    x = torch.tensor([[float(v) for v in line.split(",")] for line in open(root + "/train_data")])
    y = torch.tensor([int(line) for line in open(root + "/train_label")])
    target = torch.stack([1 - y, y], 1).float()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(40):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        nsml.report(False, step=epoch, loss=loss.item())
    nsml.save("best" + str(args.lr))


if __name__ == "__main__":
    main()
