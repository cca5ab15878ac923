"""How soon the smallest network learns: 6000 drawn pictures of 64 pixels, ten classes alike.

    python -m benchmarks.smoke [--seeds N] [--quick]

Our loop trains our narrow network and, for no less processor time, timm's ResNet-10-t. Accuracy is
measured on 1000 pictures that neither has seen, after the last epoch. One thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, pstdev

import torch

from benchmarks.measure import last_line
from benchmarks.shapes import CLASS_NAMES, MARGIN, SIZE, draw_shapes
from model.config import Recipe
from model.devices import choose_compute, choose_device, prepare_device
from model.experiment import start_trainee
from model.prediction import predict
from model.recipes import override, smoke
from model.training import Listener, fit

OURS, PEER = "narrow", "resnet10t"
EPOCHS = {OURS: 13, PEER: 3}
"""Three passes of the peer take somewhat longer than all of ours."""
WANTED, SECONDS = 0.90, 45
"""Accuracy that is aimed at, and within how many seconds."""


@dataclass(frozen=True)
class Run:
    """One training."""

    accuracy: float
    seconds: float
    """Processor time of building, training and validating; drawing the pictures is not in it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.smoke")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0 .. N-1 (default 3)")
    parser.add_argument("--quick", action="store_true", help="one seed")
    options = parser.parse_args(arguments)
    seeds = 1 if options.quick else options.seeds
    torch.set_num_threads(1)
    prepare_device(choose_device(), ranks=1)
    print("| network | epochs | accuracy | CPU seconds |\n|---|---|---|---|")
    runs = {name: [train(name, seed) for seed in range(seeds)] for name in EPOCHS}
    accuracy, seconds = {}, {}
    for name, done in runs.items():
        accuracy[name] = mean(run.accuracy for run in done)
        seconds[name] = mean(run.seconds for run in done)
        spread = pstdev([run.accuracy for run in done]), pstdev([run.seconds for run in done])
        print(
            f"| {name} | {EPOCHS[name]} | {accuracy[name]:.3f} ± {spread[0]:.3f} "
            f"| {seconds[name]:.1f} ± {spread[1]:.1f} |"
        )
    print(f"\nAimed at: {WANTED:.2f} within {SECONDS} s; {seeds} seeds")
    print(
        last_line(
            "smoke",
            f"{accuracy[OURS]:.3f}",
            f"accuracy in {seconds[OURS]:.1f} CPU s",
            peer=f"{PEER} {accuracy[PEER]:.3f} in {seconds[PEER]:.1f} CPU s",
            ratio=accuracy[OURS] / accuracy[PEER],
        )
    )
    return 0


def train(backbone: str, seed: int) -> Run:
    """Train on one seed's pictures and measure on others."""
    recipe = shapes_recipe(backbone, EPOCHS[backbone], seed)
    source = draw_shapes(6000, size=SIZE, seed=seed)
    unseen = draw_shapes(1000, size=SIZE, seed=1000 + seed)
    begin = time.process_time()
    trainee = start_trainee(recipe, source, CLASS_NAMES).to(choose_device())
    compute = choose_compute(recipe.precision, trainee.network, choose_device())
    fit(trainee, source, compute=compute, listener=Listener(lambda _result: None))
    seconds = time.process_time() - begin
    predicted = predict(trainee, unseen, compute=compute, workers=0).y_pred
    return Run(float((predicted == unseen.labels).mean()), seconds)


def shapes_recipe(backbone: str, epochs: int, seed: int = 0) -> Recipe:
    """`smoke` for pictures with right labels: one cycle of SGD, flips, and shifts of 6 pixels."""
    whole = SIZE / (SIZE + 2 * MARGIN)
    return override(
        smoke(),
        [
            *(f"backbone={backbone}", f"epochs={epochs}", f"seed={seed}", "narrow_width=16"),
            *("category_levels=0", "category_dropout=0", "logit_adjustment=0", "label_smoothing=0"),
            *("optimizer=sgd", "learning_rate=0.1", "weight_decay=0.0005", "valid_share=0.01"),
            f"warmup_epochs={min(2, epochs / 4)}",
            *(f"crop_scale={whole**2}", "crop_ratio=1", f"eval_crop={whole}"),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
