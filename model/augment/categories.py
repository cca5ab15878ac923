"""What training changes about an example's categories.

B batch, L category levels.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from model.augment.visit import Visit
from model.seeding import Purpose
from model.vocabulary import UNKNOWN_CATEGORY


def hide_categories(
    category_ids: torch.Tensor, seed: int, epoch: int, indices: NDArray[np.int64], prob: float
) -> torch.Tensor:
    """Show a share of the examples with an unknown category, on all levels at once.

    Args:
        category_ids: Int [B, L]; left unchanged.
        seed: Seed of the training.
        epoch: Epoch, 0-based.
        indices: Examples, int [B].
        prob: Share of examples, 0..1.

    Returns:
        New ids, int [B, L].
    """
    draws = Visit(seed, epoch, indices).draws(Purpose.CATEGORY, 1)
    hidden = torch.from_numpy(draws < prob).to(category_ids.device, non_blocking=True)
    return category_ids.masked_fill(hidden, UNKNOWN_CATEGORY)
