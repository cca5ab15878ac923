"""Who is augmented, and when: all that a random change of an example depends on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.seeding import Purpose, derive_seed, uniforms


@dataclass(frozen=True, eq=False)
class Visit:
    """The examples of a batch in one epoch; the same example draws the same in any batch."""

    seed: int
    """Seed of the training."""
    epoch: int
    """0-based."""
    indices: NDArray[np.int64]
    """Position of each example in its source, int [B]."""

    def draws(self, purpose: Purpose, count: int) -> NDArray[np.float64]:
        """Uniform numbers in [0, 1) for one purpose, float [B, count]."""
        return uniforms(derive_seed(self.seed, purpose, self.epoch), self.indices, count)
