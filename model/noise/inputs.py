"""What every filter rule is given: labels, and the class probabilities a model gives the examples.

N examples, K classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating]

TOLERANCE = 1e-6
"""By how much two probabilities must differ to count as different."""

_BLOCK_VALUES = 1 << 21
"""Probabilities that are worked on at a time: 16 MiB of float64."""


def check_inputs(labels: ArrayLike, pred_probs: ArrayLike) -> tuple[NDArray[np.int64], Floats]:
    """Labels and probabilities as arrays that fit each other.

    Args:
        labels: Given class of each example, [N], whole numbers 0..K-1.
        pred_probs: Out-of-fold class probabilities, [N, K], 0..1, K >= 2.

    Returns:
        Labels, int [N], and probabilities, float [N, K] in the precision they came in.

    Raises:
        ValueError: If shapes, classes or probabilities do not fit.
    """
    probs = np.asarray(pred_probs)
    if probs.ndim != 2 or probs.shape[1] < 2:
        raise ValueError(f"pred_probs must be [N, K] with K >= 2, not {list(probs.shape)}.")
    if not np.issubdtype(probs.dtype, np.floating):
        probs = probs.astype(np.float64)
    given = _check_labels(labels, *probs.shape)
    low, high = probs.min(), probs.max()
    # Written so that a NaN fails too.
    if not (low >= -TOLERANCE and high <= 1 + TOLERANCE):
        raise ValueError(f"pred_probs must lie in 0..1, these go from {low} to {high}.")
    return given, probs


def _check_labels(labels: ArrayLike, examples: int, classes: int) -> NDArray[np.int64]:
    given = np.asarray(labels)
    if given.shape != (examples,) or not examples:
        raise ValueError(
            f"labels must be [N] with one label for each of the {examples} rows of pred_probs, "
            f"and N >= 1; they are {list(given.shape)}."
        )
    whole = given.astype(np.int64)
    if not np.array_equal(whole, given) or whole.min() < 0 or whole.max() >= classes:
        raise ValueError(
            f"labels must be whole numbers 0..{classes - 1}, one column of pred_probs each. "
            "Leave out examples without a label."
        )
    return whole


def row_blocks(shape: tuple[int, ...]) -> list[slice]:
    """Slices of the rows of an [N, K] array, so that temporary copies stay small."""
    rows = max(1, _BLOCK_VALUES // max(1, shape[-1]))
    return [slice(start, start + rows) for start in range(0, shape[0], rows)]


def own_probs(labels: NDArray[np.int64], pred_probs: Floats) -> Floats:
    """Probability that each example gets for its given class, [N]."""
    return pred_probs[np.arange(len(labels)), labels]


def best_other_probs(labels: NDArray[np.int64], pred_probs: Floats) -> Floats:
    """Largest probability that each example gets for any other class, [N]."""
    best = np.empty(len(labels), pred_probs.dtype)
    for block in row_blocks(pred_probs.shape):
        others = pred_probs[block].copy()
        others[np.arange(len(others)), labels[block]] = -np.inf
        best[block] = others.max(axis=1)
    return best


def sort_by_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions in the order of the labels, equal ones in their own order."""
    # numpy sorts 16-bit numbers by counting, ten times as fast as wider ones.
    narrow = labels.astype(np.uint16) if labels.max(initial=0) < 1 << 16 else labels
    return np.argsort(narrow, kind="stable")


def class_members(labels: NDArray[np.int64], num_classes: int) -> list[NDArray[np.int64]]:
    """Positions of the examples of each given class, in order; K arrays."""
    order = sort_by_class(labels)
    ends = np.cumsum(np.bincount(labels, minlength=num_classes))
    return np.split(order, ends[:-1])
