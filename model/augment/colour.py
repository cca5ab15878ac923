"""Random colours: brightness, contrast, saturation and hue.

The four adjustments are those of `torchvision.transforms.v2.functional`, which takes one factor for
a whole batch. These take a factor per image, so that a batch costs a device some dozens of kernels
instead of some thousands; the tests hold them to torchvision's results.

B batch, S input side in pixels.
"""

from __future__ import annotations

import numpy as np
import torch

from model.augment.visit import Visit
from model.seeding import Purpose

LUMA = (0.2989, 0.587, 0.114)
"""Share of R, G, B in the grey value. Source: ITU-R BT.601, as torchvision rounds it."""
HUE_SHARE = 0.25
"""Largest shift of the hue, in turns of the colour circle, as a share of the jitter's strength."""


def color_jitter(images: torch.Tensor, visit: Visit, strength: float) -> torch.Tensor:
    """Scale brightness, contrast and saturation and shift the hue, in an order of its own.

    Args:
        images: uint8 [B, 3, S, S]; left unchanged.
        visit: Whose images they are.
        strength: 0..1. Factors are even in 1 - strength..1 + strength, hue shifts in
            -strength / 4..strength / 4 turns.

    Returns:
        New images, uint8 [B, 3, S, S].

    Source: Howard, "Some improvements on deep convolutional neural network based image
        classification", 2013, arXiv:1312.5402; drawn as `ColorJitter` of torchvision.
    """
    draws = visit.draws(Purpose.COLOUR, 2 * len(ADJUSTMENTS))
    order = draws[:, len(ADJUSTMENTS) :].argsort(axis=1)
    amounts = strength * (2 * draws[:, : len(ADJUSTMENTS)] - 1)
    pixels = images.float() / 255
    for turn in order.T:
        for number, (adjust, start, scale) in enumerate(ADJUSTMENTS):
            chosen = np.flatnonzero(turn == number)
            if not chosen.size:
                continue
            rows = torch.from_numpy(chosen).to(images.device, non_blocking=True)
            amount = torch.from_numpy(start + scale * amounts[chosen, number]).to(
                pixels, non_blocking=True
            )
            pixels[rows] = adjust(pixels[rows], amount)
    return pixels.mul_(255).round_().to(torch.uint8)


def scale_brightness(images: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Mix each image with black.

    Args:
        images: Float [B, 3, S, S] in 0..1; left unchanged.
        factors: Float [B], >= 0; 0 is black, 1 changes nothing.

    Returns:
        New images, float [B, 3, S, S] in 0..1.
    """
    return _blend(images, torch.zeros_like(images), factors)


def scale_contrast(images: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Mix each image with the mean of its grey values; arguments as of `scale_brightness`."""
    # In float64, so that the order in which a device adds cannot be seen in the result.
    mean = _grey(images).double().mean(dim=(1, 2, 3), keepdim=True).to(images.dtype)
    return _blend(images, mean, factors)


def scale_saturation(images: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Mix each image with its grey version; arguments as of `scale_brightness`."""
    return _blend(images, _grey(images), factors)


def shift_hue(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Turn the colour circle of each image; value and saturation stay.

    Args:
        images: Float [B, 3, S, S] in 0..1; left unchanged.
        shifts: Float [B], turns; 1/3 makes red green.

    Returns:
        New images, float [B, 3, S, S] in 0..1.

    Source: Smith, "Color gamut transform pairs", SIGGRAPH 1978.
    """
    red, green, blue = images.unbind(dim=1)
    low, high = images.aminmax(dim=1)
    chroma = high - low
    spread = torch.where(chroma == 0, 1.0, chroma)
    hue = torch.where(
        high == red,
        (green - blue) / spread,
        torch.where(high == green, 2 + (blue - red) / spread, 4 + (red - green) / spread),
    )
    hue = hue + 6 * shifts[:, None, None]
    # Of each channel: how far, in sixths of a turn, the hue is from the colour without it.
    sixths = torch.tensor([5.0, 3.0, 1.0], device=images.device).view(1, 3, 1, 1)
    away = (hue[:, None] + sixths).remainder(6)
    missing = torch.minimum(away, 4 - away).clamp(0, 1)
    return (high[:, None] - chroma[:, None] * missing).clamp(0, 1)


ADJUSTMENTS = (
    (scale_brightness, 1.0, 1.0),
    (scale_contrast, 1.0, 1.0),
    (scale_saturation, 1.0, 1.0),
    (shift_hue, 0.0, HUE_SHARE),
)
"""What jitter does, the amount that changes nothing, and the amount added at full strength."""


def _grey(images: torch.Tensor) -> torch.Tensor:
    """Grey values, float [B, 1, S, S]."""
    red, green, blue = images.unbind(dim=1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]


def _blend(images: torch.Tensor, others: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """`shares` of the images and the rest of the others; shares above 1 exaggerate."""
    shares = shares[:, None, None, None]
    return (images * shares + others * (1 - shares)).clamp_(0, 1)
