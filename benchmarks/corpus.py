"""Photographs that the benchmarks of the image path decode: synthetic, the same on every machine.

Sized and compressed like the competition's pictures (docs/dataset.md): baseline 4:2:0 JPEG of
quality 85 to 95, up to 1280 pixels a side, about 1.2 megapixels and 290 KB on average. How long
a JPEG takes to decode hangs on its bits per pixel, so every picture has fine texture and grain.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from sklearn.datasets import load_sample_image

VERSION = 1
"""Changes with anything that changes the pictures."""
FOLDER = Path(__file__).resolve().parents[1] / "build" / "corpus"
"""Where pictures stay once they are drawn."""
LONGEST, SHORTEST = 1280, 52
"""Sides of the largest and the smallest picture, pixels."""
BICUBIC = Image.Resampling.BICUBIC


@dataclass(frozen=True)
class Coding:
    """How a picture is written as a JPEG."""

    progressive: bool = False
    subsampling: str = "4:2:0"
    quality: int | None = None
    """None draws one between 85 and 95 for each picture."""
    longest: int | None = None
    """Longest side to which a picture is shrunk first, pixels; None shrinks none."""

    @property
    def name(self) -> str:
        """Name of the folder that holds pictures written this way."""
        scans = "progressive" if self.progressive else "baseline"
        quality = "q85-95" if self.quality is None else f"q{self.quality}"
        size = "" if self.longest is None else f"-{self.longest}px"
        return f"{scans}-{self.subsampling.replace(':', '')}-{quality}{size}"


BASELINE = Coding()


def photographs(count: int, coding: Coding = BASELINE) -> list[Path]:
    """The first `count` pictures of the corpus as files; drawn when they are first asked for.

    Args:
        count: Number of pictures.
        coding: How they are compressed; before that, the pixels are the same for all.
    """
    folder = FOLDER / f"v{VERSION}" / coding.name
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{index:04d}.jpg" for index in range(count)]
    for index, path in enumerate(paths):
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}")
            _write(index, coding, draft)
            draft.replace(path)
    return paths


def _write(index: int, coding: Coding, path: Path) -> None:
    rng = np.random.default_rng([VERSION, index])
    image = _photograph(rng)
    if coding.longest is not None:
        image.thumbnail((coding.longest, coding.longest))
    quality = int(rng.integers(85, 96)) if coding.quality is None else coding.quality
    image.save(
        path,
        "JPEG",
        quality=quality,
        subsampling=coding.subsampling,
        progressive=coding.progressive,
    )


def _photograph(rng: np.random.Generator) -> Image.Image:
    """A scene with things in it, seen by a sensor."""
    size = _size(rng)
    scene = _scene(rng, size)
    _draw_things(ImageDraw.Draw(scene), rng, size)
    pixels = np.asarray(scene).astype(np.float32)
    pixels += _clouds(rng, size, strength=float(rng.uniform(10, 30)))
    grain = rng.standard_normal(pixels.shape, dtype=np.float32)
    pixels += grain * np.float32(rng.uniform(1, 5.2))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _size(rng: np.random.Generator) -> tuple[int, int]:
    """Width and height, pixels: most pictures fill the largest size, a few are tiny."""
    kind = rng.random()
    longest = LONGEST if kind < 0.8 else int(rng.integers(400 if kind < 0.98 else 80, LONGEST))
    other = max(SHORTEST, round(longest * float(rng.choice((0.6, 0.7, 0.8, 1.0)))))
    return (longest, other) if rng.random() < 0.6 else (other, longest)


def _scene(rng: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """A part of a real photograph, slanted and enlarged."""
    photo = _photos()[int(rng.integers(2))]
    share = rng.uniform(0.5, 0.9)
    width, height = photo.width * share, photo.height * share
    left, top = rng.uniform(0, photo.width - width), rng.uniform(0, photo.height - height)
    slant = rng.uniform(-0.1, 0.1) * min(width, height)
    corners = (left, top, left + slant, top + height, left + width, top + height - slant)
    corners = (*corners, left + width - slant, top)
    return photo.transform(size, Image.Transform.QUAD, corners, BICUBIC)


@cache
def _photos() -> tuple[Image.Image, Image.Image]:
    """The two photographs that come with scikit-learn, 640 x 427 pixels."""
    names = ("china.jpg", "flower.jpg")
    first, second = (Image.fromarray(load_sample_image(name)) for name in names)
    return first, second


def _draw_things(
    draw: ImageDraw.ImageDraw, rng: np.random.Generator, size: tuple[int, int]
) -> None:
    """Shapes with hard edges and lines of small print."""
    longest = max(size)
    for _ in range(int(rng.integers(6, 16))):
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        left, top = float(rng.uniform(0, size[0])), float(rng.uniform(0, size[1]))
        width, height = (float(side) for side in rng.uniform(0.02, 0.2, 2) * longest)
        box = (left, top, left + width, top + height)
        kind = int(rng.integers(3))
        if kind == 0:
            draw.ellipse(box, fill=colour)
        elif kind == 1:
            draw.rectangle(box, outline=colour, width=max(1, longest // 300))
        else:
            letters = "".join(chr(int(code)) for code in rng.integers(48, 91, 24))
            draw.text((left, top), letters, fill=colour, font=_font(max(8, longest // 50)))


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _clouds(
    rng: np.random.Generator, size: tuple[int, int], *, strength: float
) -> NDArray[np.float32]:
    """Coloured noise whose amplitude halves with each octave, float [H, W, 3]."""
    width, height = size
    total = np.zeros((height, width, 3), dtype=np.float32)
    for octave in range(2, 9):
        shape = (max(2, height >> (9 - octave)), max(2, width >> (9 - octave)))
        for channel in range(3):
            noise = Image.fromarray(rng.standard_normal(shape, dtype=np.float32))
            total[..., channel] += np.asarray(noise.resize(size, BICUBIC)) * 0.7**octave
    return total * np.float32(strength)
