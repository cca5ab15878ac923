"""AutoAugment: pairs of operations, found by a search, of which every image draws one.

B batch, S input side in pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import torch

from model.augment.visit import Visit
from model.batch import GREY
from model.seeding import Purpose

Step = tuple[str, float, int]
"""Operation, share of the images that undergo it, level 0..9 (0 where there is but one)."""
Pair = tuple[Step, Step]
"""Two steps, one after the other: a sub-policy."""

LEVELS = 10
"""Strengths of an operation."""
RANGES = {
    "ShearX": (0.0, 0.3),
    "ShearY": (0.0, 0.3),
    "TranslateX": (0.0, 150 / 331),
    "TranslateY": (0.0, 150 / 331),
    "Rotate": (0.0, 30.0),
    "Brightness": (0.0, 0.9),
    "Color": (0.0, 0.9),
    "Contrast": (0.0, 0.9),
    "Sharpness": (0.0, 0.9),
    "Posterize": (8.0, 4.0),
    "Solarize": (1.0, 0.0),
}
"""Magnitude at the lowest and at the highest level: tangent, share of the side, degrees, distance
of the factor from 1, bits kept, share of white. Source: Cubuk et al., appendix, as torchvision
reads it."""
SIGNED = frozenset(RANGES) - {"Posterize", "Solarize"}
"""Operations that go either way, by the toss of a coin."""


def auto_augment(images: torch.Tensor, visit: Visit, policy: str) -> torch.Tensor:
    """Apply to each image one random pair of operations of a learned policy.

    Args:
        images: uint8 [B, 3, S, S]; left unchanged.
        visit: Whose images they are.
        policy: "imagenet" or "cifar10".

    Returns:
        New images, uint8 [B, 3, S, S]. Pixels that move in from outside are GREY.

    Raises:
        KeyError: If there is no such policy.

    Source: Cubuk et al., "AutoAugment: learning augmentation strategies from data", CVPR 2019.
        arXiv:1805.09501
    """
    pairs = POLICIES[policy]
    draws = visit.draws(Purpose.POLICY, 5)
    drawn = (draws[:, 0] * len(pairs)).astype(np.int64)
    images = images.clone()
    for position in range(2):
        chance, coin = draws[:, 1 + 2 * position], draws[:, 2 + 2 * position]
        steps = [pairs[number][position] for number in drawn]
        for step, rows in _groups(steps, chance, coin):
            operation, magnitude = step
            chosen = torch.from_numpy(rows).to(images.device, non_blocking=True)
            images[chosen] = operate(images[chosen], operation, magnitude)
    return images


def operate(images: torch.Tensor, operation: str, magnitude: float) -> torch.Tensor:
    """Apply one operation to all images.

    Args:
        images: uint8 [B, 3, S, S]; left unchanged.
        operation: Name, as in `OPERATIONS`.
        magnitude: From `magnitude_of`, perhaps with its sign turned.

    Returns:
        New images, uint8 [B, 3, S, S].
    """
    # Imported where it is used: it costs a second, and most trainings have no policy.
    from torchvision.transforms.v2 import functional

    return OPERATIONS[operation](functional, images, magnitude)


def magnitude_of(operation: str, level: int) -> float:
    """Strength of an operation at a level of 0..9, in the unit of `RANGES`; 0 if it has none."""
    if operation not in RANGES:
        return 0.0
    # In torch's float32, so that thresholds fall on the side where torchvision has them.
    magnitude = float(torch.linspace(*RANGES[operation], LEVELS)[level])
    return round(magnitude) if operation == "Posterize" else magnitude


def _groups(
    steps: list[Step], chance: np.ndarray, coin: np.ndarray
) -> Iterator[tuple[tuple[str, float], np.ndarray]]:
    """Operation and magnitude, and the images that undergo exactly that, int [rows]."""
    groups: dict[tuple[str, float], list[int]] = {}
    for row, (operation, prob, level) in enumerate(steps):
        if chance[row] < prob:
            magnitude = magnitude_of(operation, level)
            turned = operation in SIGNED and coin[row] < 0.5
            groups.setdefault((operation, -magnitude if turned else magnitude), []).append(row)
    for key, rows in groups.items():
        yield key, np.array(rows)


def _sheared(
    functional: ModuleType, images: torch.Tensor, tangents: tuple[float, float]
) -> torch.Tensor:
    degrees = [math.degrees(math.atan(tangent)) for tangent in tangents]
    return functional.affine(
        images, angle=0.0, translate=[0, 0], scale=1.0, shear=degrees, fill=GREY, center=[0, 0]
    )


def _moved(
    functional: ModuleType, images: torch.Tensor, shares: tuple[float, float]
) -> torch.Tensor:
    pixels = [int(share * images.shape[-1]) for share in shares]
    return functional.affine(
        images, angle=0.0, translate=pixels, scale=1.0, shear=[0.0, 0.0], fill=GREY
    )


OPERATIONS: dict[str, Callable[[ModuleType, torch.Tensor, float], torch.Tensor]] = {
    "ShearX": lambda tv, images, tangent: _sheared(tv, images, (tangent, 0.0)),
    "ShearY": lambda tv, images, tangent: _sheared(tv, images, (0.0, tangent)),
    "TranslateX": lambda tv, images, share: _moved(tv, images, (share, 0.0)),
    "TranslateY": lambda tv, images, share: _moved(tv, images, (0.0, share)),
    "Rotate": lambda tv, images, degrees: tv.rotate(images, degrees, fill=GREY),
    "Brightness": lambda tv, images, change: tv.adjust_brightness(images, 1 + change),
    "Color": lambda tv, images, change: tv.adjust_saturation(images, 1 + change),
    "Contrast": lambda tv, images, change: tv.adjust_contrast(images, 1 + change),
    "Sharpness": lambda tv, images, change: tv.adjust_sharpness(images, 1 + change),
    "Posterize": lambda tv, images, bits: tv.posterize(images, int(bits)),
    "Solarize": lambda tv, images, share: tv.solarize(images, 255 * share),
    "AutoContrast": lambda tv, images, _: tv.autocontrast(images),
    "Equalize": lambda tv, images, _: tv.equalize(images),
    "Invert": lambda tv, images, _: tv.invert(images),
}
"""By name: a function of torchvision's functional module, uint8 images and a magnitude."""

