"""One training set with one seed, and what an arm is worth on it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from benchmarks.real_arms import (
    ARMS,
    BASELINE,
    CLEAN,
    CLEANLAB,
    SCALES,
    Remembering,
    without_issues,
)
from benchmarks.real_data import RealSet, load_set
from model.campaign import Campaign
from model.config import Recipe
from model.devices import Compute, choose_compute, choose_device, prepare_device
from model.ensemble import predict_ensemble
from model.job import Material
from model.metrics import geometric_mean
from model.pipeline import Outcome, make_material, run_recipe
from model.runner import CampaignListener, CampaignRunner
from model.trainee import EpochResult, Trainee

Key = tuple[str, str, str, int]
"""What a row is about: scale, set, arm, seed."""


@dataclass(frozen=True)
class Row:
    """One arm on one set with one seed."""

    scale: str
    real_set: str
    arm: str
    seed: int
    gmean_f1: float
    """On the test set, by true labels, 0..1."""
    class_f1: tuple[float, ...]
    out_of_fold_f1: float
    """gmean-F1 of the held-out training pictures by the labels that were learned, 0..1: what the
    arm itself can know of its quality."""
    changed: int
    """Labels that a filter dropped or changed."""
    seconds: float
    """Processor time of all trainings that the arm rests on, also of those it shares."""

    @property
    def key(self) -> Key:
        """What the row is about."""
        return self.scale, self.real_set, self.arm, self.seed


@dataclass(frozen=True, eq=False)
class Cell:
    """One set with one seed: what the arms share."""

    real_set: RealSet
    base: Recipe
    device: torch.device
    train: Remembering

    def run(self, arm: str) -> tuple[Outcome, int]:
        """What an arm leads to, and how many labels it dropped or changed."""
        recipe, material = ARMS[arm](self.base), self.material()
        if arm == CLEANLAB:
            table = self.run(BASELINE)[0].out_of_fold
            material = replace(material, labels=without_issues(table))
        if arm == CLEAN:
            material = replace(material, labels=self.real_set.train_truth)
        outcome = run_recipe(
            recipe,
            material=material,
            class_names=self.real_set.class_names,
            train=self.train,
            say=lambda _: None,
        )
        learned = material.labels if outcome.record is None else outcome.record.labels
        return outcome, int((learned != self.real_set.train.labels).sum())

    def material(self) -> Material:
        """Given labels in folds; products that belong together stay together."""
        pictures = self.real_set.train
        return make_material(
            self.base,
            labels=pictures.labels,
            categories=list(pictures.categories),
            groups=pictures.groups,
            class_names=self.real_set.class_names,
        )

    def measure(self, arm: str, scale: str) -> Row:
        """Train an arm and score it on the test set."""
        begin = self.train.seconds
        outcome, changed = self.run(arm)

        def compute_of(trainee: Trainee) -> Compute:
            recipe = trainee.blueprint.recipe
            return choose_compute(recipe.precision, trainee.network, self.device)

        predicted = predict_ensemble(
            outcome.ensemble, self.real_set.test, compute_of=compute_of, workers=0
        )
        scores = self.real_set.score(predicted.y_pred)
        return Row(
            scale,
            self.real_set.name,
            arm,
            self.base.seed,
            geometric_mean(scores),
            tuple(float(score) for score in scores),
            outcome.decision.decided_f1,
            changed,
            self.train.seconds - begin,
        )


def open_cell(
    real_set: RealSet, base: Recipe, device: torch.device, keep: Path | None = None
) -> Cell:
    """A cell whose arms share their trainings, which are kept in a folder if one is given."""

    def silent(name: str, result: EpochResult) -> None:
        """Nobody watches single epochs here."""

    runner = CampaignRunner(
        Campaign(base, real_set.class_names), real_set.train, device, CampaignListener(silent)
    )
    folder = None if keep is None else keep / real_set.name
    return Cell(real_set, base, device, Remembering(runner.train, folder))


@dataclass(frozen=True)
class Bench:
    """Where the sets are, and how they are measured."""

    data: Path
    keep: Path | None
    """Where finished trainings are kept; None forgets them."""
    ranks: int = 1
    """Processes that share the machine."""

    def measure(self, keys: Sequence[Key]) -> Iterator[Row]:
        """Rows of one set with one seed, which share their trainings."""
        scale, name, _, seed = keys[0]
        device = choose_device()
        prepare_device(device, ranks=self.ranks)
        real_set = load_set(name, self.data)
        has_categories = any(real_set.train.categories)
        base = SCALES[scale].recipe(seed=seed, has_categories=has_categories)
        cell = open_cell(real_set, base, device, self.keep)
        yield from (cell.measure(arm, scale) for _, _, arm, _ in keys)

    def measure_one(self, key: Key) -> Row:
        """A single row, in a process of its own."""
        return next(self.measure([key]))


def measure_all(bench: Bench, keys: Sequence[Key]) -> Iterator[Row]:
    """All rows; seed by seed, so that an early end leaves whole seeds.

    With several processes the rows come as they are finished. What other arms build on comes
    first, so that it is not trained twice.
    """
    if bench.ranks == 1:
        for cell in dict.fromkeys((key[1], key[3]) for key in keys):
            yield from bench.measure([key for key in keys if (key[1], key[3]) == cell])
        return
    first = [key for key in keys if key[2] == BASELINE]
    rest = [key for key in keys if key[2] != BASELINE]
    # A process that computes on a GPU cannot be forked.
    with multiprocessing.get_context("spawn").Pool(bench.ranks, maxtasksperchild=1) as processes:
        for group in (first, rest):
            yield from processes.imap_unordered(bench.measure_one, group)
