"""How much of a class a filter may take, and which labels that are.

N examples, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Measured = NDArray[np.float32] | NDArray[np.float64]
"""Probabilities or training dynamics, in the precision in which they come."""


def expected_errors(labels: Labels, probs: Measured) -> Labels:
    """Wrong labels that each given class holds if the probabilities are calibrated, int [K]."""
    doubt = 1 - probs[np.arange(len(labels)), labels].astype(np.float64)
    return np.floor(np.bincount(labels, doubt, minlength=probs.shape[1])).astype(np.int64)


def within_budget(labels: Labels, flagged: Mask, scores: Floats, budget: Labels) -> Mask:
    """The flagged labels, in each given class no more than its budget, the lowest scores first.

    Args:
        labels: Given class, int [N], 0..K-1.
        flagged: Bool [N].
        scores: Float [N], low is suspicious.
        budget: Labels of each class that may be flagged, int [K].

    Returns:
        Bool [N].
    """
    # Among the flagged labels of a class, the first in the order of the scores have rank 0, 1, ...
    order = np.flatnonzero(flagged)
    order = order[np.lexsort((order, scores[order], labels[order]))]
    counts = np.bincount(labels[order], minlength=len(budget))
    starts = np.cumsum(counts) - counts
    ranks = np.arange(len(order)) - starts[labels[order]]
    allowed = np.zeros_like(flagged)
    allowed[order[ranks < budget[labels[order]]]] = True
    return allowed


@dataclass(frozen=True)
class Floor:
    """What a class keeps, whatever a filter thinks of it.

    A class that vanishes scores 0, and the geometric mean with it; no filter is so sure.
    """

    max_share: float = 0.6
    """Largest share of a class that may be dropped or relabelled, 0..1."""
    min_kept: int = 20
    """Labels that a class keeps; all of them if it has no more."""

    def changes(self, class_sizes: Labels) -> Labels:
        """Labels of each class that may change, int [K]."""
        by_share = np.floor(self.max_share * class_sizes).astype(np.int64)
        return np.minimum(by_share, np.maximum(0, class_sizes - self.min_kept))


DEFAULT_FLOOR = Floor()


def keep_floor(
    given: Labels, labels: Labels, scores: Floats, floor: Floor = DEFAULT_FLOOR
) -> Labels:
    """Give back the most trusted of the changed labels where a class would lose too many.

    Args:
        given: Given class, int [N], 0..K-1.
        labels: Label to learn, int [N]; DROPPED where there is none.
        scores: Float [N], low is suspicious.
        floor: What a class keeps.

    Returns:
        Label to learn, int [N].
    """
    allowed = floor.changes(np.bincount(given))
    return np.where(within_budget(given, labels != given, scores, allowed), labels, given)
