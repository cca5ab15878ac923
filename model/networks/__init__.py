"""From a recipe to a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from model.config import EMBEDDING, NARROW, Recipe
from model.errors import ConfigError
from model.networks.classifier import CategoryHead, Classifier
from model.networks.image import load_weights_file, num_features, timm_backbone
from model.networks.narrow import NarrowNet


def build_network(
    recipe: Recipe,
    *,
    num_classes: int,
    category_sizes: Sequence[int],
    pretrained: bool,
    weights: Path | None = None,
) -> Classifier:
    """Network of a recipe, on the CPU, in channels-last memory format.

    Args:
        recipe: Names the backbone and the sizes.
        num_classes: K.
        category_sizes: Ids per category level, "unknown" included.
        pretrained: Start the backbone from published weights; False where others follow at once.
        weights: File to take these weights from, instead of the network.

    Raises:
        ConfigError: If the recipe asks for something that does not exist.
        WeightsError: If the weights cannot be had or do not fit.
    """
    download = pretrained and weights is None
    if recipe.backbone != NARROW:
        backbone = timm_backbone(recipe, download=download)
    elif download:
        raise ConfigError('backbone "narrow" has no published weights: --set pretrained=false.')
    else:
        backbone = NarrowNet(recipe.narrow_width)
    if weights is not None:
        load_weights_file(backbone, weights)
    head = CategoryHead(
        num_features(backbone),
        category_sizes,
        hidden_size=recipe.hidden_size,
        num_classes=num_classes,
        drop_rate=recipe.drop_rate,
        embedding_size=(
            recipe.category_embedding if recipe.category_encoding == EMBEDDING else None
        ),
    )
    return Classifier(backbone, head).to(memory_format=torch.channels_last)  # pyright: ignore
