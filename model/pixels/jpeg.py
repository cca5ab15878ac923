"""JPEG bytes to pixels by libjpeg-turbo itself: scaled down while decoding, rows below left out.

What it decodes has the very pixels that Pillow's own decoder gives; what it does not understand at
first sight (CMYK, twelve bits, arithmetic coding, a damaged header) is left to Pillow.
"""

import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from model.batch import Box
from model.pixels.orientation import UPRIGHT, Orientation, orientation_of

SCALES = (8, 4, 2)
"""Divisors at which libjpeg-turbo decodes fast, besides 1: others have no vector instructions."""

START = b"\xff\xd8"
START_OF_SCAN, RESTARTS, APP1 = 0xDA, 0xDD, 0xE1
PROGRESSIVE = 0xC2
FRAMES = (0xC0, 0xC1, PROGRESSIVE)
"""Markers of baseline, extended and progressive frames, all Huffman coded."""
NO_SEGMENT = (0x00, 0x01, *range(0xD0, 0xD8), 0xFF)
"""Bytes after 0xFF that start no segment with a length."""
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"

PASSED_OVER = re.compile(r"Corrupt JPEG data: \d+ extraneous bytes before marker 0xd9")
"""What libjpeg says when all from the last row it was asked for to the picture's end is left over.
Of several complaints it keeps the first, so that this one means no other."""


@dataclass(frozen=True)
class Header:
    """What has to be known of a JPEG before it is decoded."""

    width: int
    """Stored columns, pixels."""
    height: int
    """Stored rows, pixels."""
    height_at: int
    """Where in the file the height is written, two bytes, the higher first."""
    one_piece: bool
    """Whether the rows follow one another without a marker: no later scan, no restart."""
    orientation: Orientation
    """How the stored pixels become the upright picture."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height as seen, pixels."""
        return self.orientation.upright_size(self.width, self.height)


def read_header(data: bytes | memoryview) -> Header | None:
    """The header of a grey or three-colour JPEG of eight bits; None for anything else.

    Source: ITU-T T.81, annex B; CIPA DC-008 (Exif 2.32), section 4.7.2.
    """
    if data[:2] != START:
        return None
    frame, restarts, tags = None, False, dict[str, bytes]()
    try:
        for marker, begin, end in _segments(data):
            if marker in FRAMES:
                frame = begin
            elif marker == RESTARTS:
                restarts = True
            elif marker == APP1:
                _note_tags(tags, bytes(data[begin:end]))
        return None if frame is None else _header(data, frame, restarts, tags)
    except (IndexError, struct.error):
        return None  # damage, or bytes between the segments


def _segments(data: bytes | memoryview) -> Iterator[tuple[int, int, int]]:
    """Marker of each segment before the first scan, where its content begins and where it ends.

    Raises:
        IndexError: If there is something else than segments.
    """
    position = len(START)
    while True:
        start, marker = data[position], data[position + 1]
        if start != 0xFF or marker in NO_SEGMENT:
            raise IndexError
        if marker == START_OF_SCAN:
            return
        end = position + 2 + (data[position + 2] << 8 | data[position + 3])
        yield marker, position + 4, end
        position = end


def _note_tags(tags: dict[str, bytes], content: bytes) -> None:
    """Keep an Exif or XMP block as Pillow does; a long one comes in several segments."""
    if content.startswith(EXIF):
        tags["exif"] = tags["exif"] + content[len(EXIF) :] if "exif" in tags else content
    elif content.startswith(XMP):
        tags["xmp"] = content[len(XMP) :]


def _header(
    data: bytes | memoryview, frame: int, restarts: bool, tags: dict[str, bytes]
) -> Header | None:
    bits, height, width, components = struct.unpack_from(">BHHB", data, frame)
    if bits != 8 or components not in (1, 3) or not height or not width:
        return None
    one_piece = not restarts and data[frame - 3] != PROGRESSIVE
    return Header(width, height, frame + 1, one_piece, _orientation(tags))


def _orientation(tags: dict[str, bytes]) -> Orientation:
    if not tags:
        return UPRIGHT
    bearer = Image.Image()  # Pillow reads tags from the picture they belong to
    bearer.info.update(tags)
    return orientation_of(bearer)


def scale_for(box: Box, width: int, height: int, size: int) -> int:
    """Largest divisor that leaves at least `size` x `size` decoded pixels inside `box`.

    Args:
        box: Part of the stored picture, pixels.
        width: Stored columns, pixels.
        height: Stored rows, pixels.
        size: Side of the output, pixels.
    """
    left, top, right, bottom = box
    # A padded box may be longer than the picture, which has to keep at least one pixel.
    smaller_side = min(right - left, bottom - top, width * size, height * size)
    return next((scale for scale in SCALES if smaller_side >= scale * size), 1)


def decode_rows(
    data: bytes | memoryview, header: Header, scale: int, rows: float
) -> NDArray[np.uint8] | None:
    """The upper part of a JPEG at 1/`scale`; None if the file has to be left to Pillow.

    Rows below are left out by writing a smaller height into a copy of the header: libjpeg-turbo
    then stops after these rows, passes over the rest and complains about it at the end. Any other
    complaint means damage.

    Args:
        data: The file.
        header: Its header.
        scale: One of SCALES, or 1.
        rows: Rows that are needed, pixels of the full size; all of them are exact.

    Returns:
        RGB, uint8 [h, w, 3]: w is ceil(width / scale), h * scale at least `rows` or the height.
    """
    height = header.height
    if header.one_piece:
        # Chroma is interpolated with the sample below: two rows more at full size.
        height = min(height, math.ceil(rows + 2 * scale))
    shortened = height < header.height
    content: bytes | bytearray | memoryview = data
    if shortened:
        content = bytearray(data)
        struct.pack_into(">H", content, header.height_at, height)
    shape = (-(-height // scale), -(-header.width // scale), 3)
    pixels = np.empty(shape, dtype=np.uint8)
    try:
        decoded = simplejpeg.decode_jpeg(
            content,
            "RGB",
            min_height=shape[0],
            min_width=shape[1],
            min_factor=scale,
            buffer=pixels,
        )
    except ValueError as error:
        return pixels if shortened and PASSED_OVER.fullmatch(str(error)) else None
    return pixels if decoded.shape == shape else None
