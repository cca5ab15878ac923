"""All that a recipe changes about the pixels of a training batch, in one order.

B batch, S input side in pixels.
"""

from __future__ import annotations

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
    visit = Visit(recipe.seed, epoch, indices)
    seen = images.permute(0, 3, 1, 2)
    before = seen
    if recipe.vertical_flip_prob > 0:
        seen = vertical_flip(seen, visit, recipe.vertical_flip_prob)
    if recipe.auto_augment != NONE:
        seen = auto_augment(seen, visit, recipe.auto_augment)
    if recipe.color_jitter > 0:
        seen = color_jitter(seen, visit, recipe.color_jitter)
    if recipe.blur_prob > 0:
        seen = gaussian_blur(seen, visit, recipe.blur_prob)
    if recipe.channel_dropout_prob > 0:
        seen = channel_dropout(seen, visit, recipe.channel_dropout_prob)
    if recipe.coarse_dropout_prob > 0:
        seen = coarse_dropout(seen, visit, recipe.coarse_dropout_prob)
    return images if seen is before else seen.permute(0, 2, 3, 1).contiguous()
