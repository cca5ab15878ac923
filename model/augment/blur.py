"""Blurred pictures.

B batch, S input side in pixels.
"""

from __future__ import annotations

import math

import numpy as np
import torch

from model.augment.visit import Visit
from model.seeding import Purpose

SIGMAS = tuple(float(sigma) for sigma in np.linspace(0.5, 2.0, 16))
"""Standard deviations of the blur, pixels. So few that images of one sigma can go together."""
SIGMAS_KEPT = 3.0
"""Radius of the kernel, in standard deviations; all but 0.3 % of the weight lies inside."""


def gaussian_blur(images: torch.Tensor, visit: Visit, prob: float) -> torch.Tensor:
    """Blur a share of the images, each by one of `SIGMAS`; edges are mirrored.

    Args:
        images: uint8 [B, 3, S, S], S > 6; left unchanged.
        visit: Whose images they are.
        prob: Share of examples, 0..1.

    Returns:
        New images, uint8 [B, 3, S, S].

    Source: Chen et al., "A simple framework for contrastive learning", ICML 2020, appendix A;
        without the sigmas below 0.5, which change next to nothing. arXiv:2002.05709
    """
    chosen, strength = visit.draws(Purpose.BLUR, 2).T
    number = np.where(chosen < prob, (strength * len(SIGMAS)).astype(np.int64), -1)
    blurred = images.clone()
    for kept in np.unique(number[number >= 0]):
        rows = torch.from_numpy(np.flatnonzero(number == kept)).to(images.device, non_blocking=True)
        blurred[rows] = blur(images[rows], SIGMAS[kept])
    return blurred


def blur(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Convolve all images with one Gaussian.

    Args:
        images: uint8 [B, 3, S, S]; left unchanged.
        sigma: Standard deviation, pixels, > 0.

    Returns:
        New images, uint8 [B, 3, S, S].
    """
    # Imported where it is used: it costs a second, and most trainings do not blur.
    from torchvision.transforms.v2 import functional

    length = 2 * math.ceil(SIGMAS_KEPT * sigma) + 1
    # A Gaussian is separable: two passes of `length` weights instead of one of length squared.
    pixels = functional.gaussian_blur(images.float(), [length, 1], [sigma, sigma])
    pixels = functional.gaussian_blur(pixels, [1, length], [sigma, sigma])
    return pixels.round_().to(torch.uint8)
