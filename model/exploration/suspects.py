"""Labels that are worth a second look, and what speaks against them.

N pictures, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.exploration.predictions import Predictions
from model.exploration.survey import Gallery
from model.prior import learn_prior

MODEL, DUPLICATE, CATEGORY = "model", "duplicate", "category"
"""What speaks against a label: predictions of networks that had not seen the picture, a copy of it
with another label, or its product category."""

CATEGORY_LEVELS = 2
"""Levels of the category that count; the winners found the deeper ones of no use."""
SMOOTHING = 10.0
"""Examples' worth of its parent's shares that a category starts from."""
IMPLAUSIBLE = 0.01
"""Share of a class within a category below which its labels there are suspicious."""


@dataclass(frozen=True)
class Suspect:
    """One label to look at."""

    position: int
    """Of the picture in the gallery."""
    given: int
    suggested: int | None
    """Class that fits better; None where copies disagree evenly."""
    score: float
    """Trust in the given label, 0..1; low is suspicious. Comparable for equal reasons only."""
    reason: str
    """MODEL, DUPLICATE or CATEGORY."""


def predicted_suspects(gallery: Gallery, predictions: Predictions) -> list[Suspect]:
    """Labels that `find_label_issues` flags, the least plausible first.

    Args:
        gallery: The pictures; those without a prediction are not judged.
        predictions: Held-out probabilities.
    """
    from model.noise import find_label_issues, label_quality

    row_of = {name: row for row, name in enumerate(predictions.names)}
    judged = np.array([i for i, name in enumerate(gallery.names) if name in row_of], dtype=np.int64)
    if not judged.size:
        return []
    probs = predictions.pred_probs[[row_of[gallery.names[i]] for i in judged.tolist()]]
    labels = gallery.labels[judged]
    flagged = np.flatnonzero(find_label_issues(labels, probs))
    scores = label_quality(labels, probs)
    best = _best_other(labels, probs)
    return [
        Suspect(int(judged[i]), int(labels[i]), int(best[i]), float(scores[i]), MODEL)
        for i in flagged[np.argsort(scores[flagged], kind="stable")].tolist()
    ]


def duplicate_suspects(
    labels: NDArray[np.int64], repeated: Sequence[NDArray[np.int64]]
) -> list[Suspect]:
    """Labels that most copies of the picture contradict, the loneliest first.

    The score is the share of the given label among the copies. Where no label has the majority,
    every copy is a suspect and nothing is suggested.

    Args:
        labels: Given class, int [N].
        repeated: Positions of near-duplicates, one array per group.
    """
    found: list[Suspect] = []
    for members in repeated:
        classes, votes = np.unique(labels[members], return_counts=True)
        if len(classes) == 1:
            continue
        top = int(votes.argmax())
        winner = int(classes[top]) if 2 * votes[top] > len(members) else None
        share = dict(zip(classes.tolist(), (votes / len(members)).tolist(), strict=True))
        found += [
            Suspect(i, given, winner, share[given], DUPLICATE)
            for i, given in zip(members.tolist(), labels[members].tolist(), strict=True)
            if given != winner
        ]
    return sorted(found, key=lambda suspect: suspect.score)


def category_suspects(gallery: Gallery) -> list[Suspect]:
    """Labels that are next to unheard of in their product category, the rarest first.

    The score is p(class | category), counted without the label itself.
    """
    if not any(gallery.categories):
        return []
    prior = learn_prior(
        gallery.categories,
        gallery.labels,
        num_classes=len(gallery.class_names),
        levels=CATEGORY_LEVELS,
        smoothing=SMOOTHING,
    )
    probs = prior.leave_one_out(gallery.categories, gallery.labels).astype(np.float64)
    scores = probs[np.arange(len(probs)), gallery.labels]
    best = _best_other(gallery.labels, probs)
    rare = np.flatnonzero(scores < IMPLAUSIBLE)
    return [
        Suspect(i, int(gallery.labels[i]), int(best[i]), float(scores[i]), CATEGORY)
        for i in rare[np.argsort(scores[rare], kind="stable")].tolist()
    ]


def find_suspects(
    gallery: Gallery, repeated: Sequence[NDArray[np.int64]], predictions: Predictions | None
) -> list[Suspect]:
    """Every suspicious label once, with the strongest reason there is.

    Predictions are the strongest, then copies; the category speaks only where nobody predicted.

    Args:
        gallery: The pictures.
        repeated: Positions of near-duplicates, one array per group.
        predictions: Held-out probabilities, if there are any.
    """
    strongest = predicted_suspects(gallery, predictions) if predictions else []
    weakest = [] if predictions else category_suspects(gallery)
    once: dict[int, Suspect] = {}
    for suspect in [*strongest, *duplicate_suspects(gallery.labels, repeated), *weakest]:
        once.setdefault(suspect.position, suspect)
    return list(once.values())


def _best_other(labels: NDArray[np.int64], probs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Most probable class besides the given one, int [N]."""
    others = probs.copy()
    others[np.arange(len(labels)), labels] = -1.0
    return others.argmax(axis=1)
