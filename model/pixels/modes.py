"""Pillow's many pixel modes, brought down to grey, RGB and RGBA with eight bits a channel."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

EIGHT_BIT_MAX = 255
SIXTEEN_BIT_MAX = 65_535


def to_eight_bit(image: Image.Image) -> Image.Image:
    """The same picture in mode L, RGB or, where pixels may be transparent, RGBA.

    Wide grey modes are scaled, not clipped: 16-bit white stays white. 32-bit integers count as
    16-bit values, and floats as 0..1 or 0..255, as long as they fit; else their own extremes
    become black and white.
    """
    if image.mode.startswith("I;16"):
        return Image.fromarray(_scaled(np.asarray(image), 0, SIXTEEN_BIT_MAX))
    if image.mode in ("I", "F"):
        # First finite, then wide: the difference of two extreme 32-bit floats fits 64 bits.
        values = np.nan_to_num(np.asarray(image)).astype(np.float64)
        return Image.fromarray(_scaled(values, *_black_and_white(values, image.mode)))
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("L", "RGB"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB of a picture in mode L, RGB or RGBA; what shines through is white paper."""
    if image.mode == "RGBA":
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image if image.mode == "RGB" else image.convert("RGB")


def _black_and_white(values: NDArray[np.float64], mode: str) -> tuple[float, float]:
    """The values that become 0 and 255."""
    low, high = float(values.min()), float(values.max())
    usual = (SIXTEEN_BIT_MAX,) if mode == "I" else (1, EIGHT_BIT_MAX)
    for white in usual:
        if low >= 0 and high <= white:
            return 0, white
    return low, high


def _scaled(
    values: NDArray[np.float64] | NDArray[np.uint16], black: float, white: float
) -> NDArray[np.uint8]:
    """`values` mapped linearly so that `black`..`white` becomes 0..255, rounded to nearest."""
    gain = EIGHT_BIT_MAX / (white - black) if white > black else 0.0
    return np.rint((values - black) * gain).clip(0, EIGHT_BIT_MAX).astype(np.uint8)
