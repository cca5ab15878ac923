"""One picture file to network input: decode no more than the box needs, resize with antialiasing.

A file never stops a run. What cannot be decoded becomes a grey square; what is cut short is decoded
as far as it goes; both have a `Fault` that says why.

A picture takes one of two ways. Ordinary JPEGs go the short one (`jpeg`, then `resize`); everything
else, and what the short way does not manage, goes through Pillow (`opened`, then `resize`).
"""

import errno
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.batch import GREY, Box, Framing
from model.pixels.faults import Damage, Fault
from model.pixels.jpeg import Header, decode_rows, read_header, scale_for
from model.pixels.modes import to_eight_bit, to_rgb
from model.pixels.opened import (
    PIXEL_LIMIT,
    Unreadable,
    blaming_the_file,
    loaded,
    open_picture,
)
from model.pixels.orientation import orientation_of
from model.pixels.resize import reach, resize, resize_image

BYTE_LIMIT = 256 * 1024**2
"""Larger files are refused before they are read."""

MACHINE_ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors of `open` that say nothing about the file."""

AskForBox = Callable[[int, int], Box]
"""The box in an upright picture of a width and height."""


@dataclass(frozen=True)
class Decoded:
    """A picture, or the grey square in its place."""

    pixels: NDArray[np.uint8]
    """RGB [S, S, 3], 0..255."""
    fault: Fault | None = None
    """What is wrong with the file; None if nothing is."""

    @property
    def readable(self) -> bool:
        """Whether `pixels` come from the file."""
        return self.fault is None or self.fault.damage is not Damage.UNREADABLE


def decode(source: Path | bytes | memoryview, framing: Framing, index: int) -> Decoded:
    """The part of a picture that `framing` asks for, in an array of its own; see `decode_into`."""
    pixels = np.empty((framing.size, framing.size, 3), dtype=np.uint8)
    return Decoded(pixels, decode_into(source, framing, index, pixels))


def decode_into(
    source: Path | bytes | memoryview, framing: Framing, index: int, out: NDArray[np.uint8]
) -> Fault | None:
    """Write the part of a picture that `framing` asks for, as network input, into `out`.

    The box refers to the upright picture (EXIF orientation applied) at its full size. JPEGs are
    decoded at 1/2, 1/4 or 1/8 where that still leaves at least one decoded pixel per output pixel.
    Alpha is composited on white, of an animation the first frame counts, colour profiles do not.
    What a framing that pads asks for outside the picture is GREY.

    Threads may call this at the same time; decoding and resizing let go of the interpreter lock.

    Args:
        source: Picture file, or its content; the format is told from the content.
        framing: Which box to take, and the side S of the output.
        index: Identifies the example to `framing`.
        out: RGB, uint8 [S, S, 3]; all of it is written.

    Returns:
        What is wrong with the file; None if nothing is.

    Raises:
        ValueError: If `framing` returns a box that is empty, or not inside the picture though the
            framing does not pad.
        OSError: If the machine, not the file, is at fault (too many open files).
    """

    @cache  # both ways ask, the framing is asked once
    def ask(width: int, height: int) -> Box:
        return checked(framing.box(width, height, index), (width, height), framing.pads)

    try:
        data = read_file(source) if isinstance(source, Path) else source
        header = read_header(data)
        if header is not None and header.width * header.height <= PIXEL_LIMIT:
            square = _the_short_way(data, header, ask, framing.size)
            if square is not None:
                out[:] = square
                return None
        return _by_pillow(data, ask, out)
    except Unreadable as error:
        out[:] = GREY
        return Fault(Damage.UNREADABLE, str(error))


def _the_short_way(
    data: bytes | memoryview, header: Header, ask: AskForBox, size: int
) -> NDArray[np.uint8] | None:
    """The box of an ordinary JPEG, uint8 [S, S, 3]; None if Pillow has to try."""
    orientation = header.orientation
    box = orientation.stored_box(ask(*header.upright_size), header.width, header.height)
    scale = scale_for(box, header.width, header.height, size)
    _, top, _, bottom = box
    pixels = decode_rows(data, header, scale, bottom + reach(top, bottom, size, scale))
    if pixels is None:
        return None
    left, top, right, bottom = (edge / scale for edge in box)
    square = resize(pixels, (left, top, right, bottom), size)
    if orientation.transpose is None:
        return square
    return np.asarray(orientation.upright(Image.fromarray(square)))


def _by_pillow(data: bytes | memoryview, ask: AskForBox, out: NDArray[np.uint8]) -> Fault | None:
    """Write the box of any picture into `out`."""
    opened = open_picture(data)
    width, height = opened.image.size
    orientation = orientation_of(opened.image)
    box, size = (
        orientation.stored_box(ask(*orientation.upright_size(width, height)), width, height),
        len(out),
    )
    scale = 1
    if opened.is_jpeg:
        scale = scale_for(box, width, height, size)
        opened = loaded(opened, data, scale)
    with blaming_the_file():
        left, top, right, bottom = (edge / scale for edge in box)
        image = resize_image(to_eight_bit(opened.image), (left, top, right, bottom), size)
        out[:] = np.asarray(to_rgb(orientation.upright(image)))
    return Fault(Damage.TRUNCATED, opened.damage) if opened.damage else None


def checked(box: Box, size: tuple[int, int], pads: bool) -> Box:
    """`box`, moved inside a picture of that `size` if rounding has put it a hair outside."""
    left, top, right, bottom = map(float, box)  # NumPy's own numbers are slow to count with
    width, height = size
    overlaps = left < min(right, width) and right > 0 and top < min(bottom, height) and bottom > 0
    if pads and overlaps:
        return left, top, right, bottom
    hair = 1e-6 * max(width, height)
    inside = left >= -hair and top >= -hair and right <= width + hair and bottom <= height + hair
    if not (inside and left < right and top < bottom):
        raise ValueError(
            f"box {box} is empty or not inside the {width} x {height} picture; "
            "a framing returns left < right and top < bottom within it"
        )
    return max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height)


def read_file(path: Path) -> bytes:
    """Content of a picture file.

    Raises:
        Unreadable: If it cannot be read, or is none that could hold a picture.
        OSError: If the machine, not the file, is at fault (too many open files).
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("not a regular file")
        if status.st_size == 0:
            raise Unreadable("zero bytes")
        if status.st_size > BYTE_LIMIT:
            raise Unreadable(f"{status.st_size:,} bytes, more than {BYTE_LIMIT:,}")
        return path.read_bytes()
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        raise Unreadable(error.strerror or type(error).__name__) from error
