"""Which part of a picture the network sees, and what training changes about an example.

S input size in pixels, B batch, L category levels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import Box
from model.seeding import Purpose, derive_seed, uniforms
from model.vocabulary import UNKNOWN_CATEGORY

CROP_ATTEMPTS = 10
"""Crops that are tried before the largest legal centred one is taken, as in torchvision."""


@dataclass(frozen=True)
class RandomCrop:
    """A random part of the picture, resized to the input: RandomResizedCrop.

    Source: Szegedy et al., "Going deeper with convolutions", CVPR 2015; drawn as in torchvision.
    """

    size: int
    """Side of the network input, pixels."""
    scale: float
    """Smallest share of the area that is kept, 0..1; the largest is 1."""
    ratio: float
    """Longest width:height; its inverse is the shortest."""
    key: int
    """Random key of the epoch."""

    def box(self, width: int, height: int, index: int) -> Box:
        """Box of example `index`; the same whenever, wherever and in whatever batch it is asked."""
        draws = uniforms(self.key, np.array([index], dtype=np.int64), 4 * CROP_ATTEMPTS)[0]
        for area, shape, left, top in draws.reshape(CROP_ATTEMPTS, 4):
            kept = width * height * (self.scale + area * (1 - self.scale))
            aspect = math.exp((2 * shape - 1) * math.log(self.ratio))
            box_width, box_height = math.sqrt(kept * aspect), math.sqrt(kept / aspect)
            if box_width <= width and box_height <= height:
                return _placed(
                    left * (width - box_width), top * (height - box_height), box_width, box_height
                )
        return self._largest(width, height)

    def _largest(self, width: int, height: int) -> Box:
        """Centred box of the nearest legal shape, for very long pictures."""
        box_width = min(width, height * self.ratio)
        box_height = min(height, width * self.ratio)
        return _placed((width - box_width) / 2, (height - box_height) / 2, box_width, box_height)


@dataclass(frozen=True)
class CenterCrop:
    """The middle square of the picture, resized to the input: what evaluation sees."""

    size: int
    """Side of the network input, pixels."""
    share: float
    """Side of the square as a share of the picture's short side, 0..1."""

    def box(self, width: int, height: int, index: int) -> Box:
        """Box of any example; `index` has no influence."""
        side = min(width, height) * self.share
        return _placed((width - side) / 2, (height - side) / 2, side, side)


def flip_mask(seed: int, epoch: int, indices: NDArray[np.int64], prob: float) -> torch.Tensor:
    """Which examples are mirrored in this epoch; bool [B]."""
    draws = uniforms(derive_seed(seed, Purpose.FLIP, epoch), indices, 1)[:, 0]
    return torch.from_numpy(draws < prob)


def flip(images: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mirror the masked images left to right.

    Args:
        images: Float [B, 3, S, S]; left unchanged.
        mask: Bool [B].

    Returns:
        New images [B, 3, S, S] in the same memory format.
    """
    return torch.where(mask[:, None, None, None], images.flip(-1), images)


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
    draws = uniforms(derive_seed(seed, Purpose.CATEGORY, epoch), indices, 1)
    hidden = torch.from_numpy(draws < prob).to(category_ids.device)
    return category_ids.masked_fill(hidden, UNKNOWN_CATEGORY)


def _placed(left: float, top: float, width: float, height: float) -> Box:
    return (left, top, left + width, top + height)
