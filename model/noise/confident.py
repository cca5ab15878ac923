"""Confident learning: how many labels are wrong, by pair of classes, and which.

N examples, K classes. Every step rounds and sorts the way cleanlab 2.9 does, so that both flag
exactly the same examples.

Source: Northcutt et al., "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 2021.
    arXiv:1911.00068
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.noise.inputs import (
    TOLERANCE,
    Floats,
    best_other_probs,
    check_inputs,
    class_members,
    own_probs,
    row_blocks,
)

Counts = NDArray[np.int64]

_PRUNING = ("prune_by_noise_rate", "prune_by_class", "both")
_COUNTING = ("confident_learning", "low_self_confidence", "low_normalized_margin")
FILTER_BY = (*_PRUNING, *_COUNTING, "predicted_neq_given")

_NEVER = 2
"""Threshold of a class without examples: no probability reaches it."""


def confident_learning(
    labels: ArrayLike,
    pred_probs: ArrayLike,
    *,
    filter_by: str = "prune_by_noise_rate",
    frac_noise: float = 1.0,
    min_examples_per_class: int = 1,
) -> NDArray[np.bool_]:
    """Flag labels that are probably wrong.

    Args:
        labels: Given class, int [N], 0..K-1.
        pred_probs: Out-of-fold class probabilities, float [N, K], 0..1.
        filter_by: How the counts become a choice.
            "prune_by_noise_rate": for each pair of classes as many as were counted, those with the
            largest margin of the other class first;
            "prune_by_class": for each class as many as were counted, least probable first;
            "both": what these two agree on;
            "confident_learning": exactly those that were counted;
            "predicted_neq_given": those for which another class is the most probable one;
            "low_self_confidence", "low_normalized_margin": as many as were counted, lowest
            score first, whatever their class.
        frac_noise: Share of the counted ones to flag, 0..1; only for the first three.
        min_examples_per_class: Examples of each class that stay; only for the first three.

    Returns:
        True where the label is probably wrong, bool [N].

    Raises:
        ValueError: If shapes, classes or probabilities do not fit, or an option does not apply.
    """
    given, probs = check_inputs(labels, pred_probs)
    _check_options(filter_by, frac_noise, min_examples_per_class)
    if filter_by in _PRUNING:
        keep = _keep_counts(calibrated_joint(given, probs), min_examples_per_class, frac_noise)
        large_enough = np.bincount(given) > max(1, min_examples_per_class)
        flagged = _prune(given, probs, keep, filter_by) & large_enough[given]
    elif filter_by == "predicted_neq_given":
        flagged = probs.argmax(axis=1) != given
    else:
        guesses = confident_guesses(given, probs)
        flagged = (guesses >= 0) & (guesses != given)
    flagged = _spare_agreeing(given, probs, flagged)
    if filter_by.startswith("low_"):
        scores = own_probs(given, probs)
        if filter_by == "low_normalized_margin":
            scores = (scores - best_other_probs(given, probs) + 1) / 2
        return _lowest(scores, int(flagged.sum()))
    return flagged


def _check_options(filter_by: str, frac_noise: float, min_examples_per_class: int) -> None:
    if filter_by not in FILTER_BY:
        raise ValueError(f"filter_by is one of {', '.join(FILTER_BY)}, not {filter_by!r}.")
    if not 0 <= frac_noise <= 1 or min_examples_per_class < 0:
        raise ValueError("frac_noise must lie in 0..1, min_examples_per_class must be >= 0.")
    if filter_by not in _PRUNING and (frac_noise != 1.0 or min_examples_per_class != 1):
        raise ValueError(
            f"frac_noise and min_examples_per_class do not apply to filter_by={filter_by!r}, "
            f"only to {', '.join(_PRUNING)}."
        )


def class_thresholds(labels: NDArray[np.int64], pred_probs: Floats) -> Floats:
    """Mean probability that the examples of a class get for it, float [K]; 2 without examples."""
    num_classes = pred_probs.shape[1]
    own = own_probs(labels, pred_probs)
    members = class_members(labels, num_classes)
    means = [own[inside].mean() if len(inside) else _NEVER for inside in members]
    return np.clip(means, 2 * TOLERANCE, None)


def confident_guesses(labels: NDArray[np.int64], pred_probs: Floats) -> NDArray[np.int64]:
    """Class each example confidently belongs to: one whose threshold it reaches.

    Args:
        labels: Given class, int [N].
        pred_probs: Class probabilities, float [N, K].

    Returns:
        Class, int [N]; the most probable one if it reaches several thresholds, -1 if none.
    """
    reached = class_thresholds(labels, pred_probs) - 1e-6
    guesses = np.empty(len(labels), np.int64)
    for block in row_blocks(pred_probs.shape):
        confident = pred_probs[block] >= reached
        count = confident.sum(axis=1)
        best = np.where(count > 1, pred_probs[block].argmax(axis=1), confident.argmax(axis=1))
        guesses[block] = np.where(count > 0, best, -1)
    return guesses


def calibrated_joint(labels: NDArray[np.int64], pred_probs: Floats) -> Counts:
    """How many examples of each given class belong to each class.

    Args:
        labels: Given class, int [N].
        pred_probs: Class probabilities, float [N, K].

    Returns:
        Counts, int [K, K]; rows are given classes and add up to their examples, columns are
        estimated classes.
    """
    num_classes = pred_probs.shape[1]
    guesses = confident_guesses(labels, pred_probs)
    sure = guesses >= 0
    pairs = labels[sure] * num_classes + guesses[sure]
    joint = np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)
    np.fill_diagonal(joint, joint.diagonal().clip(min=1))
    sizes = np.bincount(labels, minlength=num_classes)
    scaled = (joint.T / joint.sum(axis=1) * sizes).T
    scaled = scaled / scaled.sum() * len(labels)
    return np.stack([_round_keeping_sum(row) for row in scaled])


def _round_keeping_sum(values: NDArray[np.float64]) -> Counts:
    """Round to whole numbers that add up to the rounded sum, changing those that lose least."""
    whole = values.round()
    target = values.sum().round()
    while (missing := target - whole.sum()) != 0:
        step = 1 if missing > 0 else -1
        changes = min(int(abs(missing)), len(values))
        whole[np.argsort(values - whole)[::-step][:changes]] += step
    return whole.astype(np.int64)


def _keep_counts(joint: Counts, min_examples: int, frac_noise: float) -> Counts:
    """Joint counts, transposed, with at least min_examples on the diagonal of each given class.

    What the diagonal gains is taken evenly from the entries of its column; then all entries off
    the diagonal shrink by frac_noise.
    """
    counts = joint.T
    diagonal = np.maximum(counts.diagonal(), min_examples)
    sharers = np.maximum(np.count_nonzero(counts, axis=0) - 1.0, 1.0)
    raised = (counts - (diagonal - counts.diagonal()) / sharers).clip(min=0)
    np.fill_diagonal(raised, diagonal)
    reduced = raised * frac_noise
    np.fill_diagonal(reduced, diagonal)
    np.fill_diagonal(reduced, diagonal + np.sum(raised - reduced, axis=0))
    return reduced.astype(np.int64)


def _prune(
    labels: NDArray[np.int64], pred_probs: Floats, keep: Counts, filter_by: str
) -> NDArray[np.bool_]:
    flagged = np.zeros(len(labels), bool)
    for given, inside in enumerate(class_members(labels, len(keep))):
        probs = pred_probs[inside]
        chosen = np.ones(len(inside), bool)
        if filter_by != "prune_by_class":
            chosen &= _prune_pairs(probs, keep[:, given], given)
        if filter_by != "prune_by_noise_rate":
            chosen &= _lowest(probs[:, given], len(inside) - int(keep[given, given]))
        flagged[inside] = chosen
    return flagged


def _prune_pairs(probs: Floats, counts: Counts, given: int) -> NDArray[np.bool_]:
    chosen = np.zeros(len(probs), bool)
    for other in np.flatnonzero(counts):
        if other != given:
            chosen |= _lowest(-(probs[:, other] - probs[:, given]), int(counts[other]))
    return chosen


def _lowest(scores: Floats, count: int) -> NDArray[np.bool_]:
    """The `count` lowest scores; ties fall where numpy's default sort puts them."""
    chosen = np.zeros(len(scores), bool)
    if count > 0:
        chosen[np.argsort(scores)[:count]] = True
    return chosen


def _spare_agreeing(
    labels: NDArray[np.int64], pred_probs: Floats, flagged: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Take back flags where the given class is the most probable one, or all but."""
    where = np.flatnonzero(flagged)
    probs = pred_probs[where]
    probs[np.arange(len(where)), labels[where]] += TOLERANCE
    spared = flagged.copy()
    spared[where] = probs.argmax(axis=1) != labels[where]
    return spared
