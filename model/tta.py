"""Test-time augmentation: what the network sees of each picture, once or several times.

B batch, S input side in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from model.batch import Framing
from model.config import NONE
from model.preprocess import Preprocess

FLIP, MULTI_CROP = "flip", "multi_crop"
"""Values of `Recipe.tta`, besides "none"."""

SPARE = 8 / 7
"""Side at which a picture is decoded for several crops, as a multiple of S. Source: 256 for crops
of 224 in Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
networks", NeurIPS 2012, section 4.1, which also has the ten views."""


@dataclass(frozen=True)
class View:
    """One way to look at a decoded batch."""

    preprocess: Preprocess
    top: int = 0
    """First row that is seen."""
    left: int = 0
    """First column that is seen."""
    mirrored: bool = False
    """Seen in a mirror, left for right."""

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Network input of this view.

        Args:
            images: uint8 [B, S', S', 3] with S' >= S; left unchanged.

        Returns:
            float32 [B, 3, S, S] in channels-last memory format.
        """
        size = self.preprocess.size
        seen = images[:, self.top : self.top + size, self.left : self.left + size]
        return self.preprocess.to_input(seen.flip(2) if self.mirrored else seen, images.device)


def prediction_views(preprocess: Preprocess, kind: str) -> tuple[Framing, tuple[View, ...]]:
    """What to decode of every picture, and the views whose probabilities are to be averaged.

    Args:
        preprocess: How a picture becomes network input.
        kind: "none": one view. "flip": also its mirror image. "multi_crop": the four corners and
            the centre of a picture decoded 8/7 times as large, each also mirrored; a centred crop
            then takes the whole short side, because the views are crops already.

    Raises:
        KeyError: If it is none of these.
    """
    places, both_ways = _places(preprocess.size)[kind], kind != NONE
    views = tuple(
        View(preprocess, top, left, mirrored)
        for top, left in places
        for mirrored in ((False, True) if both_ways else (False,))
    )
    if kind == MULTI_CROP:
        preprocess = replace(preprocess, size=_spare_size(preprocess.size), crop=1.0)
    return preprocess.framing, views


def cost(kind: str) -> int:
    """Forward passes per picture: 1, 2 or 10."""
    places = len(_places(1)[kind])
    return places if kind == NONE else 2 * places


def _places(size: int) -> dict[str, tuple[tuple[int, int], ...]]:
    """Top and left of the crops of each kind, pixels."""
    whole, end = (0, 0), _spare_size(size) - size
    corners = ((0, 0), (0, end), (end, 0), (end, end))
    return {NONE: (whole,), FLIP: (whole,), MULTI_CROP: (*corners, (end // 2, end // 2))}


def _spare_size(size: int) -> int:
    return round(size * SPARE)
