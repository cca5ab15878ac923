"""Cross-validation folds that share out every class evenly and keep near-duplicates together.

N examples, G groups, F folds, K classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.errors import TrainingError
from model.seeding import Purpose, derive_seed

NO_FOLD = -1
"""Fold of an example without a label, which neither trains nor validates."""


def grouped_folds(
    labels: NDArray[np.int64], groups: NDArray[np.int64], *, folds: int, seed: int
) -> NDArray[np.int64]:
    """Deal the examples out to folds: groups whole, classes evenly.

    Groups of several examples go first, the largest first, each to the fold that has least of its
    classes, a rare class counting more. Single examples then level what is left. Where all are
    single, the folds' counts differ by at most one, of each class and of all.

    Args:
        labels: Given class of each example, int [N]; below 0 where there is none.
        groups: Examples of equal number stay together, int [N].
        folds: F, at least 2.
        seed: Decides who comes into which fold.

    Returns:
        Fold of each example, int [N], 0..F-1; NO_FOLD where there is no label.

    Raises:
        TrainingError: If a class has fewer groups than there are folds.
        ValueError: If the arguments do not fit together, or `folds` is below 2.
    """
    if folds < 2 or labels.shape != groups.shape:
        raise ValueError(
            f"{folds} folds of {len(labels)} labels in {len(groups)} groups; give at least 2 folds "
            "and a group for each label."
        )
    assigned = np.full(len(labels), NO_FOLD, dtype=np.int64)
    known = np.flatnonzero(labels >= 0)
    if not known.size:
        return assigned
    classes, given = np.unique(labels[known], return_inverse=True)
    _, group_of, size = np.unique(groups[known], return_inverse=True, return_counts=True)
    _check_enough_groups(classes, given, group_of, folds)
    # Examples and groups in random order first, so that what follows may break ties by position.
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, Purpose.FOLDS)))
    shuffled = rng.permutation(len(known))
    group_of, size = _renumbered(group_of, size, rng.permutation(len(size)))
    alone = size[group_of[shuffled]] == 1
    counts = np.zeros((len(classes), folds), dtype=np.int64)
    inner = np.empty(len(known), dtype=np.int64)
    _place_groups(inner, shuffled[~alone], given, group_of, counts)
    _place_singles(inner, shuffled[alone], given, counts)
    assigned[known] = inner
    return assigned


def _check_enough_groups(
    classes: NDArray[np.int64], given: NDArray[np.int64], group_of: NDArray[np.int64], folds: int
) -> None:
    pairs = np.unique(given * (int(group_of.max()) + 1) + group_of)
    of_class = np.bincount(pairs // (int(group_of.max()) + 1))
    rarest = int(of_class.argmin())
    if of_class[rarest] < folds:
        raise TrainingError(
            f"Class {classes[rarest]} has {np.count_nonzero(given == rarest)} training images in "
            f"{of_class[rarest]} groups of near-duplicates, which cannot be shared out to {folds} "
            f"folds. Give at most {max(1, of_class[rarest])} folds, or add images of this class."
        )


def _renumbered(
    group_of: NDArray[np.int64], size: NDArray[np.int64], numbers: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give group g the number numbers[g]; group of each example [N] and size of each group [G]."""
    sizes = np.empty_like(size)
    sizes[numbers] = size
    return numbers[group_of], sizes


def _place_groups(
    inner: NDArray[np.int64],
    members: NDArray[np.int64],
    given: NDArray[np.int64],
    group_of: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Fill `inner` for the members of large groups, one group after the other.

    A group goes where the sum over its classes of (examples here / examples in all)^2 grows least.

    Args:
        inner: Fold of each labelled example, int [N]; filled.
        members: Examples in large groups, in random order.
        given: Class of each labelled example, 0..K-1, int [N].
        group_of: Group of each labelled example, 0..G-1, int [N].
        counts: Examples of each class in each fold so far, int [K, F]; updated.
    """
    if not members.size:
        return
    weights = 1.0 / np.bincount(given, minlength=len(counts)).astype(np.float64) ** 2
    by_group = members[np.argsort(group_of[members], kind="stable")]
    edges = np.flatnonzero(np.diff(group_of[by_group])) + 1
    parts = np.split(by_group, edges)
    totals = counts.sum(axis=0)
    for part in sorted(parts, key=len, reverse=True):
        of_class, number = np.unique(given[part], return_counts=True)
        growth = (weights[of_class] * number) @ counts[of_class]
        # Among equals the fold that is smallest so far.
        least = np.flatnonzero(growth <= growth.min() * (1 + 1e-9))
        fold = int(least[totals[least].argmin()])
        inner[part] = fold
        counts[of_class, fold] += number
        totals[fold] += len(part)


def _place_singles(
    inner: NDArray[np.int64],
    members: NDArray[np.int64],
    given: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Fill `inner` for examples that are alone, so that each class becomes as even as it can.

    Args:
        inner: Fold of each labelled example, int [N]; filled.
        members: Examples that are alone, in random order.
        given: Class of each labelled example, 0..K-1, int [N].
        counts: Examples of each class in each fold so far, int [K, F]; updated.
    """
    by_class = members[np.argsort(given[members], kind="stable")]
    arriving = np.bincount(given[members], minlength=len(counts))
    for number in np.argsort(-arriving, kind="stable").tolist():
        start = int(arriving[:number].sum())
        part = by_class[start : start + arriving[number]]
        shares = _levelled(counts[number], len(part), counts.sum(axis=0))
        inner[part] = np.repeat(np.arange(len(shares)), shares)
        counts[number] += shares


def _levelled(
    level: NDArray[np.int64], amount: int, totals: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How to pour `amount` into vessels so that they stand as even as possible.

    Args:
        level: What stands in each vessel, int [F].
        amount: How much is poured.
        totals: Decides which vessels get the rest that does not go round: the least, int [F].

    Returns:
        Share of each vessel, int [F], >= 0; sums to `amount`.
    """
    low, high = int(level.min()), int(level.max()) + amount
    while low < high:  # the highest level to which the amount suffices
        middle = (low + high + 1) // 2
        if int(np.maximum(middle - level, 0).sum()) <= amount:
            low = middle
        else:
            high = middle - 1
    shares = np.maximum(low - level, 0)
    rest = amount - int(shares.sum())
    open_vessels = np.flatnonzero(level + shares == low)
    shares[open_vessels[np.argsort(totals[open_vessels] + shares[open_vessels])][:rest]] += 1
    return shares
