"""Every label judged by networks that never saw its picture: all folds, held out in turn.

N examples, J judged examples, K classes, M models.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.config import Recipe
from model.errors import ConfigError
from model.filters.trainings import (
    Labels,
    Scores,
    ask_outsiders,
    balanced,
    conclude,
    judged_positions,
    judging,
    spread,
)
from model.job import Material, Trainer
from model.noise import confident_learning as confident_issues
from model.noise import find_label_issues, label_quality
from model.noise.record import DROPPED, FilterRecord
from model.noise.rules import label_margins
from model.seeding import Purpose, derive_seed

SURE = 0.95
"""Mean probability of another class from which a label is changed and not only dropped."""

Probs = NDArray[np.float32]
Wrong = NDArray[np.bool_]


def label_issues(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Drop what `find_label_issues` flags; give rare classes what all models place there.

    Args:
        recipe: Of the trainings; `filter_epochs` applies, and `filter_rounds` is the number of
            models, each a whole cross-validation with a seed of its own and a sampler in turn;
            they learn without label smoothing.
        material: What is judged.
        train: Does one training.

    Raises:
        ConfigError: If there is no cross-validation.
    """
    given, probs = cross_predictions(recipe, material, train)
    wrong, scores = find_label_issues(given, probs), label_quality(given, probs)
    return _conclude("label_issues", material, probs, wrong, scores)


def confident_learning(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """The same with the labels that confident learning flags, at its default settings.

    Raises:
        ConfigError: If there is no cross-validation.
    """
    given, probs = cross_predictions(recipe, material, train)
    mean = probs.mean(axis=0)
    wrong, scores = confident_issues(given, mean), label_margins(given, mean)
    return _conclude("confident_learning", material, probs, wrong, scores)


def cross_predictions(recipe: Recipe, material: Material, train: Trainer) -> tuple[Labels, Probs]:
    """Given labels of the judged examples, and what the models think of them.

    Returns:
        Labels, int [J], and out-of-fold probabilities, float [M, J, K].

    Raises:
        ConfigError: If there is no cross-validation: networks that learned from a small hold-out
            would judge all others.
    """
    if recipe.folds < 2:
        raise ConfigError(
            f"noise_filter={recipe.noise_filter} judges every label by a network that never saw "
            "it. Give --set folds=5, or another noise_filter."
        )
    judged = judged_positions(material)
    models: list[Probs] = []
    for number in range(recipe.filter_rounds):
        seeded = replace(recipe, seed=_seed(recipe.seed, number))
        # The rules compare probabilities within a class. Smoothed targets draw all of them
        # together, and then far more labels seem wrong, by half on human labels and by more on
        # those of a shop; most of the further ones are right.
        settings = balanced(judging(seeded, label_smoothing=0.0), number)
        probs = ask_outsiders(f"cross-check {number + 1}", settings, material, train)
        models.append(probs[judged])
    return material.labels[judged], np.stack(models)


def _conclude(
    method: str, material: Material, probs: Probs, wrong: Wrong, scores: Scores
) -> FilterRecord:
    judged = judged_positions(material)
    labels = material.labels.copy()
    labels[judged] = corrected_labels(labels[judged], probs, wrong)
    reason = (
        f"The rule {method} flagged the label by the out-of-fold probabilities of {len(probs)} "
        f"models; changed where all of them agree on a rare class with {SURE:.0%}."
    )
    return conclude(method, material, labels, spread(scores, judged, len(labels)), reason)


def corrected_labels(given: Labels, probs: Probs, wrong: Wrong) -> Labels:
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
