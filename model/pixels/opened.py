"""Pictures of any format, opened by Pillow, which also salvages what is left of damaged ones.

Pillow's module-wide settings stay untouched, because other threads, and the guest's own code, use
them too.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""What a picture may be, whatever its name says. Pillow opens more; EPS would run Ghostscript."""

PIXEL_LIMIT = 89_478_485
"""Larger pictures are refused as decompression bombs. Source: Pillow's `MAX_IMAGE_PIXELS`."""

JPEG_FORMATS = ("JPEG", "MPO")
END_OF_JPEG = b"\xff\xd9"

LEAST_DECODED_SHARE = 0.25
"""A picture cut short counts as unreadable up to this share of its rows. Even a JPEG that ends with
its header yields a first row of blocks, made of noise."""


class Unreadable(Exception):
    """No pixel can be had from the file; the message is the reason."""


@dataclass(frozen=True)
class Opened:
    """A picture on its way from bytes to pixels."""

    image: ImageFile
    damage: str = ""
    """Why part of the pixels is missing; empty if none is."""

    @property
    def is_jpeg(self) -> bool:
        """Whether the picture can be decoded at a smaller scale."""
        return self.image.format in JPEG_FORMATS


@contextmanager
def blaming_the_file() -> Iterator[None]:
    """Whatever Pillow raises inside is the file's fault: on damaged input it raises anything.

    Raises:
        Unreadable: Instead.
    """
    try:
        yield
    except Unreadable:
        raise
    except UnidentifiedImageError as error:
        raise Unreadable("not a picture, or its header is damaged") from error
    except Exception as error:
        raise Unreadable(_reason(error)) from error


def _reason(error: Exception) -> str:
    """The first line of what Pillow says, or at least the kind of error."""
    return (str(error).splitlines() or [""])[0] or type(error).__name__


def open_picture(data: bytes | memoryview) -> Opened:
    """The picture with its header read; all but JPEGs, which can be decoded smaller, with pixels.

    Pixels come first where nothing is lost by it, because PNG and TIFF may tell their orientation
    only afterwards, and TIFF then already is upright.

    Raises:
        Unreadable: If the file holds no picture, or too large a one.
    """
    with blaming_the_file():
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = image.size
    if width * height > PIXEL_LIMIT:
        raise Unreadable(f"{width} x {height} pixels, a possible decompression bomb")
    opened = Opened(image)
    return opened if opened.is_jpeg else loaded(opened, data, scale=1)


def loaded(opened: Opened, data: bytes | memoryview, scale: int) -> Opened:
    """The picture with its pixels, as many as the file holds, a JPEG's at 1/`scale`.

    Raises:
        Unreadable: If hardly any pixel can be had.
    """
    try:
        _load(opened.image, scale)
    except Exception as error:  # on damaged input Pillow raises anything
        return _salvaged(opened, data, scale, damage=_reason(error))
    return opened


def _load(image: ImageFile, scale: int) -> None:
    if scale > 1:
        image.draft(None, (image.width // scale, image.height // scale))
    image.load()


def _salvaged(opened: Opened, data: bytes | memoryview, scale: int, *, damage: str) -> Opened:
    """The pixels before the point where decoding failed.

    Pillow can do this itself, but only by a switch for the whole process. A JPEG is given the end
    marker it lacks instead, so that libjpeg fills the rest; other decoders have written their rows
    into the image by the time they fail, and forgetting the undecoded tile reveals them.
    """
    image = opened.image
    with blaming_the_file():
        if opened.is_jpeg:
            image = Image.open(io.BytesIO(bytes(data) + END_OF_JPEG), formats=FORMATS)
            with suppress(Exception):  # the damage is known; what counts now is what gets decoded
                _load(image, scale)
        image.tile = []
        image.load()
        if _decoded_share(image) <= LEAST_DECODED_SHARE:
            raise Unreadable(damage)
    return Opened(image, damage)


def _decoded_share(image: Image.Image) -> float:
    """How far down a picture that was cut short goes, 0..1; the filling below is of one colour."""
    values = np.asarray(image)
    structured = (values != values[:, :1]).reshape(len(values), -1).any(axis=1)
    return float(np.flatnonzero(structured)[-1] + 1) / len(values) if structured.any() else 0.0
