"""Every picture is drawn here and compared with a plain full decode by Pillow."""

import io
import os
import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from model.pixels.decode import GREY, decode, decode_into
from model.pixels.faults import Damage
from model.pixels.jpeg import decode_rows
from tests.model.pixels.drawn_pictures import (
    PART,
    SIZE,
    WHOLE,
    Box,
    drawing,
    encoded,
    psnr,
    reference,
    saved,
    with_alpha,
)

# What Pillow warns about, a damaged EXIF block for one, we count ourselves.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]


def with_transparent_colour(image):
    image = image.quantize(16)
    image.info["transparency"] = 3
    return image


@pytest.mark.parametrize("framing", [WHOLE, PART], ids=["whole", "part"])
@pytest.mark.parametrize(
    ("file_format", "change"),
    [
        pytest.param("PNG", lambda image: image, id="rgb png"),
        pytest.param("WEBP", lambda image: image, id="webp"),
        pytest.param("BMP", lambda image: image, id="bmp"),
        pytest.param("TIFF", lambda image: image, id="tiff"),
        pytest.param("JPEG", lambda image: image, id="rgb jpeg"),
        pytest.param("JPEG", lambda image: image.convert("L"), id="grey jpeg"),
        pytest.param("JPEG", lambda image: image.convert("CMYK"), id="cmyk jpeg"),
        pytest.param("TIFF", lambda image: image.convert("CMYK"), id="cmyk tiff"),
        pytest.param("PNG", lambda image: image.convert("L"), id="grey"),
        pytest.param("PNG", lambda image: with_alpha(image).convert("LA"), id="grey with alpha"),
        pytest.param("PNG", with_alpha, id="alpha"),
        pytest.param("WEBP", with_alpha, id="webp with alpha"),
        pytest.param("PNG", lambda image: image.quantize(64), id="palette"),
        pytest.param("PNG", with_transparent_colour, id="transparent palette"),
        pytest.param("GIF", with_transparent_colour, id="transparent gif"),
        pytest.param("PNG", lambda image: image.convert("1"), id="one bit"),
        pytest.param("TIFF", lambda image: image.convert("YCbCr"), id="ycbcr"),
    ],
)
def test_a_picture_of_any_mode_looks_as_a_full_decode_does(tmp_path, file_format, change, framing):
    content = encoded(change(drawing()), file_format)
    decoded = decode(saved(tmp_path, content), framing, 0)
    assert decoded.fault is None
    assert decoded.pixels.shape == (SIZE, SIZE, 3)
    assert decoded.pixels.dtype == np.uint8
    assert psnr(decoded.pixels, reference(Image.open(io.BytesIO(content)), framing)) > 42


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_picture_is_turned_upright_before_it_is_framed(
    tmp_path, file_format, orientation
):
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(drawing(600, 400), file_format, exif=exif)
    framing = Box(*PART.shares)
    decoded = decode(saved(tmp_path, content), framing, 5)
    upright = (600, 400) if orientation < 5 else (400, 600)
    assert framing.asked == [(*upright, 5)]
    assert psnr(decoded.pixels, reference(Image.open(io.BytesIO(content)), PART)) > 38


def test_a_damaged_exif_block_leaves_the_picture_as_stored(tmp_path):
    content = encoded(drawing(), "JPEG", exif=b"Exif\0\0MM\0\x2a\0\0\xff\xff")
    decoded = decode(saved(tmp_path, content), WHOLE, 0)
    assert decoded.fault is None
    plain = Image.open(io.BytesIO(encoded(drawing(), "JPEG")))
    assert psnr(decoded.pixels, reference(plain, WHOLE)) > 42


def test_an_ycck_jpeg_is_the_picture_that_pillow_shows(tmp_path):
    cmyk = encoded(drawing().convert("CMYK"), "JPEG", quality=95)
    transform = cmyk.index(b"Adobe") + 11
    ycck = cmyk[:transform] + b"\2" + cmyk[transform + 1 :]  # the flag by which Adobe marks YCCK
    assert cmyk[transform] == 0
    decoded = [decode(saved(tmp_path, content), WHOLE, 0).pixels for content in (cmyk, ycck)]
    assert psnr(decoded[0], reference(drawing(), WHOLE)) > 30
    assert psnr(decoded[1], reference(Image.open(io.BytesIO(ycck)), WHOLE)) > 42
    assert psnr(*decoded) < 30


