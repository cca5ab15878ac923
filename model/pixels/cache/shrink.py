"""One picture file to the smaller, upright copy that the cache keeps.

H rows, W columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image

from model.pixels.cache.entry import Coding, Entry
from model.pixels.cache.kinds import CacheKind
from model.pixels.faults import Damage, Fault
from model.pixels.jpeg import SCALES, Header, decode_rows, read_header
from model.pixels.modes import to_eight_bit, to_rgb
from model.pixels.opened import PIXEL_LIMIT, Unreadable, blaming_the_file, loaded, open_picture
from model.pixels.orientation import UPRIGHT, orientation_of

BASELINE = (0xC0, 0xC1)
"""Markers of the frames that decode fast; progressive ones are written anew."""
SUBSAMPLING = "420"


@dataclass(frozen=True)
class _Copy:
    """A picture at the size of the cache."""

    pixels: NDArray[np.uint8]
    """Upright RGB, uint8 [H, W, 3]."""
    full_size: tuple[int, int]
    damage: str = ""


def make_entry(path: Path, kind: CacheKind) -> Entry:
    """Read a picture file and make the copy that the cache keeps.

    Args:
        path: The file.
        kind: Size and form of the copy.

    Raises:
        OSError: If the file cannot be read; that says nothing lasting about the picture.
    """
    data = path.read_bytes()
    header = read_header(data)
    try:
        if header is not None and header.width * header.height <= PIXEL_LIMIT:
            if kind.quality is not None and _is_fit(data, header, kind):
                size = header.width, header.height
                return Entry(Coding.JPEG, data, size, size)
            copy = _the_short_way(data, header, kind) or _by_pillow(data, kind)
        else:
            copy = _by_pillow(data, kind)
    except Unreadable as error:
        return Entry(Coding.NOTHING, b"", (0, 0), (0, 0), Fault(Damage.UNREADABLE, str(error)))
    return _written(copy, kind)


def upright_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture as seen, from its header; None if it cannot be told."""
    try:
        data = path.read_bytes()
        header = read_header(data)
        if header is not None:
            return header.upright_size
        opened = open_picture(data)
        return orientation_of(opened.image).upright_size(*opened.image.size)
    except (OSError, Unreadable):
        return None


def _is_fit(data: bytes, header: Header, kind: CacheKind) -> bool:
    """Whether a JPEG can be kept byte by byte: small, upright, baseline and complete."""
    return (
        kind.size_of(header.width, header.height) == (header.width, header.height)
        and header.orientation is UPRIGHT
        and data[header.height_at - 4] in BASELINE
        and decode_rows(data, header, 1, header.height) is not None
    )


def _written(copy: _Copy, kind: CacheKind) -> Entry:
    height, width, _ = copy.pixels.shape
    if kind.quality is None:
        coding = Coding.RAW
        # Writable, as torch asks for it.
        payload = np.require(copy.pixels, requirements=("C", "W")).data.cast("B")
    else:
        coding = Coding.JPEG
        payload = simplejpeg.encode_jpeg(
            np.ascontiguousarray(copy.pixels), kind.quality, "RGB", SUBSAMPLING
        )
    fault = Fault(Damage.TRUNCATED, copy.damage) if copy.damage else None
    return Entry(coding, payload, copy.full_size, (width, height), fault)


def _the_short_way(data: bytes, header: Header, kind: CacheKind) -> _Copy | None:
    """Copy of an ordinary JPEG; None if Pillow has to try."""
    upright, orientation = header.upright_size, header.orientation
    # The target as it is stored: columns and rows are swapped where the orientation does so.
    width, height = orientation.upright_size(*kind.size_of(*upright))
    scale = _scale(header.width, header.height, width, height)
    pixels = decode_rows(data, header, scale, header.height)
    if pixels is None:
        return None
    if (header.width, header.height) != (width, height):
        # The last column and row of a scaled picture stand for fewer pixels than the others.
        square = torch.ops.aten._upsample_bilinear2d_aa(
            torch.from_numpy(pixels)[None].permute(0, 3, 1, 2),
            [height, width],
            False,
            height * scale / header.height,
            width * scale / header.width,
        )
        pixels = square[0].permute(1, 2, 0).numpy()
    if orientation.transpose is not None:
        pixels = np.asarray(orientation.upright(Image.fromarray(np.ascontiguousarray(pixels))))
    return _Copy(pixels, upright)


def _by_pillow(data: bytes, kind: CacheKind) -> _Copy:
    """Copy of any picture.

    Raises:
        Unreadable: If there is none.
    """
    opened = open_picture(data)
    stored = opened.image.size
    orientation = orientation_of(opened.image)
    upright = orientation.upright_size(*stored)
    target = orientation.upright_size(*kind.size_of(*upright))
    scale = 1
    if opened.is_jpeg:
        scale = _scale(*stored, *target)
        opened = loaded(opened, data, scale)
    with blaming_the_file():
        image = to_rgb(to_eight_bit(opened.image))
        if image.size != target:
            box = 0.0, 0.0, stored[0] / scale, stored[1] / scale
            image = image.resize(target, Image.Resampling.BILINEAR, box)
        pixels = np.asarray(orientation.upright(image))
    return _Copy(pixels, upright, opened.damage)


def _scale(width: int, height: int, target_width: int, target_height: int) -> int:
    """Largest divisor that leaves at least one decoded pixel per pixel of the target."""
    return next((s for s in SCALES if width >= s * target_width and height >= s * target_height), 1)
