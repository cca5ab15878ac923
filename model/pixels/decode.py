"""One picture file to network input: decode no more than the box needs, resize with antialiasing.

A file never stops a run. What cannot be decoded becomes a grey square; what is cut short is decoded
as far as it goes; both carry a `Fault` that says why. Pillow's module-wide settings stay untouched,
because other threads, and the guest's own code, use them too.
"""

import errno
import io
import math
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from model.batch import GREY, Box, Framing
from model.pixels.faults import Damage, Fault
from model.pixels.modes import EIGHT_BIT_MAX, to_eight_bit, to_rgb
from model.pixels.orientation import orientation_of

BILINEAR = Image.Resampling.BILINEAR

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""What a picture may be, whatever its name says. Pillow opens more; EPS would run Ghostscript."""

PIXEL_LIMIT = 89_478_485
"""Larger pictures are refused as decompression bombs. Source: Pillow's `MAX_IMAGE_PIXELS`."""

BYTE_LIMIT = 256 * 1024**2
"""Larger files are refused before they are read."""

JPEG_FORMATS = ("JPEG", "MPO")
JPEG_SCALES = (8, 4, 2)
"""Divisors at which libjpeg can decode, besides 1."""
END_OF_JPEG = b"\xff\xd9"

LEAST_DECODED_SHARE = 0.25
"""A picture cut short counts as unreadable up to this share of its rows. Even a JPEG that ends with
its header yields a first row of blocks, made of noise."""

MACHINE_ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors of `open` that say nothing about the file."""


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


class _Unreadable(Exception):
    """No pixel can be had from the file; the message is the reason."""


def decode(path: Path, framing: Framing, index: int) -> Decoded:
    """The part of a picture that `framing` asks for, as network input.

    The box refers to the upright picture (EXIF orientation applied) at its full size. JPEGs are
    decoded at 1/2, 1/4 or 1/8 where that still leaves at least one decoded pixel per output pixel.
    Alpha is composited on white, of an animation the first frame counts, colour profiles do not.
    What a framing that pads asks for outside the picture is GREY.

    Args:
        path: Picture file; its format is told from its content.
        framing: Which box to take, and the side S of the output.
        index: Identifies the example to `framing`.

    Raises:
        ValueError: If `framing` returns a box that is empty, or not inside the picture though the
            framing does not pad.
        OSError: If the machine, not the file, is at fault (too many open files).
    """
    try:
        data = _read(path)
        source = _open(data)
        width, height = source.image.size
        orientation = orientation_of(source.image)
    except _Unreadable as error:
        return _grey_square(framing.size, str(error))

    upright_size = orientation.upright_size(width, height)
    upright_box = _checked(framing.box(*upright_size, index), upright_size, framing.pads)
    box = orientation.stored_box(upright_box, width, height)
    scale = _jpeg_scale(source.image, box, framing.size)
    try:
        if source.image.format in JPEG_FORMATS:
            source = _loaded(source, data, scale)
        with _blaming_the_file():
            image = _resized(source.image, box, scale, framing.size)
            pixels = np.asarray(to_rgb(orientation.upright(image)))
    except _Unreadable as error:
        return _grey_square(framing.size, str(error))
    return Decoded(pixels, Fault(Damage.TRUNCATED, source.damage) if source.damage else None)


@dataclass(frozen=True)
class _Source:
    """A picture on its way from bytes to pixels."""

    image: ImageFile
    damage: str = ""
    """Why part of the pixels is missing; empty if none is."""


def _grey_square(size: int, reason: str) -> Decoded:
    pixels = np.full((size, size, 3), GREY, dtype=np.uint8)
    return Decoded(pixels, Fault(Damage.UNREADABLE, reason))


def _checked(box: Box, size: tuple[int, int], pads: bool) -> Box:
    """`box`, moved inside a picture of that `size` if rounding has put it a hair outside."""
    (left, top, right, bottom), (width, height) = box, size
    overlaps = left < min(right, width) and right > 0 and top < min(bottom, height) and bottom > 0
    if pads and overlaps:
        return box
    hair = 1e-6 * max(width, height)
    inside = left >= -hair and top >= -hair and right <= width + hair and bottom <= height + hair
    if not (inside and left < right and top < bottom):
        raise ValueError(
            f"box {box} is empty or not inside the {width} x {height} picture; "
            "a framing returns left < right and top < bottom within it"
        )
    return max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height)


def _read(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _Unreadable("not a regular file")
        if status.st_size == 0:
            raise _Unreadable("zero bytes")
        if status.st_size > BYTE_LIMIT:
            raise _Unreadable(f"{status.st_size:,} bytes, more than {BYTE_LIMIT:,}")
        return path.read_bytes()
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        raise _Unreadable(error.strerror or type(error).__name__) from error


@contextmanager
def _blaming_the_file() -> Iterator[None]:
    """Whatever Pillow raises inside is the file's fault: on damaged input it raises anything."""
    try:
        yield
    except _Unreadable:
        raise
    except UnidentifiedImageError as error:
        raise _Unreadable("not a picture, or its header is damaged") from error
    except Exception as error:
        raise _Unreadable(_reason(error)) from error


