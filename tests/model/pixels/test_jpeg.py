"""What is read of a JPEG's header, and that its pixels are Pillow's own, bit for bit."""

import io
import math

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from model.pixels.jpeg import SCALES, decode_rows, read_header, scale_for
from model.pixels.orientation import ORIENTATIONS, UPRIGHT
from tests.model.pixels.drawn_pictures import drawing, encoded

WIDTH, HEIGHT = 301, 203


def picture():
    """A drawing with grain, so that every block has something to get wrong."""
    grain = np.random.default_rng(5).normal(0, 12, (HEIGHT, WIDTH, 3))
    pixels = np.asarray(drawing(WIDTH, HEIGHT)) + grain
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def jpeg(image=None, file_format="JPEG", **options):
    return encoded(image or picture(), file_format, quality=92, **options)


def by_libjpeg_turbo(subsampling):
    """Samplings that Pillow does not write."""
    return simplejpeg.encode_jpeg(np.asarray(picture()), colorsubsampling=subsampling)


KINDS = {
    "4:2:0": lambda: jpeg(),
    "4:2:2": lambda: jpeg(subsampling="4:2:2"),
    "4:4:4": lambda: jpeg(subsampling="4:4:4"),
    "4:4:0": lambda: by_libjpeg_turbo("440"),
    "4:1:1": lambda: by_libjpeg_turbo("411"),
    "grey": lambda: jpeg(picture().convert("L")),
    "stored as RGB": lambda: jpeg(keep_rgb=True),
    "progressive": lambda: jpeg(progressive=True),
    "progressive grey": lambda: jpeg(picture().convert("L"), progressive=True),
    "restarts": lambda: jpeg(restart_marker_rows=1),
    "several pictures": lambda: jpeg(None, "MPO", save_all=True, append_images=[drawing()]),
    "long profile": lambda: jpeg(icc_profile=bytes(200_000)),
    "something after the end": lambda: jpeg() + b"trailer" * 9,
}


def header_of(content):
    header = read_header(content)
    assert header is not None
    return header


def rows_of(content, scale, rows):
    pixels = decode_rows(content, header_of(content), scale, rows)
    assert pixels is not None
    return pixels


def is_left_to_pillow(content, rows):
    return decode_rows(content, header_of(content), 1, rows) is None


def pillows(content, scale):
    """All pixels of a JPEG at 1/scale by Pillow."""
    image = Image.open(io.BytesIO(content))
    if scale > 1:
        image.draft(None, (image.width // scale, image.height // scale))
    return np.asarray(image.convert("RGB"))


@pytest.mark.parametrize("scale", [1, *SCALES])
@pytest.mark.parametrize("kind", KINDS)
def test_the_rows_that_are_needed_are_pillows_bit_for_bit(kind, scale):
    content = KINDS[kind]()
    header = header_of(content)
    assert (header.width, header.height) == (WIDTH, HEIGHT)
    expected = pillows(content, scale)
    for rows in (0.5, 16, 17, 63.3, 64.9, 65, 66, 103, HEIGHT - 1, HEIGHT):
        pixels = rows_of(content, scale, rows)
        needed = math.ceil(rows / scale)
        assert pixels.shape[1] == expected.shape[1]
        assert np.array_equal(pixels[:needed], expected[:needed])


@pytest.mark.parametrize("kind", ["4:2:0", "4:4:4", "grey", "several pictures"])
def test_rows_below_the_needed_ones_are_left_out(kind):
    content = KINDS[kind]()
    assert rows_of(content, 1, 50).shape[0] <= 52
    assert rows_of(content, 2, 50).shape[0] <= 27


def test_the_callers_bytes_stay_as_they_are():
    content = jpeg()
    kept = bytearray(content)
    view = memoryview(kept)
    pixels = rows_of(view, 1, 20)
    assert kept == content
    assert np.array_equal(pixels, rows_of(content, 1, 20))


@pytest.mark.parametrize("rows", [30, HEIGHT])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_a_file_cut_short_is_left_to_pillow_wherever_the_cut_is(share, rows):
    content = jpeg()
    cut = content[: int(len(content) * share)]
    assert is_left_to_pillow(cut, rows)


def test_damage_inside_is_left_to_pillow():
    content = bytearray(jpeg())
    middle = len(content) * 2 // 3
    content[middle : middle + 2] = b"\xff\xc8"  # a marker where there is none
    assert is_left_to_pillow(bytes(content), HEIGHT)


def test_a_missing_end_is_left_to_pillow():
    content = jpeg()[:-2]
    assert is_left_to_pillow(content, 30)


def with_a_byte(content, offset_in_frame, value):
    frame = content.index(b"\xff\xc0")
    changed = bytearray(content)
    changed[frame + offset_in_frame] = value
    return bytes(changed)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="one byte"),
        pytest.param(encoded(drawing(), "PNG"), id="png"),
        pytest.param(jpeg()[:100], id="half a header"),
        pytest.param(jpeg(picture().convert("CMYK")), id="cmyk"),
        pytest.param(with_a_byte(jpeg(), 4, 12), id="twelve bits"),
        pytest.param(with_a_byte(jpeg(), 1, 0xC9), id="arithmetic coding"),
        pytest.param(with_a_byte(with_a_byte(jpeg(), 5, 0), 6, 0), id="height told later"),
        pytest.param(b"\xff\xd8\xff\xff" + jpeg()[3:], id="padding between segments"),
    ],
)
def test_what_is_no_ordinary_jpeg_has_no_header_here(content):
    assert read_header(content) is None
    assert read_header(memoryview(content)) is None


@pytest.mark.parametrize("value", ORIENTATIONS)
def test_the_orientation_is_read_from_exif(value):
    exif = Image.Exif()
    exif[0x0112] = value
    header = header_of(jpeg(exif=exif))
    assert header.orientation == ORIENTATIONS[value]
    upright = (HEIGHT, WIDTH) if value >= 5 else (WIDTH, HEIGHT)
    assert header.upright_size == upright


def test_the_orientation_is_read_from_xmp_where_exif_is_silent():
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"></x:xmpmeta>'
    assert header_of(jpeg(xmp=xmp)).orientation == ORIENTATIONS[6]


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0MM\0\x2a\0\0\xff\xff", b"Exif\0\0nonsense"])
def test_a_damaged_exif_block_means_upright(exif):
    assert header_of(jpeg(exif=exif)).orientation is UPRIGHT


@pytest.mark.parametrize(
    ("side", "scale"), [(32, 1), (63.9, 1), (64, 2), (127, 2), (128, 4), (256, 8), (9999, 8)]
)
def test_the_scale_leaves_a_pixel_for_every_pixel(side, scale):
    assert scale_for((10, 10, 10 + side, 5000), 10_000, 10_000, 32) == scale
    assert scale_for((10, 10, 5000, 10 + side), 10_000, 10_000, 32) == scale


def test_a_picture_as_thin_as_a_line_keeps_its_one_pixel():
    assert scale_for((-2000, 0, 2000, 4000), 3, 4000, 32) == 2
    assert scale_for((-2000, 0, 2000, 4000), 1, 4000, 32) == 1
