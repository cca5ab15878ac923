"""Which fields of a recipe a search may change, and how far: declared once per recipe.

Plain data, so that a search inside one session and one over many sessions can read the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.config import CUTMIX, NARROW, NONE, Recipe


@dataclass(frozen=True)
class Range:
    """A number between two bounds, both included."""

    low: float
    high: float
    log: bool = False
    """Search by factors instead of differences."""
    whole: bool = False


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    values: tuple[str | float | int, ...]


Space = Mapping[str, Range | Choice]
"""Field of a recipe to what may be tried for it."""

FROM_SCRATCH: Space = {
    "learning_rate": Range(1e-3, 3e-2, log=True),
    "weight_decay": Range(1e-2, 1.0, log=True),
    "category_dropout": Range(0.0, 0.8),
    "label_smoothing": Range(0.0, 0.3),
    "logit_adjustment": Range(0.0, 1.0),
    "crop_scale": Range(0.2, 1.0),
    "drop_rate": Range(0.0, 0.5),
    "mixing": Choice((NONE, CUTMIX)),
}
"""For small networks that start from random weights."""

PRETRAINED: Space = {
    "learning_rate": Range(3e-5, 3e-3, log=True),
    "weight_decay": Range(1e-3, 0.2, log=True),
    "category_dropout": Range(0.0, 0.8),
    "label_smoothing": Range(0.0, 0.3),
    "balance": Range(0.0, 1.0),
    "crop_scale": Range(0.08, 0.8),
    "drop_rate": Range(0.0, 0.5),
    "drop_path_rate": Range(0.0, 0.3),
    "mixing_prob": Range(0.0, 1.0),
}
"""For networks that start from published weights."""

SPACES: Mapping[str, Space] = {"smoke": FROM_SCRATCH}
"""Spaces of single recipes, by name; all others have the one that suits their backbone."""


def search_space(recipe: Recipe) -> Space:
    """What a search may try for a recipe."""
    suiting = FROM_SCRATCH if recipe.backbone == NARROW or not recipe.pretrained else PRETRAINED
    return SPACES.get(recipe.name, suiting)