@pytest.mark.parametrize("width", [64, 127, 128, 129, 255, 256, 700, 1117])
def test_a_jpeg_is_never_decoded_below_the_needed_resolution(tmp_path, monkeypatch, width):
    decoded_pixels = []

    def remembered(*arguments):
        decoded_pixels.append(decode_rows(*arguments))
        return decoded_pixels[-1]

    monkeypatch.setattr("model.pixels.decode.decode_rows", remembered)
    content = encoded(drawing(width, width), "JPEG", quality=95)
    decoded = decode(saved(tmp_path, content), PART, 0)
    decoded_width = decoded_pixels[0].shape[1]
    share = PART.shares[3] - PART.shares[1]
    assert decoded_width * share >= SIZE
    assert decoded_width * share < 2 * SIZE or decoded_width == width or width / 8 >= 2 * SIZE
    assert psnr(decoded.pixels, reference(Image.open(io.BytesIO(content)), PART)) > 38


def test_sixteen_bit_grey_is_scaled_and_not_clipped(tmp_path):
    ramp = np.linspace(0, 65_535, SIZE * SIZE).reshape(SIZE, SIZE).astype(np.uint16)
    decoded = decode(saved(tmp_path, encoded(Image.fromarray(ramp), "PNG")), WHOLE, 0)
    assert np.array_equal(decoded.pixels[..., 0], np.rint(ramp / 257).astype(np.uint8))


@pytest.mark.parametrize(
    ("low", "high", "black", "white"),
    [
        pytest.param(0.0, 1.0, 0.0, 1.0, id="shares"),
        pytest.param(0.0, 200.0, 0.0, 255.0, id="bytes"),
        pytest.param(-3.0, 5000.0, -3.0, 5000.0, id="anything else"),
    ],
)
def test_floats_are_scaled_by_the_range_they_fit(tmp_path, low, high, black, white):
    values = np.linspace(low, high, SIZE * SIZE).reshape(SIZE, SIZE).astype(np.float32)
    decoded = decode(saved(tmp_path, encoded(Image.fromarray(values), "TIFF")), WHOLE, 0)
    expected = (values.astype(np.float64) - black) / (white - black) * 255
    assert np.abs(decoded.pixels[..., 0] - expected).max() <= 0.5 + 1e-3


def test_floats_that_are_no_numbers_do_no_harm(tmp_path):
    values = np.full((40, 40), np.nan, dtype=np.float32)
    values[:20] = np.inf
    values[0, 0] = -np.inf
    decoded = decode(saved(tmp_path, encoded(Image.fromarray(values), "TIFF")), WHOLE, 0)
    assert decoded.fault is None


def test_an_animation_shows_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "green", "blue")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    decoded = decode(saved(tmp_path, content), WHOLE, 0)
    assert decoded.pixels[10, 10].tolist() == [255, 0, 0]


def test_a_picture_of_one_pixel_fills_the_input(tmp_path):
    content = encoded(Image.new("RGB", (1, 1), (10, 20, 30)), "PNG")
    decoded = decode(saved(tmp_path, content), WHOLE, 0)
    assert (decoded.pixels == (10, 20, 30)).all()


@pytest.mark.parametrize("share", [0.4, 0.7, 0.99])
@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {"interlace": 0}),
    ],
    ids=["jpeg", "progressive jpeg", "png", "bmp", "gif"],
)
def test_a_picture_cut_short_is_decoded_as_far_as_it_goes(tmp_path, file_format, options, share):
    content = encoded(drawing(320, 320), file_format, **options)
    decoded = decode(saved(tmp_path, content[: int(len(content) * share)]), WHOLE, 0)
    assert decoded.fault is not None
    assert decoded.fault.damage is Damage.TRUNCATED
    assert decoded.readable
    whole = reference(Image.open(io.BytesIO(content)), WHOLE)
    first_decoded = -1 if file_format == "BMP" else 0  # BMP stores the lowest row first
    least = 15 if "progressive" in options else 35  # progressive files start coarse everywhere
    assert psnr(decoded.pixels[first_decoded], whole[first_decoded]) > least


