"""One training among several of a campaign, and what it leaves behind.

N examples, M predicted examples, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.config import Recipe
from model.dynamics import Dynamics
from model.lesson import Lesson
from model.trainee import Blueprint, EpochResult


@dataclass(frozen=True, eq=False)
class Job:
    """A training to do."""

    name: str
    """What people are told, for example "fold 2 of 5, 64 px"."""
    recipe: Recipe
    lesson: Lesson
    predict: NDArray[np.int64]
    """Positions of the examples to predict afterwards, int [M]."""
    initial: Mapping[str, torch.Tensor] | None = None
    """Weights to start from; None starts as the recipe says."""
    wants_dynamics: bool = False
    """Whether to record how each example fared in each epoch."""
    extra_classes: int = 0
    """Further classes of the network, numbered from K, for a filter's own use."""


@dataclass(frozen=True, eq=False)
class JobResult:
    """What a training left behind."""

    pred_probs: NDArray[np.float32]
    """Probabilities of the examples in `Job.predict`, float [M, K]; rows sum to 1."""
    best: EpochResult
    """The epoch whose network was kept."""
    network: Mapping[str, torch.Tensor]
    """Weights of that network, on the CPU."""
    dynamics: Dynamics | None = None
    """Set if the job asked for it."""
    blueprint: Blueprint | None = None
    """What else a checkpoint of that network needs; None where none will be made."""


Trainer = Callable[[Job], JobResult]
"""Does a job. Results are kept in the order of the calls, so that an interrupted campaign replays
those it has; callers are therefore plain deterministic code."""


@dataclass(frozen=True, eq=False)
class Material:
    """The examples as a noise filter sees them."""

    labels: NDArray[np.int64]
    """Given label of each example, int [N]."""
    num_classes: int
    """K."""
    folds: NDArray[np.int64]
    """Fold of each example, int [N]; -1 for an example in none."""
    folds_trained: tuple[int, ...]
    """Folds that are held out in turn."""
    categories: Sequence[tuple[str, ...]]
    """Product category of each example, broadest level first; N tuples."""

    def held_out(self, fold: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Positions to learn from and positions of the fold, ascending."""
        inside = self.folds == fold
        known = self.folds >= 0
        return np.flatnonzero(known & ~inside), np.flatnonzero(inside)
