"""Pixels to features: a timm model without its classifier, and its published weights."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import torch
from torch import nn

from model.config import Recipe
from model.errors import ConfigError, WeightsError


def timm_backbone(recipe: Recipe, *, download: bool) -> nn.Module:
    """Any timm model, from images to pooled features.

    Args:
        recipe: Names the model, its input size and its stochastic depth.
        download: Fetch the published weights (or take them from timm's cache).

    Raises:
        ConfigError: If timm has no such model, or it cannot be built this way.
        WeightsError: If the weights cannot be had.
    """
    # Loading timm takes two seconds, which nobody who uses another network should wait for.
    import timm

    if not timm.is_model(recipe.backbone):
        base = recipe.backbone.partition(".")[0]
        close = get_close_matches(base, timm.list_models(), n=3)
        hint = f"Did you mean {' or '.join(close)}?" if close else "See timm.list_models()."
        raise ConfigError(f"backbone is {recipe.backbone!r}; timm has no such model. {hint}")
    published = timm.get_pretrained_cfg(recipe.backbone)
    if download and not (published and published.has_weights):
        # timm itself would only log a warning, and go on with random weights.
        raise WeightsError(
            f"timm publishes no weights for {recipe.backbone!r}. Choose another backbone or tag, "
            "or train from scratch with --set pretrained=false."
        )
    options: dict[str, Any] = {"num_classes": 0}
    if recipe.drop_path_rate:
        options["drop_path_rate"] = recipe.drop_path_rate
    if published and published.fixed_input_size:
        options["img_size"] = recipe.image_size
    try:
        return timm.create_model(recipe.backbone, pretrained=download, **options)
    except TypeError as error:
        message = f"backbone {recipe.backbone!r} cannot be built with {options}: {error}."
        raise ConfigError(message) from error
    # Whatever goes wrong on the way to the weights (network, cache, hub), the advice is the same.
    except Exception as error:
        if not download:
            raise
        raise WeightsError(
            f"The pretrained weights of {recipe.backbone!r} cannot be had: {_first_line(error)}. "
            "Go online once, or give a downloaded file with --weights FILE, "
            "or train from scratch with --set pretrained=false."
        ) from error


def num_features(backbone: nn.Module) -> int:
    """Length of the feature vector a timm model or NarrowNet returns."""
    # Some models have one more layer between the pooled features and their classifier.
    sizes = [getattr(backbone, name, None) for name in ("head_hidden_size", "num_features")]
    return next(size for size in sizes if isinstance(size, int) and size > 0)


def load_weights_file(backbone: nn.Module, path: Path) -> None:
    """Fill the backbone from a file of published weights; its classifier is left out.

    Args:
        backbone: Gets the weights.
        path: safetensors file, or torch file that holds tensors only.

    Raises:
        WeightsError: If the file cannot be read, or does not fit name by name and shape by shape.
    """
    offered = _read_tensors(path)
    wanted = backbone.state_dict()
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}
    missing = sorted(wanted.keys() - offered.keys() - counters)
    classifier = tuple(_classifier_names(backbone))
    extra = sorted(
        name
        for name in offered.keys() - wanted.keys()
        if not (classifier and name.startswith(classifier))
    )
    unequal = [
        f"{name} {list(offered[name].shape)} instead of {list(wanted[name].shape)}"
        for name in wanted.keys() & offered.keys()
        if offered[name].shape != wanted[name].shape
    ]
    for problem, names in (("lacks", missing), ("has unknown", extra), ("holds", sorted(unequal))):
        if names:
            raise WeightsError(
                f"Weights file {path} does not fit the backbone: it {problem} "
                f"{', '.join(names[:3])} ({len(names)} in all). "
                "Give the file of exactly this backbone, or change it with --set backbone=NAME."
            )
    backbone.load_state_dict({name: offered[name] for name in wanted if name in offered}, False)


def _read_tensors(path: Path) -> dict[str, torch.Tensor]:
    if not path.is_file():
        raise WeightsError(f"There is no weights file {path}. Give the path of an existing file.")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    # safetensors and torch each raise their own kinds for a broken, foreign or unsafe file.
    except Exception as error:
        raise WeightsError(
            f"Weights file {path} cannot be read: {_first_line(error)}. "
            "Expected safetensors, or a torch file that holds nothing but tensors."
        ) from error
    for wrapper in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    if not isinstance(content, dict):
        raise WeightsError(f"Weights file {path} holds a {type(content).__name__}, not a table.")
    return {
        name.removeprefix("module."): value
        for name, value in content.items()
        if isinstance(value, torch.Tensor)
    }


def _classifier_names(backbone: nn.Module) -> list[str]:
    """Prefixes of the classifier's weights in a published file; timm says them itself."""
    config: Mapping[str, Any] = getattr(backbone, "pretrained_cfg", {})
    names = config.get("classifier") or ()
    return [f"{name}." for name in ([names] if isinstance(names, str) else names)]


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".")
