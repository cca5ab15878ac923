"""How soon the smallest network learns: two sets of 6000 pictures of about 64 pixels, balanced.

    python -m benchmarks.smoke [--seeds N] [--quick]

"reviews" are what `generate.py --balanced --images 6000` draws, a tenth of the labels wrong; the
recipe `smoke` learns them as it stands, its start and its decoding counted, and is measured on the
clean test side. "shapes" are drawn in memory with right labels, ten classes, and measured on 1000
that no network has seen. Our loop trains our narrow network and, for no less processor time, timm's
ResNet-10-t. Accuracy is that after the last epoch. One thread.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, pstdev

import torch

from benchmarks.cache_scores import trained, true_classes
from benchmarks.corpus import FOLDER
from benchmarks.ladder import GENERATOR
from benchmarks.measure import last_line
from benchmarks.shapes import CLASS_NAMES as SHAPE_NAMES
from benchmarks.shapes import MARGIN, SIZE, draw_shapes
from data_loader import CLASS_NAMES, read_test, read_train
from model.config import NARROW, Recipe
from model.devices import choose_device, prepare_device
from model.prediction import predict
from model.recipes import override, smoke

PICTURES = 6000
PEER = "resnet10t"
WANTED, SECONDS = 0.90, 45
"""Accuracy that is aimed at, and within how many seconds."""


@dataclass(frozen=True)
class Run:
    """One training."""

    accuracy: float
    seconds: float
    """Processor time from reading the tables to the last validation; drawing is not in it."""


@dataclass(frozen=True)
class Task:
    """What is learned, and how long each network takes for it."""

    name: str
    train: Callable[[str, int, int], Run]
    """Called with a backbone, its epochs and a seed."""
    epochs: dict[str, int]
    """Epochs of each backbone; those of the peer take no less time than ours."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.smoke")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 .. N-1 (default 3)")
    parser.add_argument("--quick", action="store_true", help="one seed")
    options = parser.parse_args(arguments)
    seeds = 1 if options.quick else options.seeds
    torch.set_num_threads(1)
    prepare_device(choose_device(), ranks=1)
    shapes = Task("shapes", train_on_shapes, {NARROW: 13, PEER: 3})
    reviews = Task("reviews", train_on_reviews, {NARROW: smoke().epochs, PEER: 3})
    print("| pictures | network | epochs | accuracy | CPU seconds |\n|---|---|---|---|---|")
    line = ""
    for task in (shapes, reviews):
        ours, peer = (contest(task, backbone, seeds) for backbone in task.epochs)
        line = last_line(
            "smoke",
            f"{ours.accuracy:.3f}",
            f"accuracy in {ours.seconds:.1f} CPU s",
            peer=f"{PEER} {peer.accuracy:.3f} in {peer.seconds:.1f} CPU s",
            ratio=ours.accuracy / peer.accuracy,
        )
    print(f"\nAimed at: {WANTED:.2f} within {SECONDS} s; {seeds} seeds")
    print(line)
    return 0


def contest(task: Task, backbone: str, seeds: int) -> Run:
    """Train with every seed and print a row; returns the means."""
    epochs = task.epochs[backbone]
    runs = [task.train(backbone, epochs, seed) for seed in range(seeds)]
    accuracies, seconds = [run.accuracy for run in runs], [run.seconds for run in runs]
    print(
        f"| {task.name} | {backbone} | {epochs} "
        f"| {mean(accuracies):.3f} ± {pstdev(accuracies):.3f} "
        f"| {mean(seconds):.1f} ± {pstdev(seconds):.1f} |",
        flush=True,
    )
    return Run(mean(accuracies), mean(seconds))


def train_on_reviews(backbone: str, epochs: int, seed: int) -> Run:
    """Train the recipe `smoke` on generated reviews and measure on their clean test side."""
    folder = balanced_reviews()
    changes = [f"backbone={backbone}", f"epochs={epochs}", f"seed={seed}", "loader_workers=0"]
    begin = time.process_time()
    trainee, compute = trained(override(smoke(), changes), read_train(folder), CLASS_NAMES)
    seconds = time.process_time() - begin
    test = read_test(folder / "test")
    predicted = predict(trainee, test, compute=compute, workers=0).y_pred
    return Run(float((predicted == true_classes(folder, test.names)).mean()), seconds)


def train_on_shapes(backbone: str, epochs: int, seed: int) -> Run:
    """Train on one seed's shapes and measure on others."""
    recipe = shapes_recipe(backbone, epochs, seed)
    source = draw_shapes(PICTURES, size=SIZE, seed=seed)
    unseen = draw_shapes(1000, size=SIZE, seed=1000 + seed)
    begin = time.process_time()
    trainee, compute = trained(recipe, source, SHAPE_NAMES)
    seconds = time.process_time() - begin
    predicted = predict(trainee, unseen, compute=compute, workers=0).y_pred
    return Run(float((predicted == unseen.labels).mean()), seconds)


def balanced_reviews() -> Path:
    """The generated dataset; drawn when it is first asked for."""
    folder = FOLDER / f"reviews-balanced-{PICTURES}"
    if not folder.exists():
        draft = folder.with_name(f"{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        words = ["--balanced", "--images", str(PICTURES), "--seed", "0"]
        command = [sys.executable, str(GENERATOR), str(draft), *words]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        draft.rename(folder)
    return folder


def shapes_recipe(backbone: str, epochs: int, seed: int = 0) -> Recipe:
    """`smoke` for pictures with right labels: one cycle of SGD, flips, and shifts of 6 pixels."""
    whole = SIZE / (SIZE + 2 * MARGIN)
    return override(
        smoke(),
        [
            *(f"backbone={backbone}", f"epochs={epochs}", f"seed={seed}"),
            *("category_levels=0", "category_dropout=0", "logit_adjustment=0"),
            *("optimizer=sgd", "learning_rate=0.1", "weight_decay=0.0005", "valid_share=0.01"),
            f"warmup_epochs={min(2, epochs / 4)}",
            *(f"crop_scale={whole**2}", "crop_ratio=1", f"eval_crop={whole}"),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
