"""Mirrored pictures.

B batch, S input side in pixels.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from model.augment.visit import Visit
from model.seeding import Purpose


def flip_mask(seed: int, epoch: int, indices: NDArray[np.int64], prob: float) -> torch.Tensor:
    """Which examples are mirrored left to right in this epoch; bool [B]."""
    draws = Visit(seed, epoch, indices).draws(Purpose.FLIP, 1)[:, 0]
    return torch.from_numpy(draws < prob)


def flip(images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mirror the masked images left to right, in place: the others are not even touched.

    Args:
        images: Any dtype [B, 3, S, S]; changed.
        mask: Bool [B], on the CPU.

    Returns:
        `images`.
    """
    # Places instead of a mask, so that a GPU need not be asked how many there are.
    chosen = mask.nonzero()[:, 0].to(images.device, non_blocking=True)
    return images.index_copy_(0, chosen, images.index_select(0, chosen).flip(-1))


def vertical_flip(images: torch.Tensor, visit: Visit, prob: float) -> torch.Tensor:
    """Turn a share of the images upside down, each as in a mirror below it.

    Args:
        images: Any dtype [B, 3, S, S]; left unchanged.
        visit: Whose images they are.
        prob: Share of examples, 0..1.

    Returns:
        New images [B, 3, S, S] in the same memory format.
    """
    mask = torch.from_numpy(visit.draws(Purpose.VERTICAL, 1) < prob).to(
        images.device, non_blocking=True
    )
    return torch.where(mask[:, :, None, None], images.flip(-2), images)
