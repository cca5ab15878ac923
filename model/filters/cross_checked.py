"""Every label judged by networks that never saw its picture: all folds, held out in turn.

N examples, J judged examples, K classes, M models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.config import Recipe
from model.filters.trainings import Labels, ask_outsiders, conclude, judged_positions, spread
from model.job import Material, Trainer
from model.noise import confident_learning as confident_issues
from model.noise import find_label_issues
from model.noise.record import DROPPED, FilterRecord
from model.noise.rules import label_margins
from model.seeding import Purpose, derive_seed

SURE = 0.95
"""Mean probability of another class from which a label is changed and not only dropped."""

Probs = NDArray[np.float32]
Finder = Callable[[Labels, Probs], NDArray[np.bool_]]
"""Which labels are wrong, bool [J], from labels, int [J], and probabilities, float [M, J, K]."""


def label_issues(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Drop what `find_label_issues` flags; give rare classes what all models place there.

    Args:
        recipe: Of the trainings; `filter_epochs` applies, and `filter_rounds` is the number of
            models, each a whole cross-validation with a seed of its own.
        material: What is judged.
        train: Does one training.

    Raises:
        ConfigError: If there is no cross-validation.
    """
    return _cross_checked("label_issues", find_label_issues, recipe, material, train)


def confident_learning(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """The same with the labels that confident learning flags, at its default settings."""

    def find(labels: Labels, probs: Probs) -> NDArray[np.bool_]:
        return confident_issues(labels, probs.mean(axis=0))

    return _cross_checked("confident_learning", find, recipe, material, train)


def _cross_checked(
    method: str, find: Finder, recipe: Recipe, material: Material, train: Trainer
) -> FilterRecord:
    judged = judged_positions(material)
    given = material.labels[judged]
    seeds = [_seed(recipe.seed, number) for number in range(recipe.filter_rounds)]
    probs = np.stack(
        [
            ask_outsiders(f"cross-check {number}", replace(recipe, seed=seed), material, train)[
                judged
            ]
            for number, seed in enumerate(seeds, start=1)
        ]
    )
    labels = material.labels.copy()
    labels[judged] = corrected_labels(given, probs, find(given, probs))
    scores = spread(label_margins(given, probs.mean(axis=0)), judged, len(labels))
    reason = (
        f"The rule {method} flagged the label by the out-of-fold probabilities of {len(seeds)} "
        f"models; changed where all of them agree on a rare class with {SURE:.0%}."
    )
    return conclude(method, material, labels, scores, reason)


def corrected_labels(given: Labels, probs: Probs, wrong: NDArray[np.bool_]) -> Labels:
    """Drop the wrong labels, or change them where the models are sure of a rare class.

    A rare class gains most from a further example; a common one does not miss it, and there a
    mistake of the models is the likelier explanation.

    Args:
        given: Given class, int [J], 0..K-1.
        probs: Out-of-fold probabilities, float [M, J, K].
        wrong: Which labels are wrong, bool [J].

    Returns:
        Label to learn, int [J]; DROPPED where there is none.
    """
    mean = probs.mean(axis=0)
    best = mean.argmax(axis=1)
    sizes = np.bincount(given, minlength=mean.shape[1])
    rare = sizes < sizes.mean()
    agreed = (probs.argmax(axis=2) == best).all(axis=0)
    sure = wrong & agreed & rare[best] & (mean.max(axis=1) > SURE) & (best != given)
    return np.where(sure, best, np.where(wrong, DROPPED, given)).astype(np.int64)


def _seed(seed: int, number: int) -> int:
    """Seed of a model; the first one has the recipe's own."""
    return derive_seed(seed, Purpose.FILTER, number) % 2**31 if number else seed
