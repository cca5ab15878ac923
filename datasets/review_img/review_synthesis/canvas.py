"""The picture while it is being drawn: shapes with a surface, soft rims and shadows."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from review_synthesis.geometry import Outline
from review_synthesis.palette import Color
from review_synthesis.texture import Material, patch

SMALL = 7
"""Shapes below this many pixels are filled with one colour."""


class Canvas:
    """A stage of pixels and the randomness of one picture.

    Attributes:
        rng: Source of every random choice of the drawing.
        image: RGB pixels so far.
        reach: Half width and half height of the stage, in stage units; the shorter is 1.
    """

    def __init__(self, size: tuple[int, int], rng: np.random.Generator) -> None:
        self.rng = rng
        self.image = Image.new("RGB", size, (128, 128, 128))
        self.unit = min(size) / 2
        self.reach = (size[0] / 2 / self.unit, size[1] / 2 / self.unit)

    def backdrop(self, material: Material) -> None:
        """Cover the whole stage with one surface."""
        self.image.paste(patch(self.rng, material, self.image.size, self.unit))

    def fill(self, outline: Outline, material: Material) -> None:
        """Paint a shape, with a rim that darkens as the material says."""
        points, frame = self._locate(outline)
        if frame is None:
            return
        left, top, right, bottom = frame
        size = (right - left, bottom - top)
        if max(size) < SMALL:
            self.flat(outline, material.color)
            return
        mask = _mask(points - (left, top), size)
        surface = patch(self.rng, material, size, self.unit)
        if material.volume > 0:
            surface = _round_off(surface, mask, material.volume)
        self.image.paste(surface, (left, top), mask)

    def flat(self, outline: Outline, color: Color) -> None:
        """Paint a shape in one colour."""
        points = self._pixels(outline)
        ink = tuple(int(channel) for channel in color)
        ImageDraw.Draw(self.image).polygon(points.ravel().tolist(), fill=ink)

    def stroke(self, points: Outline, color: Color, width: float) -> None:
        """Draw an open line; `width` in stage units."""
        ink = tuple(int(channel) for channel in color)
        pixels = [tuple(point) for point in self._pixels(points).tolist()]
        thickness = max(1, round(width * self.unit))
        ImageDraw.Draw(self.image).line(pixels, fill=ink, width=thickness, joint="curve")

    def shadow(self, outline: Outline, strength: float = 0.4, softness: float = 0.06) -> None:
        """Darken the stage under a shape; `softness` in stage units."""
        self._tint(outline, (0, 0, 0), strength, softness)

    def glow(self, outline: Outline, strength: float = 0.4, softness: float = 0.03) -> None:
        """Brighten the stage inside a shape, as a reflection does."""
        self._tint(outline, (255, 255, 252), strength, softness)

    def glaze(self, outline: Outline, color: Color, strength: float, softness: float) -> None:
        """Lay a see-through colour over a shape."""
        self._tint(outline, color, strength, softness)

    def _tint(self, outline: Outline, color: Color, strength: float, softness: float) -> None:
        margin = softness * self.unit * 2
        points, frame = self._locate(outline, margin)
        if frame is None:
            return
        left, top, right, bottom = frame
        # A soft edge has no detail, so draw and blur it on a coarse grid.
        shrink = max(1, int(margin / 6))
        size = (max(2, (right - left) // shrink), max(2, (bottom - top) // shrink))
        mask = _mask((points - (left, top)) / shrink, size, round(255 * strength))
        mask = mask.filter(ImageFilter.GaussianBlur(max(0.5, margin / 2 / shrink)))
        mask = mask.resize((right - left, bottom - top), Image.Resampling.BILINEAR)
        ink = tuple(int(channel) for channel in color)
        self.image.paste(Image.new("RGB", mask.size, ink), (left, top), mask)

    def _pixels(self, outline: Outline) -> Outline:
        return np.asarray(outline) * self.unit + np.array(self.image.size) / 2

    def _locate(
        self, outline: Outline, margin: float = 0.0
    ) -> tuple[Outline, tuple[int, int, int, int] | None]:
        """Pixel points, and the part of the picture they touch (None: outside)."""
        points = self._pixels(outline)
        low = np.floor(points.min(axis=0) - margin).astype(int)
        high = np.ceil(points.max(axis=0) + margin).astype(int) + 1
        left, top = (int(n) for n in np.maximum(low, 0))
        right, bottom = (int(n) for n in np.minimum(high, self.image.size))
        if right - left < 1 or bottom - top < 1:
            return points, None
        return points, (left, top, right, bottom)


def _mask(points: Outline, size: tuple[int, int], value: int = 255) -> Image.Image:
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).polygon(points.ravel().tolist(), fill=value)
    return mask


def _round_off(surface: Image.Image, mask: Image.Image, volume: float) -> Image.Image:
    """Darken the rim of a shape, more at the lower right, as light from a window would."""
    factor = max(1, min(mask.size) // 16)
    small = mask.reduce(factor) if factor > 1 else mask
    pad = max(1, round(min(small.size) * 0.12))
    wide = Image.new("L", (small.size[0] + 2 * pad, small.size[1] + 2 * pad), 0)
    wide.paste(small, (pad, pad))
    soft = wide.filter(ImageFilter.GaussianBlur(max(1.0, min(small.size) * 0.2)))
    corner = pad + pad // 2
    soft = soft.crop((corner, corner, corner + small.size[0], corner + small.size[1]))
    ramp = [int(255 * (1 - volume * (1 - level / 255))) for level in range(256)]
    light = soft.point(ramp).resize(surface.size, Image.Resampling.BILINEAR)
    return ImageChops.multiply(surface, Image.merge("RGB", (light, light, light)))
