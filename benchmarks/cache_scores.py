"""What training on smaller copies costs in score: no cache, JPEG copies, raw copies.

    python datasets/review_img/generate.py FOLDER --scale full --balanced --images 2400 --seed 3
    python -m benchmarks.cache_scores FOLDER [--seeds 3] [--set epochs=12 ...]

The recipe `smoke` at 128 pixels learns from each kind with each seed, everything else alike, and
predicts the clean test side, which is always read from its files. The copies lie in a temporary
folder. One thread; about two minutes a training.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev

import numpy as np
import torch

from benchmarks.measure import last_line
from data_loader import CLASS_NAMES, TEST_LABELS, CacheWish, read_test, read_train
from model.batch import ExampleSource
from model.config import Recipe
from model.devices import Compute, choose_compute, choose_device, prepare_device
from model.experiment import start_trainee
from model.metrics import class_f1, confusion_matrix, geometric_mean
from model.pixels.cache.plan import OFF
from model.pixels.labels import LABEL_COLUMN
from model.pixels.table import read_table
from model.prediction import predict
from model.recipes import override, smoke
from model.trainee import Trainee
from model.training import Listener, fit

KINDS = (OFF, "jpeg", "raw")
"""Values of `--cache`; the first is what the others are compared with."""
SETTINGS = (
    *("image_size=128", "crop_scale=0.25", "epochs=12", "narrow_width=16", "loader_workers=0"),
    *("category_dropout=0.02", "label_smoothing=0.1", "logit_adjustment=0.5", "weight_decay=0.05"),
)
"""Crops at least as large as the input, both on the raw copies and in the files; the second line is
what `smoke` was when the table of docs/performance.md was measured."""


@dataclass(frozen=True)
class Score:
    """One training."""

    gmean_f1: float
    """On the clean test side."""
    seconds: float
    """Processor time of training, copies being made in its first epoch."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.cache_scores")
    parser.add_argument("folder", type=Path, help="a generated dataset of large pictures")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 .. N-1 (default 3)")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    prepare_device(choose_device(), ranks=1)
    found: dict[str, list[Score]] = {kind: [] for kind in KINDS}
    for seed in range(options.seeds):
        recipe = override(smoke(), [*SETTINGS, *options.set, f"seed={seed}"])
        for kind in KINDS:
            with tempfile.TemporaryDirectory(prefix="cache-scores-") as root:
                score = train(options.folder, recipe, kind, Path(root))
            print(f"seed {seed}, {kind}: {score.gmean_f1:.4f}, {score.seconds:.0f} s", flush=True)
            found[kind].append(score)
    print_table(found)
    return 0


def train(folder: Path, recipe: Recipe, kind: str, root: Path) -> Score:
    """Train on copies of one kind, in `root`, and score on the test side's files."""
    wish = CacheWish(kind, root)
    images = read_train(folder).with_cache(wish, lambda _line: None)
    begin = time.process_time()
    trainee, compute = trained(recipe, images, CLASS_NAMES)
    seconds = time.process_time() - begin
    test = read_test(folder / "test")
    predicted = predict(trainee, test, compute=compute, workers=0).y_pred
    confusion = confusion_matrix(true_classes(folder, test.names), predicted, len(CLASS_NAMES))
    return Score(geometric_mean(class_f1(confusion)), seconds)


def trained(
    recipe: Recipe, source: ExampleSource, class_names: tuple[str, ...]
) -> tuple[Trainee, Compute]:
    """A network after its last epoch, and how it computes."""
    trainee = start_trainee(recipe, source, class_names).to(choose_device())
    compute = choose_compute(recipe.precision, trainee.network, choose_device())
    fit(trainee, source, compute=compute, listener=Listener(lambda _result: None))
    return trainee, compute


def true_classes(folder: Path, names: Sequence[str]) -> np.ndarray:
    """Clean class of each test picture, int [N]."""
    rows = read_table(folder / "test" / TEST_LABELS, label_column=LABEL_COLUMN)
    answers = {row.name: int(row.answer) for row in rows}
    return np.array([answers[name] for name in names], dtype=np.int64)


def print_table(found: dict[str, list[Score]]) -> None:
    """Print each kind's mean and spread, its difference by seed, and the last line."""
    print("\n| cache | gmean-F1 | against no cache, by seed | CPU seconds |\n|---|---|---|---|")
    means: dict[str, float] = {}
    for kind, scores in found.items():
        values = [score.gmean_f1 for score in scores]
        means[kind] = mean(values)
        spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
        pairs = zip(scores, found[OFF], strict=True)
        gains = ", ".join(f"{mine.gmean_f1 - none.gmean_f1:+.3f}" for mine, none in pairs)
        seconds = mean(score.seconds for score in scores)
        print(f"| {kind} | {means[kind]:.3f}{spread} | {gains} | {seconds:.0f} |")
    peer, worst = means[OFF], min(means.values())
    print()
    print(
        last_line(
            "cache_scores",
            f"{worst:.3f}",
            "gmean-F1, lowest of the kinds",
            peer=f"{peer:.3f}",
            ratio=worst / peer if peer else float("inf"),
        )
    )


if __name__ == "__main__":
    sys.exit(main())
