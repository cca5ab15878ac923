"""Missing pixels: a colour channel, or rectangles.

B batch, S input side in pixels.
"""

from __future__ import annotations

import numpy as np
import torch

from model.augment.visit import Visit
from model.batch import GREY
from model.seeding import Purpose

MOST_RECTANGLES = 8
"""Most rectangles of an image; there is at least one."""
RECTANGLE_SIDES = (1 / 16, 1 / 4)
"""Shortest and longest side of a rectangle as a share of the input's side."""


def channel_dropout(images: torch.Tensor, visit: Visit, prob: float) -> torch.Tensor:
    """Blacken one colour channel of a share of the images.

    Args:
        images: uint8 [B, 3, S, S]; left unchanged.
        visit: Whose images they are.
        prob: Share of examples, 0..1.

    Returns:
        New images, uint8 [B, 3, S, S].

    Source: `ChannelDropout` of Buslaev et al., "Albumentations: fast and flexible image
        augmentations", Information 2020. arXiv:1809.06839
    """
    draws = visit.draws(Purpose.CHANNELS, 2)
    dropped = np.where(draws[:, :1] < prob, (draws[:, 1:] * 3).astype(np.int64), -1)
    mask = torch.from_numpy(dropped == np.arange(3)).to(images.device, non_blocking=True)
    return images.masked_fill(mask[:, :, None, None], 0)


def coarse_dropout(images: torch.Tensor, visit: Visit, prob: float) -> torch.Tensor:
    """Cover a share of the images with grey rectangles, which may overlap.

    Args:
        images: uint8 [B, 3, S, S]; left unchanged.
        visit: Whose images they are.
        prob: Share of examples, 0..1.

    Returns:
        New images, uint8 [B, 3, S, S].

    Source: DeVries and Taylor, "Improved regularization of convolutional neural networks with
        cutout", 2017, arXiv:1708.04552; several rectangles as in Albumentations, arXiv:1809.06839.
    """
    draws = visit.draws(Purpose.RECTANGLES, 2 + 4 * MOST_RECTANGLES)
    number = np.where(draws[:, 0] < prob, 1 + (draws[:, 1] * MOST_RECTANGLES).astype(np.int64), 0)
    shapes = draws[:, 2:].reshape(-1, MOST_RECTANGLES, 2, 2)
    edges = torch.from_numpy(_rectangles(shapes, images.shape[-1])).to(
        images.device, non_blocking=True
    )
    exists = torch.from_numpy(np.arange(MOST_RECTANGLES) < number[:, None]).to(
        images.device, non_blocking=True
    )
    pixel = torch.arange(images.shape[-1], device=images.device)
    begin, end = edges.unbind(dim=-1)
    inside = (begin[..., None] <= pixel) & (pixel < end[..., None])
    rows, columns = (inside & exists[:, :, None, None]).float().unbind(dim=2)
    # A pixel is covered if any rectangle has both its row and its column.
    covered = torch.einsum("bkr,bkc->brc", rows, columns)[:, None] > 0
    return images.masked_fill(covered, GREY)


def _rectangles(draws: np.ndarray, side: int) -> np.ndarray:
    """Where rectangles lie, all inside the image.

    Args:
        draws: Uniform numbers, float [B, R, 2, 2]: per rectangle and axis, length and place.
        side: S.

    Returns:
        First pixel, and first pixel after it, int [B, R, 2, 2].
    """
    shortest, longest = (max(1, round(share * side)) for share in RECTANGLE_SIDES)
    length = shortest + (draws[..., 0] * (longest - shortest + 1)).astype(np.int64)
    begin = (draws[..., 1] * (side - length + 1)).astype(np.int64)
    return np.stack([begin, begin + length], axis=-1)
