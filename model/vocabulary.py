"""Product categories as numbers, learned from the training set.

L levels used, N examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNKNOWN_CATEGORY = 0
"""Id of a category that the training set did not hold, or that is missing."""


@dataclass(frozen=True)
class Vocabulary:
    """Names of the known categories per level; a name's id is its place plus one."""

    levels: tuple[tuple[str, ...], ...]
    """Sorted names of each level, broadest level first; L tuples."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Ids of each level, "unknown" included; L numbers, each >= 1."""
        return tuple(len(names) + 1 for names in self.levels)

    def encode(self, categories: Sequence[tuple[str, ...]]) -> NDArray[np.int64]:
        """Ids of each example's categories; int [N, L], UNKNOWN_CATEGORY for unseen names."""
        encoded = np.zeros((len(categories), len(self.levels)), dtype=np.int64)
        for level, names in enumerate(self.levels):
            ids = {name: number for number, name in enumerate(names, start=1)}
            encoded[:, level] = [
                ids.get(path[level], UNKNOWN_CATEGORY) if level < len(path) else UNKNOWN_CATEGORY
                for path in categories
            ]
        return encoded


def learn_vocabulary(categories: Sequence[tuple[str, ...]], levels: int) -> Vocabulary:
    """Collect the names of the first `levels` levels; an empty name is no category."""
    names = [
        tuple(sorted({path[level] for path in categories if level < len(path)} - {""}))
        for level in range(levels)
    ]
    return Vocabulary(tuple(names))
