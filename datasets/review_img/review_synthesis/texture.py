"""Surfaces: cloth, wood, skin, food, as small patches of pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from review_synthesis.palette import Color

Field = NDArray[np.floating]
TEXEL_LIMIT = 144
"""Longest side of a patch before it is enlarged; finer detail would not survive the camera."""


@dataclass(frozen=True)
class Material:
    """What a surface is made of."""

    color: Color
    """Ground colour, 0..255."""
    texture: str = "plain"
    """A key of TEXTURES."""
    contrast: float = 0.08
    """Depth of the texture as a share of the brightness, 0..1."""
    period: float = 0.1
    """Distance between repeats or grains, in stage units."""
    accent: Color | None = None
    """Second colour of stripes, checks and dots; None varies the brightness instead."""
    volume: float = 0.35
    """How much the rim darkens, 0 (flat) .. 1 (round)."""


def noise_field(rng: np.random.Generator, shape: tuple[int, int], cells: Field | tuple) -> Field:
    """Smooth noise with standard deviation of about 0.6.

    Args:
        rng: Source of randomness.
        shape: Height and width of the result, in texels.
        cells: Height and width of the grid of independent values; more cells, finer noise.

    Returns:
        Noise, float [H, W].
    """
    rows, columns = (max(2, min(int(n) + 1, 160)) for n in cells)
    grid = rng.standard_normal((rows, columns), dtype=np.float32)
    return np.asarray(Image.fromarray(grid).resize((shape[1], shape[0]), Image.Resampling.BICUBIC))


def _axes(shape: tuple[int, int], period: float, angle: float) -> tuple[Field, Field]:
    """Two turned axes, one unit per `period` texels."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / max(period, 1.5)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * cos + y * sin, y * cos - x * sin


def _plain(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    return noise_field(rng, shape, (shape[0] / (4 * period), shape[1] / (4 * period)))


def _grain(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    return 1.2 * noise_field(rng, shape, (shape[0] / period, shape[1] / period))


def _folds(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    """Creases of hanging cloth: warped waves over coarse noise."""
    across, _ = _axes(shape, 3 * period, rng.normal(0, 0.5))
    warp = noise_field(rng, shape, (3, 3))
    return np.sin(6.28 * (across + 0.6 * warp)) * 0.7 + 0.5 * noise_field(rng, shape, (5, 5))


def _knit(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    across, down = _axes(shape, period, rng.normal(0, 0.15))
    return np.sin(6.28 * across) * np.sin(6.28 * down) + 0.4 * noise_field(rng, shape, (4, 4))


def _wood(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    lengthwise = rng.random() < 0.5
    fine, coarse = 1 / period, 1 / (9 * period)
    density = (fine, coarse) if lengthwise else (coarse, fine)
    return noise_field(rng, shape, (shape[0] * density[0], shape[1] * density[1]))


def _stripes(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    across, _ = _axes(shape, 2 * period, rng.choice([0.0, np.pi / 2, 0.5]))
    return np.sign(np.sin(6.28 * across) - rng.uniform(-0.3, 0.6)).astype(np.float32)


def _checks(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    across, down = _axes(shape, 2 * period, rng.choice([0.0, 0.3, 0.78]))
    return 0.5 * (np.sign(np.sin(6.28 * across)) + np.sign(np.sin(6.28 * down)))


def _dots(rng: np.random.Generator, shape: tuple[int, int], period: float) -> Field:
    across, down = _axes(shape, 2 * period, rng.uniform(0, 0.8))
    wave = np.cos(6.28 * across) + np.cos(6.28 * down)
    return np.where(wave > rng.uniform(0.6, 1.3), 1.0, -1.0).astype(np.float32)


TEXTURES: dict[str, Callable[[np.random.Generator, tuple[int, int], float], Field]] = {
    "plain": _plain,
    "grain": _grain,
    "folds": _folds,
    "knit": _knit,
    "wood": _wood,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
}


def patch(
    rng: np.random.Generator, material: Material, size: tuple[int, int], unit: float
) -> Image.Image:
    """Pixels of one surface, lit from nowhere in particular.

    Args:
        rng: Source of randomness.
        material: What the surface is made of.
        size: Width and height in pixels, at least 1 each.
        unit: Pixels per stage unit.

    Returns:
        RGB picture of that size.
    """
    shrink = max(1.0, max(size) / TEXEL_LIMIT)
    shape = (max(2, round(size[1] / shrink)), max(2, round(size[0] / shrink)))
    pattern = TEXTURES[material.texture](rng, shape, max(1.5, material.period * unit / shrink))
    color = np.array(material.color, dtype=np.float32)
    if material.accent is None:
        rgb = color * (1 + material.contrast * pattern)[..., None]
    else:
        share = np.clip(0.5 + 0.5 * pattern, 0, 1)[..., None]
        rgb = color + share * (np.array(material.accent, dtype=np.float32) - color)
    rgb *= (1 + 0.05 * noise_field(rng, shape, (2, 2)))[..., None]
    texels = Image.fromarray(np.clip(rgb, 0, 255).astype(np.uint8))
    return texels if texels.size == size else texels.resize(size, Image.Resampling.BILINEAR)
