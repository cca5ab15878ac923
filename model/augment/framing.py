"""Which part of a picture the network sees, in training and at inference."""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.batch import Box, Framing
from model.config import CENTER_CROP, PAD, RESIZE, Recipe
from model.seeding import uniforms_of_one

CROP_ATTEMPTS = 10
"""Crops that are tried before the largest legal centred one is taken, as in torchvision."""


@dataclass(frozen=True)
class RandomCrop:
    """A random part of the picture, resized to the input: RandomResizedCrop.

    Source: Szegedy et al., "Going deeper with convolutions", CVPR 2015; drawn as in torchvision.
    """

    size: int
    """Side of the network input, pixels."""
    scale: float
    """Smallest share of the area that is kept, 0..1; the largest is 1."""
    ratio: float
    """Longest width:height; its inverse is the shortest."""
    key: int
    """Random key of the epoch."""
    pads = False

    def box(self, width: int, height: int, index: int) -> Box:
        """Box of example `index`; the same whenever, wherever and in whatever batch it is asked."""
        draws = uniforms_of_one(self.key, index)
        for _ in range(CROP_ATTEMPTS):
            area, shape, left, top = next(draws), next(draws), next(draws), next(draws)
            kept = width * height * (self.scale + area * (1 - self.scale))
            aspect = math.exp((2 * shape - 1) * math.log(self.ratio))
            box_width, box_height = math.sqrt(kept * aspect), math.sqrt(kept / aspect)
            if box_width <= width and box_height <= height:
                return _placed(
                    left * (width - box_width), top * (height - box_height), box_width, box_height
                )
        return self._largest(width, height)

    def _largest(self, width: int, height: int) -> Box:
        """Centred box of the nearest legal shape, for very long pictures."""
        box_width = min(width, height * self.ratio)
        box_height = min(height, width * self.ratio)
        return _placed((width - box_width) / 2, (height - box_height) / 2, box_width, box_height)


@dataclass(frozen=True)
class CenterCrop:
    """The middle square of the picture, resized to the input."""

    size: int
    """Side of the network input, pixels."""
    share: float
    """Side of the square as a share of the picture's short side, 0..1."""
    pads = False

    def box(self, width: int, height: int, index: int) -> Box:
        """Box of any example; `index` has no influence."""
        side = min(width, height) * self.share
        return _placed((width - side) / 2, (height - side) / 2, side, side)


@dataclass(frozen=True)
class Resize:
    """The whole picture, squeezed to the input: nothing is lost but its proportions."""

    size: int
    """Side of the network input, pixels."""
    pads = False

    def box(self, width: int, height: int, index: int) -> Box:
        """Box of any example; `index` has no influence."""
        return _placed(0.0, 0.0, width, height)


@dataclass(frozen=True)
class Pad:
    """The whole picture in the middle of a grey square, resized to the input: nothing is lost."""

    size: int
    """Side of the network input, pixels."""
    pads = True

    def box(self, width: int, height: int, index: int) -> Box:
        """Box of any example, reaching over the edges of the short side; `index` is not used."""
        side = max(width, height)
        return _placed((width - side) / 2, (height - side) / 2, side, side)


def framing_of(recipe: Recipe, size: int, key: int) -> Framing:
    """What training shows of every picture in one epoch.

    Args:
        recipe: Its `framing`, and the limits of its crops.
        size: Side of the network input in this epoch, pixels.
        key: Random key of the epoch; only random crops use it.
    """
    if recipe.framing in (CENTER_CROP, RESIZE, PAD):
        return fixed_framing(recipe.framing, size, recipe.eval_crop)
    return RandomCrop(size, recipe.crop_scale, recipe.crop_ratio, key)


def fixed_framing(name: str, size: int, crop: float) -> Framing:
    """The framing of a name that needs no random numbers.

    Args:
        name: "center_crop", "resize" or "pad".
        size: Side of the network input, pixels.
        crop: Side of a centred crop as a share of the short side, 0..1; the others ignore it.

    Raises:
        KeyError: If it is none of these names.
    """
    framings = {CENTER_CROP: CenterCrop(size, crop), RESIZE: Resize(size), PAD: Pad(size)}
    return framings[name]


def _placed(left: float, top: float, width: float, height: float) -> Box:
    return (left, top, left + width, top + height)
