"""What is compared on real noisy labels: the same network, taught and read in different ways.

N examples, K classes.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.real_network import NAME
from model.batch import UNKNOWN_LABEL
from model.config import GMEAN_F1, NONE, RESIZE, Recipe
from model.job import Job, JobResult, Trainer
from model.noise import confident_learning
from model.out_of_fold import OutOfFold
from model.recipes import winners_ensemble

BASELINE, CLEANLAB, WINNERS, OURS, CLEAN = "baseline", "cleanlab", "winners", "ours", "clean"
"""Names of the arms. The last one learns the true labels: it is no competitor, but shows how much
the wrong labels cost this network."""
OURS_APART = "ours_apart"
"""Ours without the networks that judged the labels: what they add."""
COMPARED = (BASELINE, CLEANLAB, WINNERS, OURS)

AFTER_TRAINING = {
    **{"name": "", "noise_filter": NONE, "filter_rounds": 1, "filter_epochs": 0},
    **{"folds": 2, "folds_trained": 0, "member_folds": 0, "filter_members": False},
    **{"ensemble_mean": "arithmetic", "ensemble_weights": "equal", "decision_rule": "argmax"},
}
"""Recipe fields that decide which trainings there are and what is made of them, but not what a
single one does, with a value that all arms share."""


@dataclass(frozen=True)
class Scale:
    """How much every arm may spend on its networks; the same for all."""

    size: int
    """Side of the network's input, pixels."""
    epochs: int
    """Where there is nothing but the picture."""
    category_epochs: int
    """Where there is a product category too, which is learned sooner."""
    folds: int

    def recipe(self, *, seed: int, has_categories: bool) -> Recipe:
        """The baseline: cross-entropy on the given labels, the mean of the folds' networks."""
        return Recipe(
            name=BASELINE,
            seed=seed,
            backbone=NAME,
            pretrained=False,
            hidden_size=128,
            category_levels=2 if has_categories else 0,
            image_size=self.size,
            # So few epochs underfit: random crops cost more than they teach.
            framing=RESIZE,
            eval_framing=RESIZE,
            learning_rate=4e-3,
            weight_decay=0.05,
            batch_size=64,
            epochs=self.category_epochs if has_categories else self.epochs,
            ema_decay=0.99,
            tta="flip",
            folds=self.folds,
            filter_rounds=1,
        )


SCALES = {
    "cpu": Scale(size=32, epochs=18, category_epochs=20, folds=4),
    "gpu": Scale(size=64, epochs=20, category_epochs=16, folds=5),
}
"""Sizes by name."""


def winners(base: Recipe) -> Recipe:
    """The winners' recipe around the same network, for as many epochs, at one input size."""
    theirs = winners_ensemble()
    return replace(
        base,
        name=WINNERS,
        label_smoothing=theirs.label_smoothing,
        mixing=theirs.mixing,
        mixing_prob=theirs.mixing_prob,
        category_dropout=theirs.category_dropout if base.category_levels else 0.0,
        balance=theirs.balance,
        noise_filter=theirs.noise_filter,
        decision_rule=theirs.decision_rule,
    )


def ours(base: Recipe) -> Recipe:
    """Our filter, label smoothing and decision rule; the networks that judged answer too.

    These are the baseline's own, so that this costs no training: the cleanlab arm trains as much.
    The category prior stays out, as in the recipe `final`: its log-odds made the filter one-sided.
    """
    return replace(
        base,
        name=OURS,
        label_smoothing=0.1,
        noise_filter="label_issues",
        filter_members=True,
        decision_rule=GMEAN_F1,
    )


ARMS: dict[str, Callable[[Recipe], Recipe]] = {
    BASELINE: lambda base: base,
    CLEANLAB: lambda base: replace(base, name=CLEANLAB),
    WINNERS: winners,
    OURS: ours,
    OURS_APART: lambda base: replace(ours(base), name=OURS_APART, filter_members=False),
    CLEAN: lambda base: replace(base, name=CLEAN),
}
"""Recipe of each arm, made from the baseline's."""


def without_issues(table: OutOfFold) -> NDArray[np.int64]:
    """Given labels without those that cleanlab's default filter flags, int [N].

    Our own implementation does it, which equals cleanlab 2.9 bit for bit (`benchmarks.noise`
    and the tests compare them), so that the peer needs no installation.
    """
    probs = table.pred_probs.mean(axis=0)
    return np.where(confident_learning(table.given, probs), UNKNOWN_LABEL, table.given)


@dataclass(eq=False)
class Remembering:
    """A trainer that does no training twice, whichever arm asks for it."""

    train: Trainer
    folder: Path | None = None
    """Where finished trainings are kept for a later run; None forgets them at the end."""
    seconds: float = 0.0
    """Processor time of all trainings that were asked for, those from memory included."""
    known: dict[str, tuple[JobResult, float]] = field(
        default_factory=dict[str, tuple[JobResult, float]]
    )

    def __call__(self, job: Job) -> JobResult:
        """Result of a job, from memory if an equal one was done."""
        key = fingerprint(job)
        if key not in self.known:
            self.known[key] = self._kept(key) or self._done(key, job)
        result, seconds = self.known[key]
        self.seconds += seconds
        return result

    def _kept(self, key: str) -> tuple[JobResult, float] | None:
        path = None if self.folder is None else self.folder / key
        if path is None or not path.exists():
            return None
        # Our own file: it holds dataclasses and arrays, not only tensors.
        return torch.load(path, weights_only=False)

    def _done(self, key: str, job: Job) -> tuple[JobResult, float]:
        begin = time.process_time()
        result = self.train(job)
        done = result, time.process_time() - begin
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f"{key}.draft"
            torch.save(done, draft)
            os.replace(draft, self.folder / key)
        return done


def fingerprint(job: Job) -> str:
    """Equal for jobs that must have equal results, whatever they are called.

    Raises:
        ValueError: If the job starts from given weights, or labels have weights; no arm does that.
    """
    lesson = job.lesson
    if job.initial is not None or lesson.weights is not None:
        raise ValueError(f"{job.name}: weights are not part of the fingerprint.")
    settings = asdict(replace(job.recipe, **AFTER_TRAINING))
    extras = [job.wants_dynamics, job.extra_classes]
    digest = hashlib.sha256(json.dumps([settings, extras], sort_keys=True).encode())
    for numbers in (lesson.split.train, lesson.split.valid, lesson.labels, job.predict):
        digest.update(np.ascontiguousarray(numbers).tobytes())
        digest.update(b"|")
    return digest.hexdigest()
