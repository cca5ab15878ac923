"""Which examples train and which are held out.

N examples, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.errors import TrainingError
from model.seeding import Purpose, derive_seed


@dataclass(frozen=True)
class Split:
    """Positions of the examples on either side, ascending."""

    train: NDArray[np.int64]
    """Examples the network learns from."""
    valid: NDArray[np.int64]
    """Held-out examples that decide about the best epoch."""


def stratified_split(
    labels: NDArray[np.int64], class_names: tuple[str, ...], *, share: float, seed: int
) -> Split:
    """Hold out the same share of every class, but at least one example of each.

    Args:
        labels: Given class of each example, int [N]; examples without a label are on neither side.
        class_names: Names of the K classes.
        share: Held-out share, 0..1.
        seed: Decides who is held out.

    Raises:
        TrainingError: If a class has fewer than two examples.
    """
    rng = np.random.Generator(np.random.PCG64(derive_seed(seed, Purpose.SPLIT)))
    held_out = np.zeros(len(labels), dtype=bool)
    for number, name in enumerate(class_names):
        members = np.flatnonzero(labels == number)
        if len(members) < 2:
            raise TrainingError(
                f"Class {number} ({name}) has {len(members)} training images. It needs at least 2, "
                "one to learn from and one to validate with; add images of this class."
            )
        count = min(max(1, round(share * len(members))), len(members) - 1)
        held_out[rng.permutation(members)[:count]] = True
    known = labels != UNKNOWN_LABEL
    return Split(np.flatnonzero(~held_out & known), np.flatnonzero(held_out & known))