IMAGENET: tuple[Pair, ...] = (
    (("Posterize", 0.4, 8), ("Rotate", 0.6, 9)),
    (("Solarize", 0.6, 5), ("AutoContrast", 0.6, 0)),
    (("Equalize", 0.8, 0), ("Equalize", 0.6, 0)),
    (("Posterize", 0.6, 7), ("Posterize", 0.6, 6)),
    (("Equalize", 0.4, 0), ("Solarize", 0.2, 4)),
    (("Equalize", 0.4, 0), ("Rotate", 0.8, 8)),
    (("Solarize", 0.6, 3), ("Equalize", 0.6, 0)),
    (("Posterize", 0.8, 5), ("Equalize", 1.0, 0)),
    (("Rotate", 0.2, 3), ("Solarize", 0.6, 8)),
    (("Equalize", 0.6, 0), ("Posterize", 0.4, 6)),
    (("Rotate", 0.8, 8), ("Color", 0.4, 0)),
    (("Rotate", 0.4, 9), ("Equalize", 0.6, 0)),
    (("Equalize", 0.0, 0), ("Equalize", 0.8, 0)),
    (("Invert", 0.6, 0), ("Equalize", 1.0, 0)),
    (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
    (("Rotate", 0.8, 8), ("Color", 1.0, 2)),
    (("Color", 0.8, 8), ("Solarize", 0.8, 7)),
    (("Sharpness", 0.4, 7), ("Invert", 0.6, 0)),
    (("ShearX", 0.6, 5), ("Equalize", 1.0, 0)),
    (("Color", 0.4, 0), ("Equalize", 0.6, 0)),
    (("Equalize", 0.4, 0), ("Solarize", 0.2, 4)),
    (("Solarize", 0.6, 5), ("AutoContrast", 0.6, 0)),
    (("Invert", 0.6, 0), ("Equalize", 1.0, 0)),
    (("Color", 0.6, 4), ("Contrast", 1.0, 8)),
    (("Equalize", 0.8, 0), ("Equalize", 0.6, 0)),
)
"""Learned on ImageNet: mostly colours; the search found some pairs twice. Source: Cubuk et al.,
appendix."""

CIFAR10: tuple[Pair, ...] = (
    (("Invert", 0.1, 0), ("Contrast", 0.2, 6)),
    (("Rotate", 0.7, 2), ("TranslateX", 0.3, 9)),
    (("Sharpness", 0.8, 1), ("Sharpness", 0.9, 3)),
    (("ShearY", 0.5, 8), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.5, 0), ("Equalize", 0.9, 0)),
    (("ShearY", 0.2, 7), ("Posterize", 0.3, 7)),
    (("Color", 0.4, 3), ("Brightness", 0.6, 7)),
    (("Sharpness", 0.3, 9), ("Brightness", 0.7, 9)),
    (("Equalize", 0.6, 0), ("Equalize", 0.5, 0)),
    (("Contrast", 0.6, 7), ("Sharpness", 0.6, 5)),
    (("Color", 0.7, 7), ("TranslateX", 0.5, 8)),
    (("Equalize", 0.3, 0), ("AutoContrast", 0.4, 0)),
    (("TranslateY", 0.4, 3), ("Sharpness", 0.2, 6)),
    (("Brightness", 0.9, 6), ("Color", 0.2, 8)),
    (("Solarize", 0.5, 2), ("Invert", 0.0, 0)),
    (("Equalize", 0.2, 0), ("AutoContrast", 0.6, 0)),
    (("Equalize", 0.2, 0), ("Equalize", 0.6, 0)),
    (("Color", 0.9, 9), ("Equalize", 0.6, 0)),
    (("AutoContrast", 0.8, 0), ("Solarize", 0.2, 8)),
    (("Brightness", 0.1, 3), ("Color", 0.7, 0)),
    (("Solarize", 0.4, 5), ("AutoContrast", 0.9, 0)),
    (("TranslateY", 0.9, 9), ("TranslateY", 0.7, 9)),
    (("AutoContrast", 0.9, 0), ("Solarize", 0.8, 3)),
    (("Equalize", 0.8, 0), ("Invert", 0.1, 0)),
    (("TranslateY", 0.7, 9), ("AutoContrast", 0.9, 0)),
)
"""Learned on CIFAR-10: colours and moves. Source: Cubuk et al., appendix."""

POLICIES = {"imagenet": IMAGENET, "cifar10": CIFAR10}
"""By the value of `Recipe.auto_augment`."""