def _reason(error: Exception) -> str:
    """The first line of what Pillow says, or at least the kind of error."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def _open(data: bytes) -> _Source:
    """The picture with its header read; all but JPEGs, which can be decoded smaller, with pixels.

    Pixels come first where nothing is lost by it, because PNG and TIFF may tell their orientation
    only afterwards, and TIFF then already is upright.
    """
    with _blaming_the_file():
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
    if width * height > PIXEL_LIMIT:
        raise _Unreadable(f"{width} x {height} pixels, a possible decompression bomb")
    source = _Source(image)
    return source if image.format in JPEG_FORMATS else _loaded(source, data, scale=1)


def _jpeg_scale(image: ImageFile, box: Box, size: int) -> int:
    """Largest divisor that leaves at least `size` x `size` decoded pixels inside `box`."""
    if image.format not in JPEG_FORMATS:
        return 1
    left, top, right, bottom = box
    # A padded box may be longer than the picture, which has to keep at least one pixel.
    smaller_side = min(right - left, bottom - top, image.width * size, image.height * size)
    return next((scale for scale in JPEG_SCALES if smaller_side >= scale * size), 1)


def _loaded(source: _Source, data: bytes, scale: int) -> _Source:
    """The picture with its pixels, as many as the file holds."""
    try:
        _load(source.image, scale)
    except Exception as error:  # on damaged input Pillow raises anything
        return _salvaged(source.image, data, scale, damage=_reason(error))
    return source


def _load(image: ImageFile, scale: int) -> None:
    if scale > 1:
        image.draft(None, (image.width // scale, image.height // scale))
    image.load()


def _salvaged(image: ImageFile, data: bytes, scale: int, *, damage: str) -> _Source:
    """The pixels before the point where decoding failed.

    Pillow can do this itself, but only by a switch for the whole process. A JPEG is given the end
    marker it lacks instead, so that libjpeg fills the rest; other decoders have written their rows
    into the image by the time they fail, and forgetting the undecoded tile reveals them.
    """
    with _blaming_the_file():
        if image.format in JPEG_FORMATS:
            image = Image.open(io.BytesIO(data + END_OF_JPEG), formats=FORMATS)
            with suppress(Exception):  # the damage is known; what counts now is what gets decoded
                _load(image, scale)
        image.tile = []
        image.load()
        if _decoded_share(image) <= LEAST_DECODED_SHARE:
            raise _Unreadable(damage)
    return _Source(image, damage)


def _decoded_share(image: Image.Image) -> float:
    """How far down a picture that was cut short goes, 0..1; the filling below is of one colour."""
    values = np.asarray(image)
    structured = (values != values[:, :1]).reshape(len(values), -1).any(axis=1)
    return float(np.flatnonzero(structured)[-1] + 1) / len(values) if structured.any() else 0.0


def _resized(image: Image.Image, box: Box, scale: int, size: int) -> Image.Image:
    """The full-size `box` of a picture decoded at 1/`scale`, as `size` x `size` pixels."""
    image = to_eight_bit(image)
    left, top, right, bottom = (edge / scale for edge in box)
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
