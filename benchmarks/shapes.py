"""Pictures that are drawn on the spot: five shapes with two textures, on clutter, in ten classes.

Labels are right and classes equally large, so that accuracy says how well a network learns.
N pictures, S side in pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import Batch, Framing

SHAPES = ("disc", "square", "triangle", "ring", "cross")
TEXTURES = ("stripes", "dots")
CLASS_NAMES = tuple(f"{texture} {shape}" for shape in SHAPES for texture in TEXTURES)
SIZE = 64
"""Side of the network input in the benchmarks, pixels."""
MARGIN = 6
"""Pixels around the input on each side, so that a window can shift."""
GRAIN = 35.0
"""Standard deviation of the noise of a pixel."""


@dataclass(frozen=True, eq=False)
class Shapes:
    """Pictures in memory: an `ExampleSource` that shows a window of S x S of each."""

    pixels: NDArray[np.uint8]
    """[N, S + 2 MARGIN, S + 2 MARGIN, 3]."""
    labels: NDArray[np.int64]
    categories: Sequence[tuple[str, ...]] = field(default=())

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self, order: NDArray[np.int64], *, batch_size: int, framing: Framing, workers: int
    ) -> Iterator[Batch]:
        """Windows of the pictures, each where the framing's box has its middle."""
        side, size = self.pixels.shape[1], framing.size
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            boxes = np.array([framing.box(side, side, int(index)) for index in indices])
            corners = (boxes[:, :2] + boxes[:, 2:] - size) / 2
            corners = corners.round().astype(int).clip(0, side - size)
            images = np.empty((len(indices), size, size, 3), np.uint8)
            for image, index, (left, top) in zip(images, indices, corners, strict=True):
                image[:] = self.pixels[index, top : top + size, left : left + size]
            yield Batch(
                torch.from_numpy(images),
                torch.from_numpy(self.labels[indices]),
                torch.from_numpy(indices),
                torch.ones(len(indices), dtype=torch.bool),
            )

    def duplicate_groups(self, workers: int) -> NDArray[np.int64]:
        """No two pictures are alike."""
        return np.arange(len(self), dtype=np.int64)


def draw_shapes(count: int, *, size: int, seed: int, grain: float = GRAIN) -> Shapes:
    """As many pictures of every class, in an order without meaning.

    Args:
        count: N.
        size: S; the pictures are larger by the margin.
        seed: Decides every pixel.
        grain: Standard deviation of the noise of a pixel, 0..255.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count, dtype=np.int64) % len(CLASS_NAMES))
    side = size + 2 * MARGIN
    pixels = np.stack([_picture(int(label), side, grain, rng) for label in labels])
    return Shapes(pixels, labels, [()] * count)


def _picture(label: int, side: int, grain: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Clutter, the textured shape, and grain; uint8 [side, side, 3]."""
    shape, texture = divmod(label, len(TEXTURES))
    grid = np.mgrid[:side, :side].astype(np.float32)
    canvas = np.broadcast_to(rng.uniform(60, 200, 3), (side, side, 3)).astype(np.float32)
    for _ in range(10):
        row, column = rng.integers(0, side, 2)
        height, width = rng.integers(side // 10, side // 3, 2)
        canvas[row : row + height, column : column + width] = rng.uniform(0, 255, 3)
    radius = rng.uniform(0.12, 0.26) * side
    centre = rng.uniform(side / 2 - 8, side / 2 + 8, 2)
    turn = rng.uniform(-0.8, 0.8)
    down, across = grid[0] - centre[0], grid[1] - centre[1]
    v = (np.cos(turn) * down - np.sin(turn) * across) / radius
    u = (np.sin(turn) * down + np.cos(turn) * across) / radius
    light, dark = rng.uniform(100, 255, 3), rng.uniform(0, 155, 3)
    pattern = _pattern(texture, u * radius, v * radius, rng)
    inked = _inside(shape, u, v)
    canvas[inked] = np.where(pattern[..., None], light, dark)[inked]
    return (canvas + rng.normal(0, grain, canvas.shape)).clip(0, 255).astype(np.uint8)


def _inside(shape: int, u: NDArray[np.float32], v: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pixels a shape of radius 1 covers; u to the right, v down."""
    far, wide = np.hypot(u, v), np.maximum(abs(u), abs(v))
    covered = {
        "disc": far < 1,
        "square": wide < 0.85,
        "triangle": (v < 0.7) & (v > 2.0 * abs(u) - 0.9),
        "ring": (far < 1) & (far > 0.55),
        "cross": (wide < 1) & (np.minimum(abs(u), abs(v)) < 0.33),
    }
    return covered[SHAPES[shape]]


def _pattern(
    texture: int, u: NDArray[np.float32], v: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which pixels of a texture are light; u and v in pixels."""
    period, angle = rng.uniform(4, 6.5), rng.uniform(0, np.pi)
    along = np.cos(angle) * u + np.sin(angle) * v
    across = np.cos(angle) * v - np.sin(angle) * u
    waves = np.sin(2 * np.pi * along / period)
    if TEXTURES[texture] == "dots":
        waves = np.minimum(waves, np.sin(2 * np.pi * across / period)) + 0.3
    return waves > 0
