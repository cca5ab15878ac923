"""JPEG bytes to pixels by libjpeg-turbo itself: scaled down while decoding, rows below left out.

What it decodes has the very pixels that Pillow's own decoder gives; what it does not understand at
first sight (CMYK, twelve bits, arithmetic coding, a damaged header) is left to Pillow.
"""

import math
import struct
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from model.batch import Box
from model.pixels.orientation import UPRIGHT, Orientation, orientation_of

SCALES = (8, 4, 2)
"""Divisors at which libjpeg-turbo decodes fast, besides 1: others have no vector instructions."""
BLOCK = 8
"""Side of a block of coefficients, pixels."""

START, END = b"\xff\xd8", b"\xff\xd9"
START_OF_SCAN, APP1 = 0xDA, 0xE1
FRAMES = (0xC0, 0xC1, 0xC2)
"""Markers of baseline, extended and progressive frames, all Huffman coded."""
NO_SEGMENT = (0x00, 0x01, *range(0xD0, 0xD8), 0xFF)
"""Bytes after 0xFF that start no segment with a length."""
EXIF, XMP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"


@dataclass(frozen=True)
class Header:
    """What has to be known of a JPEG before it is decoded."""

    width: int
    """Stored columns, pixels."""
    height: int
    """Stored rows, pixels."""
    height_at: int
    """Where in the file the height is written, two bytes, the higher first."""
    rows_per_unit: int
    """Rows that are coded together, pixels."""
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
    frame, tags, position = None, dict[str, bytes](), 2
    try:
        while True:
            start, marker = data[position], data[position + 1]
            if start != 0xFF or marker in NO_SEGMENT:
                return None  # damage, or bytes between the segments
            if marker == START_OF_SCAN:
                break
            length = data[position + 2] << 8 | data[position + 3]
            if marker in FRAMES:
                frame = position
            elif marker == APP1:
                _note_tags(tags, bytes(data[position + 4 : position + 2 + length]))
            position += 2 + length
        return None if frame is None else _header(data, frame, tags)
    except (IndexError, struct.error):
        return None


def _note_tags(tags: dict[str, bytes], content: bytes) -> None:
    """Keep an Exif or XMP block as Pillow does; a long one comes in several segments."""
    if content.startswith(EXIF):
        tags["exif"] = tags["exif"] + content[len(EXIF) :] if "exif" in tags else content
    elif content.startswith(XMP):
        tags["xmp"] = content[len(XMP) :]


def _header(data: bytes | memoryview, frame: int, tags: dict[str, bytes]) -> Header | None:
    bits, height, width, components = struct.unpack_from(">BHHB", data, frame + 4)
    if bits != 8 or components not in (1, 3) or not height or not width:
        return None
    # A grey picture is coded block by block, whatever sampling it claims.
    sampling = [data[frame + 11 + 3 * i] & 15 for i in range(components)] if components > 1 else [1]
    return Header(width, height, frame + 5, BLOCK * max(sampling), _orientation(tags))


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
    then stops after these rows and looks for the end of the file. Only a file that has its end is
    treated so; any other is decoded strictly and to the last row, so that a file that is cut short
    is noticed.

    Args:
        data: The file.
        header: Its header.
        scale: One of SCALES, or 1.
        rows: Rows that are needed, pixels of the full size; all of them are exact.

    Returns:
        RGB, uint8 [h, w, 3]: w is ceil(width / scale), h * scale at least `rows` or the height.
    """
    unit = header.rows_per_unit
    # Chroma is interpolated with the sample below: two rows more at full size.
    height = min(header.height, math.ceil((rows + 2 * scale) / unit) * unit)
    complete = data[-2:] == END
    content: bytes | bytearray | memoryview = data
    if not complete:
        height = header.height
    elif height < header.height:
        content = bytearray(data)
        struct.pack_into(">H", content, header.height_at, height)
    try:
        pixels = simplejpeg.decode_jpeg(
            content,
            "RGB",
            min_height=-(-height // scale),
            min_width=-(-header.width // scale),
            min_factor=scale,
            strict=not complete,
        )
    except ValueError:
        return None
    return pixels if pixels.shape[1] == -(-header.width // scale) else None
