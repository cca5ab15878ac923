"""From a drawn scene to the JPEG that a phone would have sent."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageChops, ImageFilter


@dataclass(frozen=True)
class Shot:
    """How one picture was taken."""

    tilt: float
    """Camera roll, degrees."""
    blur: float
    """Radius of the lens blur, as a share of the shorter side."""
    shake: float
    """Length of motion blur, as a share of the shorter side; 0 holds still."""
    gains: tuple[float, float, float]
    """White balance error: factors of red, green, blue."""
    gamma: float
    """Exposure: above 1 darker, below 1 brighter."""
    vignette: float
    """How much the light varies over the picture, 0..1."""
    noise: float
    """Standard deviation of the sensor noise, grey levels 0..255."""
    quality: int
    """JPEG quality, 1..95."""


def random_shot(rng: np.random.Generator, doubt: float) -> Shot:
    """Camera settings of one picture; `doubt` 0..1 makes it darker, blurrier and noisier."""
    warm = rng.normal(0, 0.07)
    return Shot(
        tilt=float(rng.normal(0, 4 + 5 * doubt)),
        blur=float(rng.gamma(1.2, 0.002 + 0.008 * doubt)),
        shake=float(rng.uniform(0.01, 0.04)) if rng.random() < 0.03 + 0.12 * doubt else 0.0,
        gains=(1 + warm, 1 + float(rng.normal(0, 0.02)), 1 - warm),
        gamma=float(np.exp(rng.normal(-0.15, 0.2 + 0.12 * doubt))),
        vignette=float(rng.uniform(0, 0.28)),
        noise=float(rng.gamma(2.0, 2.0 + 2.0 * doubt)),
        quality=int(rng.integers(60, 95)),
    )


def develop(
    scene: Image.Image, size: tuple[int, int], shot: Shot, rng: np.random.Generator
) -> Image.Image:
    """Turn, crop, blur and expose a scene.

    Args:
        scene: RGB drawing with about the proportions of `size`.
        size: Width and height of the result in pixels.
        shot: How the picture is taken.
        rng: Source of the noise.

    Returns:
        RGB picture of exactly that size.
    """
    image = _rolled(scene, shot.tilt)
    enlarged = size[0] > image.size[0]
    # Blur on the smaller side of the resizing: the result is the same and the cost is not.
    image = _blurred(image, shot) if enlarged else image
    method = Image.Resampling.BICUBIC if enlarged else Image.Resampling.BOX
    image = image.resize(size, method)
    image = image if enlarged else _blurred(image, shot)
    image = ImageChops.multiply(image.point(_exposure(shot)), _falloff(size, shot.vignette, rng))
    return _with_noise(image, shot.noise, rng)


def encode(image: Image.Image, quality: int) -> bytes:
    """JPEG bytes; high quality keeps full colour resolution, as phones do."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, subsampling=0 if quality > 90 else 2)
    return stream.getvalue()


def _rolled(scene: Image.Image, degrees: float) -> Image.Image:
    """The scene turned, cropped to the part that has no empty corners."""
    turned = scene.rotate(degrees, Image.Resampling.BILINEAR)
    width, height = scene.size
    angle = abs(np.radians(degrees))
    # Largest box of the same proportions inside the turned scene.
    keep = min(
        width / (width * np.cos(angle) + height * np.sin(angle)),
        height / (width * np.sin(angle) + height * np.cos(angle)),
    )
    margin = ((1 - keep) * width / 2, (1 - keep) * height / 2)
    box = (int(margin[0]), int(margin[1]), int(width - margin[0]), int(height - margin[1]))
    return turned.crop(box)


def _blurred(image: Image.Image, shot: Shot) -> Image.Image:
    """Lens and motion blur."""
    shorter = min(image.size)
    if shot.blur * shorter > 0.3:
        image = image.filter(ImageFilter.GaussianBlur(shot.blur * shorter))
    if shot.shake > 0:
        image = _shaken(image, max(1, round(shot.shake * shorter)))
    return image


def _shaken(image: Image.Image, length: int) -> Image.Image:
    """Motion blur along one axis, as the mean of a few shifted copies."""
    result = image
    for step in range(1, 4):
        moved = ImageChops.offset(image, round(step * length / 3), round(step * length / 9))
        result = Image.blend(result, moved, 1 / (step + 1))
    return result


def _exposure(shot: Shot) -> list[int]:
    levels = np.arange(256) / 255
    curves = [np.clip(255 * gain * levels**shot.gamma, 0, 255) for gain in shot.gains]
    return [int(level) for curve in curves for level in curve]


def _falloff(size: tuple[int, int], strength: float, rng: np.random.Generator) -> Image.Image:
    """Uneven light: darker towards a random side and into the corners."""
    y, x = np.mgrid[-1:1:16j, -1:1:16j]
    angle = rng.uniform(0, 2 * np.pi)
    slope = 0.5 * (x * np.cos(angle) + y * np.sin(angle)) / np.sqrt(2) + 0.5
    light = 1 - strength * (0.6 * slope + 0.4 * (x**2 + y**2) / 2)
    field = Image.fromarray(np.clip(255 * light, 0, 255).astype(np.uint8))
    grey = field.resize(size, Image.Resampling.BILINEAR)
    return Image.merge("RGB", (grey, grey, grey))


def _with_noise(image: Image.Image, sigma: float, rng: np.random.Generator) -> Image.Image:
    """Brightness noise per pixel and colour noise per two by two pixels, as sensors give."""
    width, height = image.size
    pixels = np.asarray(image).astype(np.int16)
    fine = (sigma * rng.standard_normal((height, width), dtype=np.float32)).astype(np.int16)
    pixels += fine[..., None]
    for channel in (0, 2):
        coarse = rng.standard_normal(((height + 1) // 2, (width + 1) // 2), dtype=np.float32)
        steps = (0.5 * sigma * coarse).astype(np.int16)
        pixels[..., channel] += steps.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
