# type: ignore
"""Members are bound and loaded one after another, before paused; then all are saved as one."""

import argparse
import os
import pickle
import random

import nsml


class Member:
    def __init__(self, seed):
        self.seed = seed
        self.w = None

    def vote(self, point):
        return 1 if self.w[0] * point[0] + self.w[1] * point[1] > 0 else -1


def bind_member(member):
    def save(path, **kwargs):
        with open(os.path.join(path, "w"), "wb") as f:
            pickle.dump(member.w, f)

    def load(path, **kwargs):
        with open(os.path.join(path, "w"), "rb") as f:
            member.w = pickle.load(f)

    nsml.bind(save=save, load=load)


def bind_ensemble(members):
    def save(path, **kwargs):
        os.makedirs(path, exist_ok=True)
        for number, member in enumerate(members):
            with open(os.path.join(path, "model_%d" % number), "wb") as f:
                pickle.dump(member.w, f)

    def load(path, **kwargs):
        for number, member in enumerate(members):
            with open(os.path.join(path, "model_%d" % number), "rb") as f:
                member.w = pickle.load(f)
        print("ensemble of", len(members))

    def infer(root_path, top_k=1):
        with open(os.path.join(root_path, "test_data")) as f:
            points = [tuple(map(float, line.split(","))) for line in f]
        votes = [sum(member.vote(point) for member in members) for point in points]
        return list(range(len(points))), [int(vote > 0) for vote in votes]

    nsml.bind(save=save, load=load, infer=infer)


def train(member, rounds):
    root = os.path.join(nsml.DATASET_PATH, "train")
    points = [tuple(map(float, line.split(","))) for line in open(root + "/train_data")]
    labels = [int(line) * 2 - 1 for line in open(root + "/train_label")]
    rng = random.Random(member.seed)
    member.w = [rng.random(), rng.random()]
    for _ in range(rounds):
        for point, label in zip(points, labels):
            if member.vote(point) != label:
                member.w = [w + label * v for w, v in zip(member.w, point)]


parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", default="0")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--members", default="")
args = parser.parse_args()

if args.members:
    members = []
    for session in args.members.split(":"):
        member = Member(0)
        bind_member(member)
        nsml.load(checkpoint=0, session=session)
        print("loaded", session)
        members.append(member)
    bind_ensemble(members)
    if args.pause:
        nsml.paused(scope=locals())
    nsml.save("ensemble")
    exit()

member = Member(args.seed)
bind_member(member)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    train(member, 20)
    nsml.save(0)