def png_that_claims(width, height):
    content = bytearray(encoded(Image.new("L", (8, 8)), "PNG"))
    content[16:24] = struct.pack(">II", width, height)
    content[29:33] = struct.pack(">I", zlib.crc32(bytes(content[12:29])))
    return bytes(content)


def broken(name):
    """Content of a file that holds no picture, and the reason to be told."""
    jpeg = encoded(drawing(), "JPEG")
    start_of_scan = jpeg.index(b"\xff\xda")
    return {
        "zero bytes": (b"", "zero bytes"),
        "text": (b"<html>404 Not Found</html>", "not a picture"),
        "header only": (jpeg[: start_of_scan + 14], "truncated"),
        "half a header": (jpeg[:40], "Truncated File Read"),
        "noise after a jpeg start": (b"\xff\xd8\xff" + bytes(range(256)) * 4, "not a picture"),
        "bomb": (png_that_claims(60_000, 60_000), "decompression bomb"),
        "smaller bomb": (png_that_claims(10_000, 10_000), "possible decompression bomb"),
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "zero bytes",
        "text",
        "header only",
        "half a header",
        "noise after a jpeg start",
        "bomb",
        "smaller bomb",
    ],
)
def test_a_file_without_a_picture_becomes_a_grey_square_with_a_reason(tmp_path, name):
    content, reason = broken(name)
    decoded = decode(saved(tmp_path, content), WHOLE, 0)
    assert decoded.fault is not None
    assert not decoded.readable
    assert (decoded.pixels == GREY).all()
    assert re.search(reason, decoded.fault.reason)


def test_a_file_that_is_not_there_or_not_a_file_becomes_a_grey_square(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    faults = [decode(tmp_path / name, WHOLE, 0).fault for name in ("gone", "dangling.jpg", "pipe")]
    assert [fault and fault.reason for fault in faults] == [
        "No such file or directory",
        "No such file or directory",
        "not a regular file",
    ]


def test_random_damage_never_raises(tmp_path):
    rng = np.random.default_rng(7)
    originals = [
        encoded(drawing(90, 60), "JPEG"),
        encoded(drawing(90, 60), "JPEG", progressive=True),
        *(encoded(drawing(90, 60), name) for name in ("PNG", "GIF", "TIFF", "WEBP", "BMP")),
        encoded(drawing(90, 60), "TIFF", compression="tiff_lzw"),
    ]
    for trial in range(240):
        content = bytearray(originals[trial % len(originals)])
        for position in rng.integers(0, len(content), 12):
            content[position] = rng.integers(256)
        decoded = decode(saved(tmp_path, bytes(content)), PART, 0)
        assert decoded.pixels.shape == (SIZE, SIZE, 3)


@pytest.mark.parametrize(
    "shares", [(0.5, 0, 0.5, 1), (0, 0, 1.2, 1), (-0.1, 0, 1, 1)], ids=["empty", "right", "left"]
)
def test_a_box_outside_the_picture_is_the_callers_error(tmp_path, shares):
    path = saved(tmp_path, encoded(drawing(), "JPEG"))
    with pytest.raises(ValueError, match="not inside the 150 x 110 picture"):
        decode(path, Box(*shares), 0)


@pytest.mark.parametrize("kind", [bytes, memoryview], ids=["bytes", "memory map"])
def test_content_in_memory_is_decoded_like_a_file_into_the_given_place(tmp_path, kind):
    content = encoded(drawing(), "JPEG")
    expected = decode(saved(tmp_path, content), PART, 3).pixels
    batch = np.zeros((3, SIZE, SIZE, 3), dtype=np.uint8)
    assert decode_into(kind(content), PART, 3, batch[1]) is None
    assert np.array_equal(batch[1], expected)
    assert not batch[[0, 2]].any()


def test_every_way_writes_the_whole_place():
    for content in (encoded(drawing(), "JPEG"), encoded(drawing(), "PNG"), b"no picture"):
        black, white = (np.full((SIZE, SIZE, 3), level, dtype=np.uint8) for level in (0, 255))
        for place in (black, white):
            decode_into(content, PART, 0, place)
        assert np.array_equal(black, white)
