"""Blending pairs of training examples: CutMix and MixUp.

B batch, S input side in pixels, K classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from model.config import CUTMIX, NONE, Recipe
from model.seeding import Purpose, derive_seed

PixelBox = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are outside."""


@dataclass(frozen=True, eq=False)
class Mixing:
    """Who is blended with whom, and how much of each is left."""

    partners: torch.Tensor
    """The other example of each pair, a permutation of the batch; int [B], on the CPU."""
    share: float
    """Part of an example that stays its own, lambda, 0..1; of its label always, of its pixels by
    area (CutMix) or by brightness (MixUp)."""
    box: PixelBox | None
    """CutMix: where the partner is pasted. None blends all pixels: MixUp."""


def draw_mixing(
    recipe: Recipe, *, epoch: int, step: int, size: int, image_side: int
) -> Mixing | None:
    """Decide whether and how a batch is blended; a pure function of its arguments.

    Args:
        recipe: Kind of blend, shape of the share's beta distribution, share of blended batches.
        epoch: Epoch, 0-based.
        step: Number of the batch; different for batches that must not share their draws.
        size: B.
        image_side: S.

    Returns:
        The blend, or None if this batch stays as it is.

    Source: Yun et al., "CutMix", ICCV 2019, section 3.1, arXiv:1905.04899; Zhang et al., "mixup",
        ICLR 2018, section 2, arXiv:1710.09412
    """
    if recipe.mixing == NONE:
        return None
    rng = np.random.Generator(
        np.random.PCG64(derive_seed(recipe.seed, Purpose.MIXING, epoch, step))
    )
    if rng.random() >= recipe.mixing_prob:
        return None
    share = float(rng.beta(recipe.mixing_alpha, recipe.mixing_alpha))
    partners = torch.from_numpy(rng.permutation(size))
    if recipe.mixing != CUTMIX:
        return Mixing(partners, share, box=None)
    center_x, center_y = rng.integers(image_side, size=2).tolist()
    box = cut_box(share, center_x, center_y, image_side)
    return Mixing(partners, share_outside(box, image_side), box)


def cut_box(share: float, center_x: int, center_y: int, side: int) -> PixelBox:
    """Square of the area that `share` leaves over, clipped at the picture's edges, as in timm."""
    cut = int(side * math.sqrt(1 - share))
    left, top = center_x - cut // 2, center_y - cut // 2
    return (max(0, left), max(0, top), min(side, left + cut), min(side, top + cut))


def share_outside(box: PixelBox, side: int) -> float:
    """Part of a picture's area that lies outside of the box: the share that is really left."""
    left, top, right, bottom = box
    return 1 - (right - left) * (bottom - top) / side**2


def mix_images(images: torch.Tensor, mixing: Mixing) -> torch.Tensor:
    """Blend each picture with its partner's.

    Args:
        images: Float [B, 3, S, S]; left unchanged.
        mixing: From `draw_mixing`.

    Returns:
        New images [B, 3, S, S] in the same memory format.
    """
    partners = mixing.partners.to(images.device, non_blocking=True)
    if mixing.box is None:
        return images * mixing.share + images[partners] * (1 - mixing.share)
    left, top, right, bottom = mixing.box
    mixed = images.clone()
    mixed[..., top:bottom, left:right] = images[..., top:bottom, left:right][partners]
    return mixed


def mix_targets(targets: torch.Tensor, mixing: Mixing) -> torch.Tensor:
    """Blend each row with its partner's: lambda * own + (1 - lambda) * partner's.

    Args:
        targets: Float [B, K]: class probabilities, or any other numbers of the examples.
        mixing: From `draw_mixing`.

    Returns:
        New rows, float [B, K].
    """
    partners = mixing.partners.to(targets.device, non_blocking=True)
    return targets * mixing.share + targets[partners] * (1 - mixing.share)


def mix_weighted(
    targets: torch.Tensor, weights: torch.Tensor, mixing: Mixing
) -> tuple[torch.Tensor, torch.Tensor]:
    """Blend class probabilities of examples that weigh differently.

    Cross-entropy with the result, times its weight, is what the pair's two labels cost apart:
    lambda * own weight * own loss + (1 - lambda) * partner's weight * partner's loss. So an example
    without a label (weight 0) only takes away from its partner's weight: the labelled half of the
    pair still aims at its whole label, and a pair without any label has no loss.

    Args:
        targets: Class probabilities, float [B, K]; rows sum to 1, or to 0 without a label.
        weights: Weight of each example in the loss, float [B], >= 0; 0 without a label.
        mixing: From `draw_mixing`.

    Returns:
        Class probabilities, float [B, K], rows sum to 1 or 0; and weights, float [B].
    """
    masses = mix_targets(targets * weights[:, None], mixing)
    mixed = mix_targets(weights[:, None], mixing)
    return torch.where(mixed > 0, masses / mixed, 0.0), mixed[:, 0]
