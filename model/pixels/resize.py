"""A box with fractional edges, resized to a square with antialiasing.

Pillow's bilinear filter is the reference. Torch has the same filter with vector instructions, but
its boxes start at whole pixels; `_axis` finds a start from which a fractional box can be had.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from model.batch import GREY, Box
from model.pixels.modes import EIGHT_BIT_MAX

BILINEAR = Image.Resampling.BILINEAR

NEAR_ENOUGH = 0.02
"""Source pixels by which a box may be off before a better start is looked for."""
TOO_FAR = 0.05
"""Source pixels by which a box may be off; beyond, Pillow does the work."""
TRIALS = 48
"""Starts that are tried, each by one output pixel more."""
FURTHEST = 32
"""Pixels by which a start may lie outside the picture, which is continued by its edge there."""


def resize(pixels: NDArray[np.uint8], box: Box, size: int) -> NDArray[np.uint8]:
    """The `box` of a picture as `size` x `size` pixels; what lies outside the picture is GREY.

    Args:
        pixels: RGB, uint8 [H, W, 3].
        box: left, top, right, bottom, pixels.
        size: S.

    Returns:
        uint8 [S, S, 3], perhaps a view.
    """
    height, width, _ = pixels.shape
    left, top, right, bottom = box
    across, down = _axis(left, right, width, size), _axis(top, bottom, height, size)
    if across is None or down is None:
        return np.asarray(resize_image(Image.fromarray(pixels), box, size))
    part = _with_margin(pixels, down, across)
    square = torch.ops.aten._upsample_bilinear2d_aa(  # `interpolate` takes no size beside a scale
        torch.from_numpy(part)[None].permute(0, 3, 1, 2),
        [size + down.spare, size + across.spare],
        False,
        1 / down.step,
        1 / across.step,
    )
    return square[0, :, down.spare :, across.spare :].permute(1, 2, 0).numpy()


def reach(low: float, high: float, size: int, scale: int = 1) -> float:
    """Source pixels beyond an edge of an axis `low`..`high` that still count in `size` pixels.

    Args:
        low: Where the axis of the box begins.
        high: Where it ends.
        size: Output pixels.
        scale: Divisor at which the source is decoded; the result counts pixels of the full size.
    """
    return max(float(scale), (high - low) / size)


@dataclass(frozen=True)
class _Axis:
    """How to have one axis of a box from a part that starts at a whole pixel."""

    start: int
    """First source pixel."""
    end: int
    """Source pixel behind the last."""
    spare: int
    """Output pixels in front of those that are wanted."""
    step: float
    """Source pixels per output pixel."""


def _axis(low: float, high: float, length: int, size: int) -> _Axis | None:
    """The part from which an axis `low`..`high` can be had as `size` pixels, if there is one.

    `spare` output pixels more in front move its start by `spare` * `step` source pixels; with some
    number of them, it falls on a whole pixel. They also give the filter what it needs of the pixels
    in front of the box, for that it must not notice where the part was cut.
    """
    if low < 0 or high > length:
        return None
    step = (high - low) / size
    margin = reach(low, high, size)
    end = min(length, math.ceil(high + margin) + 1)
    best, least = None, TOO_FAR
    fewest = math.ceil(margin / step)
    # A box of a fraction of a pixel would need more pixels in front than it has.
    trials = TRIALS if fewest <= size else 0
    for spare in (0, *range(fewest, fewest + trials)):
        start = round(low - spare * step)
        if start < -FURTHEST:
            break
        error = abs(start + spare * step - low)
        # Without spare pixels only the picture's own edge may be near. An axis that keeps its
        # length is copied by torch, whatever its scale.
        usable = (spare or start == 0) and (end - start != size + spare or step == 1)
        if error < least and usable:
            best, least = _Axis(start, end, spare, step), error
            if error <= NEAR_ENOUGH:
                break
    return best


def _with_margin(pixels: NDArray[np.uint8], down: _Axis, across: _Axis) -> NDArray[np.uint8]:
    """The part of a picture that two axes need, continued by its edges above and on the left."""
    part = pixels[max(down.start, 0) : down.end, max(across.start, 0) : across.end]
    above, beside = max(-down.start, 0), max(-across.start, 0)
    if not (above or beside):
        return part
    height, width, _ = part.shape
    wider = np.empty((above + height, beside + width, 3), dtype=np.uint8)  # `np.pad` takes longer
    wider[above:, beside:] = part
    wider[:above, beside:] = part[:1]
    wider[:, :beside] = wider[:, beside : beside + 1]
    return wider


def resize_image(image: Image.Image, box: Box, size: int) -> Image.Image:
    """The `box` of a picture in mode L, RGB or RGBA as `size` x `size` pixels, by Pillow."""
    left, top, right, bottom = box
    wide = left < 0 or right > image.width
    tall = top < 0 or bottom > image.height
    # Of an axis that needs no padding we first take what we need, so that the canvas stays small
    # however long a picture is.
    if wide and not tall:
        image = image.resize((image.width, size), BILINEAR, (0, top, image.width, bottom))
        top, bottom = 0, size
    elif tall and not wide:
        image = image.resize((size, image.height), BILINEAR, (left, 0, right, image.height))
        left, right = 0, size
    if wide or tall:
        image, (left, top, right, bottom) = _on_grey(image, (left, top, right, bottom))
    return image.resize((size, size), BILINEAR, (left, top, right, bottom))


def _on_grey(image: Image.Image, box: Box) -> tuple[Image.Image, Box]:
    """A grey canvas that holds the picture and `box`, and the box in the canvas's coordinates."""
    left, top = min(0, math.floor(box[0])), min(0, math.floor(box[1]))
    right, bottom = max(image.width, math.ceil(box[2])), max(image.height, math.ceil(box[3]))
    grey = {"L": GREY, "RGB": (GREY,) * 3, "RGBA": (GREY,) * 3 + (EIGHT_BIT_MAX,)}[image.mode]
    canvas = Image.new(image.mode, (right - left, bottom - top), grey)
    canvas.paste(image, (-left, -top))
    return canvas, (box[0] - left, box[1] - top, box[2] - left, box[3] - top)
