"""A box of an uncompressed cached picture, resized fast.

`model.pixels.resize` meets Pillow's filter to 0.02 pixels; a cached picture is so small that it
has lost more than that, and the time goes where it is not needed. Here a box may be off by
NEAR_ENOUGH, and what must lie in front of the picture is continued from its edge.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch._C._nn import _upsample_bilinear2d_aa

from model.batch import Box
from model.pixels.resize import resize, resize_image

NEAR_ENOUGH = 0.05
"""Source pixels by which a box may be off before another start is looked for."""
TRIALS = 8
"""Starts that are tried, each by one output pixel more."""

_RESIZE: Any = _upsample_bilinear2d_aa
"""`interpolate` takes no size beside a scale, and `torch.ops.aten` needs 2 us more for a call."""


def crop(pixels: NDArray[np.uint8], box: Box, size: int, out: NDArray[np.uint8]) -> None:
    """Write the `box` of a picture into `out`; what lies outside the picture is GREY.

    Args:
        pixels: RGB, uint8 [H, W, 3], writable (torch asks for it, nothing is written).
        box: left, top, right, bottom, pixels; fractions are meant.
        size: S.
        out: uint8 [S, S, 3].
    """
    height, width, _ = pixels.shape
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > width or bottom > height:
        out[:] = resize(pixels, box, size)
        return
    x, x_end, x_spare, x_step = _axis(left, right, width, size)
    y, y_end, y_spare, y_step = _axis(top, bottom, height, size)
    across, down = size + x_spare, size + y_spare
    # Torch copies an axis that keeps its length, whatever its scale.
    if (x_end - x == across and x_step != 1) or (y_end - y == down and y_step != 1):
        out[:] = np.asarray(resize_image(Image.fromarray(pixels), box, size))
        return
    if x >= 0 and y >= 0 and x_end < width and y_end < height:
        part = _wrapped(pixels, x, y, y_end - y)
    else:
        part = _planes(_continued(pixels[max(y, 0) : y_end, max(x, 0) : x_end], -y, -x))
    square = _RESIZE(torch.from_numpy(part), [down, across], False, 1 / y_step, 1 / x_step)
    # Turned and cut as an array, which takes less than half of the time of a tensor.
    out[:] = square.numpy()[0].transpose(1, 2, 0)[y_spare:, x_spare:]


def _wrapped(pixels: NDArray[np.uint8], x: int, y: int, rows: int) -> NDArray[np.uint8]:
    """So many rows of a picture, each from column x to column x of the next row, as [1, 3, H, W].

    They lie in memory one after the other, so torch need not copy them. What has moved from one
    side to the other it does not see, for it looks no further than the box.
    """
    _, width, _ = pixels.shape
    strides = 3 * rows * width, 1, 3 * width, 3
    return np.ndarray((1, 3, rows, width), np.uint8, pixels, 3 * (y * width + x), strides)


def _planes(part: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """uint8 [H, W, 3] as [1, 3, H, W], the channels of a pixel still side by side in memory."""
    height, width, _ = part.shape
    whole = np.ascontiguousarray(part)
    return np.ndarray((1, 3, height, width), np.uint8, whole, 0, (part.size, 1, 3 * width, 3))


def _axis(low: float, high: float, length: int, size: int) -> tuple[int, int, int, float]:
    """First source pixel, the one behind the last, output pixels in front, and source per output.

    Torch's boxes start at whole pixels. Spare output pixels in front move the start by a step each:
    with some number of them it falls near enough to a whole pixel, unless a step is about a pixel.
    """
    step = (high - low) / size
    end = min(length, math.ceil(high + max(1.0, step)) + 1)
    best, least, best_spare = round(low), math.inf, 0
    # Where the part is cut inside the picture, the filter has to see what is in front of the box.
    fewest = 0 if low < 1.0 else math.ceil(1.0 / step)
    for spare in range(fewest, fewest + TRIALS):
        start = round(low - spare * step)
        error = abs(start + spare * step - low)
        if error < least:
            best, best_spare, least = start, spare, error
            if error <= NEAR_ENOUGH:
                break
    if end - best == size + best_spare and end < length and step != 1:
        end += 1  # a pixel too many; see `crop`
    # What is left is shared out: the box is right in the middle, and off at both ends.
    error = best + best_spare * step - low
    return best, end, best_spare, step - error / (best_spare + size / 2)


def _continued(part: NDArray[np.uint8], above: int, before: int) -> NDArray[np.uint8]:
    """`part` with its first row and column repeated in front of it; below 1, they are not."""
    height, width, _ = part.shape
    above, before = max(above, 0), max(before, 0)
    if not (above or before):
        return part
    whole = np.empty((height + above, width + before, 3), dtype=np.uint8)
    whole[above:, before:] = part
    whole[above:, :before] = part[:, :1]
    whole[:above] = whole[above]
    return whole
