"""Filters that train, judge, and train again on what they kept.

N examples, J judged examples, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.config import Recipe
from model.filters.trainings import ask_all, judged_positions
from model.job import Material, Trainer

Rule = Callable[[list[NDArray[np.float64]]], NDArray[np.int64]]
"""Labels to learn, int [J], from the probabilities of all rounds so far, float [J, K] each."""


@dataclass(frozen=True, eq=False)
class Rounds:
    """What the rounds came to."""

    labels: NDArray[np.int64]
    """Labels by the last round that helped, int [N]."""
    history: list[NDArray[np.float64]]
    """Probabilities of the judged examples in each round that helped, float [J, K] each."""
    ending: str
    """Why there was no further round, for people."""


def repeat_rounds(
    name: str, recipe: Recipe, material: Material, train: Trainer, rule: Rule
) -> Rounds:
    """Train, judge, and train anew on the result until the hold-out no longer gains from it.

    The rule always judges the labels of the source, so what one round removed may come back, and
    no round builds on the mistakes of another. Networks start afresh: the ones before have
    learned the wrong labels. Rounds compare on the same folds by the same, unfiltered labels.

    Args:
        name: What people are told.
        recipe: Of the trainings; its `filter_rounds` is the most rounds.
        material: What is judged.
        train: Does one training.
        rule: Judges.
    """
    judged = judged_positions(material)
    labels, best = material.labels, (-1.0, -1.0)
    history: list[NDArray[np.float64]] = []
    while len(history) < recipe.filter_rounds:
        opinion = ask_all(f"{name}, round {len(history) + 1}", recipe, material, labels, train)
        if opinion.rank <= best:
            ending = f"round {len(history) + 1} no longer helped ({_scores(best, opinion.rank)})"
            return Rounds(labels, history, ending)
        best = opinion.rank
        history.append(opinion.pred_probs)
        labels = material.labels.copy()
        labels[judged] = rule(history)
    return Rounds(labels, history, f"the limit of {recipe.filter_rounds} was reached")


def _scores(before: tuple[float, float], after: tuple[float, float]) -> str:
    return f"gmean-F1 {before[0]:.4f}, then {after[0]:.4f}"
