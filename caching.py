"""How a training comes to its pictures: from a picture cache, on the device that fits."""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch

import data_loader
import model
from reporting import say


def with_cache(
    images: data_loader.ReviewImages,
    recipe: model.Recipe,
    found: model.Trainee | model.Campaign | model.Ensemble | None,
    args: argparse.Namespace,
) -> tuple[data_loader.ReviewImages, model.Recipe]:
    """Pictures that are read from the cache, and a recipe that says from which.

    What "auto" comes to is written into the recipe and so into the checkpoint: who goes on with a
    training sees the same pixels, whatever has become of the disk.

    Args:
        images: Pictures read from their files.
        recipe: What the command line asks for.
        found: What a checkpoint brought; its own recipe holds.
        args: The command line.

    Raises:
        DataError: If a cache is asked for by name, and cannot be made here.
    """
    if isinstance(found, model.Ensemble):
        return images, recipe
    own = recipe
    if found is not None:
        own = found.recipe if isinstance(found, model.Campaign) else found.blueprint.recipe
    wish = data_loader.CacheWish(
        own.cache,
        data_loader.cache_root(),
        args.cache_space,
        repeated=own.epochs > 1 or model.needs_campaign(own),
        must_fit=found is None and not model.is_child(),
    )
    # One rank speaks for all.
    speak = (lambda _line: None) if model.is_child() else say
    images = images.with_cache(wish, speak)
    if torch.cuda.is_available():
        # Without a number: each rank sets its own GPU before it reads the first batch.
        images = images.read_on_device(torch.device("cuda"), own.decoder, speak)
    if recipe.cache == data_loader.AUTO:
        recipe = replace(recipe, cache=images.cache_kind)
    return images, recipe
