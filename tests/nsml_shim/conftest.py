"""A platform of one's own in a temporary home, a tiny dataset, and a way to type commands."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nsml_shim.commands.platform import Platform
from nsml_shim.settings import Settings

ROOT = Path(__file__).parents[2]

LOADER = """
import os
from nsml import DATASET_PATH

def feed_infer(output_file, infer_func):
    results = infer_func(os.path.join(DATASET_PATH, "test"))
    with open(output_file, "w") as file:
        file.writelines(f"{line}\\n" for line in results)
"""
EVALUATION = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--prediction")
parser.add_argument("--test_label_path")
args = parser.parse_args()
guess = open(args.prediction).read().split()
truth = open(args.test_label_path).read().split()
if len(guess) != len(truth):
    raise SystemExit(f"{len(guess)} predictions for {len(truth)} labels")
print(sum(a == b for a, b in zip(guess, truth)) / len(truth))
"""
GUEST = """
import argparse, os
import nsml
from nsml import DATASET_PATH

parser = argparse.ArgumentParser()
parser.add_argument("--mode", default="train")
parser.add_argument("--pause", type=int, default=0)
parser.add_argument("--iteration", default="0")
parser.add_argument("--answer", default="1")
args = parser.parse_args()
model = {"answer": args.answer, "epochs": 0}

def save(path, **kwargs):
    with open(os.path.join(path, "model"), "w") as file:
        file.write(f"{model['answer']} {model['epochs']}")

def load(path, **kwargs):
    model["answer"], epochs = open(os.path.join(path, "model")).read().split()
    model["epochs"] = int(epochs)

def infer(root, **kwargs):
    return [model["answer"] for _ in open(os.path.join(root, "test_data"))]

nsml.bind(save=save, load=load, infer=infer)
if args.pause:
    nsml.paused(scope=locals())
if args.mode == "train":
    print("training on", sorted(os.listdir(os.path.join(DATASET_PATH, "train"))))
    for epoch in range(2):
        model["epochs"] += 1
        nsml.report(summary=True, step=model["epochs"], train__loss=1 / model["epochs"])
        nsml.save("best")
    print("epochs so far:", model["epochs"])
"""


def write_files(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Home of a platform, in a path that trips careless quoting."""
    return tmp_path / "home 한글"


@pytest.fixture
def platform(home: Path) -> Platform:
    """A platform that belongs to the owner `team`."""
    return Platform(Settings(home=home, owner="team", quota=0, max_files=100, max_bytes=2**20))


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A dataset whose test labels are 1 1 0 1; its dry run has the labels 1 0."""
    return write_files(
        tmp_path / "toy source",
        {
            "train/train_data": "a\nb\n",
            "train/train_label": "1\n0\n",
            "test/test_data": "a\nb\nc\nd\n",
            "test/test_label": "1\n1\n0\n1\n",
            "test_submit/test_data": "a\nb\n",
            "test_submit/test_label": "1\n0\n",
            "data_loader.py": LOADER,
            "evaluation.py": EVALUATION,
            "dataset.toml": 'description = "four letters"\ntags = ["#toy"]\nsubmit_interval = 0\n',
        },
    )


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    """A small submission that always predicts its `--answer`."""
    return write_files(tmp_path / "guest", {"main.py": GUEST})


Nsml = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def nsml(home: Path, guest: Path) -> Nsml:
    """Type `nsml ...` in the guest's folder; fails the test on an unexpected exit code."""

    def type_command(
        *words: str, code: int = 0, cwd: Path = guest, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "NSML_HOME": str(home), "NSML_TEAM": "team", **variables}
        done = subprocess.run(
            [sys.executable, "-m", "nsml_shim", *words],
            cwd=cwd,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, f"nsml {words}\n{done.stdout}\n{done.stderr}"
        return done

    return type_command
