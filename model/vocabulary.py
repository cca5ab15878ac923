"""Product categories as numbers, learned from the training set.

L levels used, N examples.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN_CATEGORY = 0
"""Id of a category that the training set did not hold (often enough), or that is missing."""
SEPARATOR = "\x1f"
"""Between the names of a path, where a name alone is ambiguous: ASCII's own mark for this."""


@dataclass(frozen=True)
class Vocabulary:
    """Names of the known categories per level; a name's id is its place plus one.

    Most names mean one thing wherever they stand, so they are known by themselves, also under a
    parent that is new or missing. A name that training met under several parents ("etc." under
    food and under toys) is a different category under each, and known by its whole path only.
    """

    levels: tuple[tuple[str, ...], ...]
    """Sorted names, or paths of ambiguous names, of each level, broadest level first; L tuples."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Ids of each level, "unknown" included; L numbers, each >= 1."""
        return tuple(len(names) + 1 for names in self.levels)

    def encode(self, categories: Sequence[tuple[str, ...]]) -> NDArray[np.int64]:
        """Ids of each example's categories; int [N, L], UNKNOWN_CATEGORY for unseen names."""
        tables = [{name: id_ for id_, name in enumerate(names, 1)} for names in self.levels]
        place, paths = distinct_paths(categories)
        rows = np.full((len(paths), len(tables)), UNKNOWN_CATEGORY, dtype=np.int64)
        for row, path in zip(rows, paths, strict=True):
            for level, table in enumerate(tables[: len(path)]):
                whole = SEPARATOR.join(path[: level + 1])
                row[level] = table.get(whole, table.get(path[level], UNKNOWN_CATEGORY))
        return rows[place]


def distinct_paths(
    categories: Sequence[tuple[str, ...]],
) -> tuple[NDArray[np.int64], list[tuple[str, ...]]]:
    """Which of the different categories each example has, int [N]; and these, in order.

    Many examples share few categories, so what is computed per category costs next to nothing.
    """
    places: dict[tuple[str, ...], int] = {}
    place = [places.setdefault(path, len(places)) for path in categories]
    return np.array(place, dtype=np.int64), list(places)


def learn_vocabulary(
    categories: Sequence[tuple[str, ...]], levels: int, *, min_count: int = 1
) -> Vocabulary:
    """Collect the categories of the first `levels` levels; an empty name is no category.

    Args:
        categories: Product category of each example, broadest level first, N.
        levels: L.
        min_count: Examples below which a category is left out, so that it counts as unknown and
            its parent speaks for it, >= 1.
    """
    paths = Counter(categories)
    return Vocabulary(tuple(_names(paths, level, min_count) for level in range(levels)))


def _names(paths: Counter[tuple[str, ...]], level: int, min_count: int) -> tuple[str, ...]:
    """Frequent names of one level, ambiguous ones with their parents."""
    parents: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    for path in paths:
        # A parent that is missing is no other parent.
        if level < len(path) and all(path[: level + 1]):
            parents[path[level]].add(path[:level])
    counts: Counter[str] = Counter()
    for path, count in paths.items():
        if level < len(path) and path[level]:
            ambiguous = len(parents[path[level]]) > 1
            counts[SEPARATOR.join(path[: level + 1]) if ambiguous else path[level]] += count
    return tuple(sorted(name for name, count in counts.items() if count >= min_count))
