"""A copy of a network that only predicts: norm layers folded into the convolutions before them.

In evaluation a batch norm multiplies and adds a constant per channel, which the convolution in
front of it can do as well. Which norms follow a convolution is seen by sending noise through the
backbone; whether the copy still says the same is checked with the same noise.
"""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.utils.hooks import RemovableHandle

from model.networks.classifier import Classifier

TOLERANCE = 0.01
"""Largest difference of a feature, as a share of the largest feature, that rounding explains, also
where a GPU multiplies in TF32. A norm that must not be folded changes far more."""


def for_inference(network: Classifier, size: int, dtype: torch.dtype) -> Classifier:
    """A copy that predicts the same to rounding, faster; the network itself stays as it is.

    Args:
        network: In training or evaluation mode; the copy is in evaluation mode.
        size: S, side of its input, pixels.
        dtype: In which autocast will compute convolutions and products. Their weights are cast to
            it here once, instead of in every batch.

    Returns:
        The copy, on the same device, in channels-last memory format, without gradients.
    """
    made = copy.deepcopy(network).requires_grad_(False).eval()
    if not _fold(made.backbone, size):
        made = copy.deepcopy(network).requires_grad_(False).eval()
    for layer in made.modules():
        # Relatives of these classes may compute with their weights before they use them.
        if type(layer) in (nn.Conv2d, nn.Linear):
            layer.to(dtype)
    return made.to(memory_format=torch.channels_last)  # pyright: ignore


@torch.inference_mode()
def _fold(backbone: nn.Module, size: int) -> bool:
    """Fold the norms of a backbone; returns whether it still says the same, else it is useless."""
    noise = torch.randn((1, 3, size, size), generator=torch.Generator().manual_seed(0))
    noise = noise.to(next(backbone.parameters()).device)
    trace = _traced(backbone, noise)
    for convolution_name, norm_name in trace.pairs:
        convolution: Any = backbone.get_submodule(convolution_name)
        norm: Any = backbone.get_submodule(norm_name)
        backbone.set_submodule(convolution_name, fuse_conv_bn_eval(convolution, norm))
        # timm's norm layers hold the activation that follows them.
        backbone.set_submodule(norm_name, getattr(norm, "act", nn.Identity().eval()))
    error = (backbone(noise) - trace.features).abs().max()
    return bool(error <= TOLERANCE * trace.features.abs().max())


@dataclass(frozen=True)
class _Trace:
    """What one pass through a backbone shows."""

    pairs: list[tuple[str, str]]
    """Names of a convolution and of the norm that takes what it gives; each works once a pass."""
    features: torch.Tensor
    """What the backbone says."""


def _traced(backbone: nn.Module, images: torch.Tensor) -> _Trace:
    """Send images through a backbone and watch its convolutions and norms."""
    given: list[tuple[torch.Tensor, str]] = []
    pairs: list[tuple[str, str]] = []
    calls: Counter[str] = Counter()

    def convolved(name: str, _: nn.Module, __: object, output: torch.Tensor) -> None:
        calls[name] += 1
        given.append((output, name))

    def norming(name: str, _: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        calls[name] += 1
        pairs.extend((source, name) for output, source in given if output is inputs[0])

    handles: list[RemovableHandle] = []
    for name, layer in backbone.named_modules():
        if isinstance(layer, nn.Conv2d):
            handles.append(layer.register_forward_hook(partial(convolved, name)))
        elif isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None:
            handles.append(layer.register_forward_pre_hook(partial(norming, name)))
    features = backbone(images)
    for handle in handles:
        handle.remove()
    once = [pair for pair in pairs if all(calls[name] == 1 for name in pair)]
    return _Trace(once, features)
