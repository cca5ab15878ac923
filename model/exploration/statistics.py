"""Counts and distributions of a training set.

N pictures, K classes, C categories.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 24
"""Bars of a histogram."""


@dataclass(frozen=True, eq=False)
class Distribution:
    """How a positive quantity is spread."""

    least: float
    quartiles: tuple[float, float, float]
    """A quarter, half and three quarters of the values are at most so large."""
    mean: float
    most: float
    edges: NDArray[np.float64]
    """Borders of the bins, ascending, [BINS + 1]."""
    counts: NDArray[np.int64]
    """Values in each bin, [BINS]; the upper border of the last bin is inside."""


@dataclass(frozen=True, eq=False)
class CategoryTable:
    """How the labels of each category are spread over the classes."""

    paths: list[tuple[str, ...]]
    """Categories, the most frequent first, C."""
    counts: NDArray[np.int64]
    """Pictures of each class in each of them, int [C, K]."""
    others: NDArray[np.int64]
    """Pictures of each class in the categories that are not listed, int [K]."""
    distinct: int
    """Categories in all."""


def distribution(values: NDArray[np.int64]) -> Distribution | None:
    """Describe positive numbers; None if there are none.

    The bins are even, and on a logarithmic scale where the largest value exceeds the median more
    than tenfold.
    """
    values = values[values > 0]
    if not values.size:
        return None
    low, high = float(values.min()), float(values.max())
    quartiles = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
    edges = np.linspace(low, max(high, low + 1), BINS + 1)
    if high > 10 * quartiles[1]:
        edges = np.geomspace(low, high, BINS + 1)
        edges[-1] = high  # rounding must not push the largest value out
    counts, _ = np.histogram(values, edges)
    return Distribution(low, tuple(quartiles), float(values.mean()), high, edges, counts)


def category_table(
    categories: Sequence[tuple[str, ...]],
    labels: NDArray[np.int64],
    *,
    num_classes: int,
    level: int,
    most: int,
) -> CategoryTable:
    """Count classes by category.

    Args:
        categories: Product category of each picture, broadest level first, N.
        labels: Given class, int [N], 0..K-1.
        num_classes: K.
        level: Levels that tell categories apart, from 1; pictures without all of them do not count.
        most: Categories to list, the most frequent ones.
    """
    places: dict[tuple[str, ...], int] = {}
    place = np.array(
        [
            places.setdefault(path[:level], len(places)) if all(path[:level]) else -1
            for path in (path if len(path) >= level else ("",) for path in categories)
        ],
        dtype=np.int64,
    )
    counted = place >= 0
    cells = np.bincount(
        place[counted] * num_classes + labels[counted], minlength=len(places) * num_classes
    ).reshape(len(places), num_classes)
    order = np.argsort(-cells.sum(axis=1), kind="stable")
    paths = list(places)
    return CategoryTable(
        [paths[i] for i in order[:most].tolist()],
        cells[order[:most]],
        cells[order[most:]].sum(axis=0),
        len(paths),
    )
