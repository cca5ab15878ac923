"""At which input side a training works when."""

from __future__ import annotations

from model.config import Recipe

SIZE_STEP = 8
"""Growing sides are multiples of this many pixels, which strided networks divide well."""


def training_size(recipe: Recipe, epoch: int) -> int:
    """Side of the training input in one epoch, pixels.

    Args:
        recipe: `start_size` grows in even steps to `image_size`, reached half-way; the last
            `finetune_epochs` use `finetune_size`.
        epoch: Epoch, 0-based.

    Source: growing sides: Tan and Le, "EfficientNetV2", ICML 2021, section 4. arXiv:2104.00298;
        larger at the end: Touvron et al., NeurIPS 2019. arXiv:1906.06423
    """
    if epoch >= recipe.epochs - recipe.finetune_epochs:
        return inference_size(recipe)
    half = (recipe.epochs - recipe.finetune_epochs) // 2
    if not recipe.start_size or epoch >= half:
        return recipe.image_size
    grown = recipe.start_size + (recipe.image_size - recipe.start_size) * epoch / half
    return max(SIZE_STEP, round(grown / SIZE_STEP) * SIZE_STEP)


def inference_size(recipe: Recipe) -> int:
    """Side of the input of validation and inference, pixels."""
    if recipe.finetune_epochs and recipe.finetune_size:
        return recipe.finetune_size
    return recipe.image_size
