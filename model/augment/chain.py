"""All that a recipe changes about the pixels of a training batch, in one order.

B batch, S input side in pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from model.augment.blur import gaussian_blur
from model.augment.colour import color_jitter
from model.augment.erasing import channel_dropout, coarse_dropout
from model.augment.mirror import vertical_flip
from model.augment.policy import auto_augment
from model.augment.visit import Visit
from model.config import NONE, Recipe

Augmentation = Callable[[torch.Tensor, Visit, Any], torch.Tensor]
"""uint8 [B, 3, S, S], whose images they are, and how much of it; to uint8 [B, 3, S, S]."""


def augment_batch(
    images: torch.Tensor, recipe: Recipe, *, epoch: int, indices: NDArray[np.int64]
) -> torch.Tensor:
    """Apply what the recipe asks for to bytes on the device, before they are normalised.

    In the order of a camera: the scene is turned (vertical flip) and edited (AutoAugment), its
    colours change (jitter), the lens blurs it, the sensor loses a channel, and in front of it all
    stand the rectangles. So a dropped channel stays black, and rectangles keep sharp edges. The
    mirror from left to right is not here: it is free on the normalised batch.

    Args:
        images: uint8 [B, S, S, 3]; left unchanged.
        recipe: Its probabilities, strengths and seed.
        epoch: Epoch, 0-based.
        indices: Position of each example in its source, int [B].

    Returns:
        uint8 [B, S, S, 3]; `images` itself if nothing is asked for.
    """
    chosen = [(augment, amount) for augment, amount in _steps(recipe) if amount not in (0, NONE)]
    if not chosen:
        return images
    visit = Visit(recipe.seed, epoch, indices)
    # Plane by plane: torchvision's colour operations take half the time on it.
    seen = images.permute(0, 3, 1, 2).contiguous()
    for augment, amount in chosen:
        seen = augment(seen, visit, amount)
    return seen.permute(0, 2, 3, 1).contiguous()


def _steps(recipe: Recipe) -> tuple[tuple[Augmentation, Any], ...]:
    """Each augmentation in its turn, with its probability, strength or policy."""
    return (
        (vertical_flip, recipe.vertical_flip_prob),
        (auto_augment, recipe.auto_augment),
        (color_jitter, recipe.color_jitter),
        (gaussian_blur, recipe.blur_prob),
        (channel_dropout, recipe.channel_dropout_prob),
        (coarse_dropout, recipe.coarse_dropout_prob),
    )
