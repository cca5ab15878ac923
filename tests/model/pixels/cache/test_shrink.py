import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from model.pixels.cache.entry import Coding
from model.pixels.cache.kinds import JPEG, RAW
from model.pixels.cache.shrink import make_entry, upright_size
from model.pixels.decode import decode
from model.pixels.faults import Damage
from tests.model.pixels.drawn_pictures import (
    WHOLE,
    drawing,
    encoded,
    psnr,
    saved,
    with_alpha,
)

LARGE = drawing(1300, 903)


def pixels_of(entry):
    if entry.coding is Coding.JPEG:
        return np.asarray(Image.open(io.BytesIO(entry.payload)))
    width, height = entry.size
    return np.frombuffer(entry.payload, np.uint8).reshape(height, width, 3)


@pytest.mark.parametrize(
    ("kind", "size"), [(JPEG, (512, 356)), (RAW, (369, 256))], ids=["jpeg", "raw"]
)
def test_a_large_picture_is_shrunk_with_its_proportions(tmp_path, kind, size):
    path = saved(tmp_path, encoded(LARGE, "JPEG", quality=95))
    entry = make_entry(path, kind)
    assert entry.full_size == LARGE.size == upright_size(path)
    assert entry.size == size
    assert entry.fault is None
    small = np.asarray(LARGE.resize(size, Image.Resampling.BILINEAR))
    assert psnr(pixels_of(entry), small) > 38


@pytest.mark.parametrize("kind", [JPEG, RAW], ids=["jpeg", "raw"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_copies_are_upright(tmp_path, kind, tag):
    image = drawing(1100, 700)
    exif = Image.Exif()
    exif[0x0112] = tag
    path = saved(tmp_path, encoded(image, "JPEG", exif=exif, quality=95))
    upright = ImageOps.exif_transpose(Image.open(path))
    entry = make_entry(path, kind)
    assert entry.full_size == upright.size == upright_size(path)
    assert entry.size == kind.size_of(*upright.size)
    assert psnr(pixels_of(entry), np.asarray(upright.resize(entry.size))) > 32


def test_a_small_ordinary_jpeg_is_kept_byte_by_byte(tmp_path):
    content = encoded(drawing(), "JPEG", quality=70)
    entry = make_entry(saved(tmp_path, content), JPEG)
    assert entry.payload == content
    assert entry.size == entry.full_size == drawing().size


@pytest.mark.parametrize("kind", [JPEG, RAW], ids=["jpeg", "raw"])
def test_a_small_picture_is_never_enlarged(tmp_path, kind):
    entry = make_entry(saved(tmp_path, encoded(drawing(), "PNG"), "a.png"), kind)
    assert entry.size == drawing().size
    assert psnr(pixels_of(entry), np.asarray(drawing())) > 30


def test_a_small_progressive_jpeg_is_written_anew(tmp_path):
    content = encoded(drawing(), "JPEG", progressive=True)
    entry = make_entry(saved(tmp_path, content), JPEG)
    assert entry.payload != content
    assert entry.size == drawing().size


@pytest.mark.parametrize(
    "content",
    [
        encoded(with_alpha(LARGE), "PNG"),
        encoded(LARGE.convert("CMYK"), "JPEG"),
        encoded(LARGE.convert("L"), "JPEG"),
        encoded(LARGE, "WEBP"),
        encoded(LARGE, "JPEG", progressive=True, subsampling="4:4:4"),
    ],
    ids=["alpha", "cmyk", "grey", "webp", "progressive"],
)
@pytest.mark.parametrize("kind", [JPEG, RAW], ids=["jpeg", "raw"])
def test_unusual_files_look_as_they_do_without_a_cache(tmp_path, kind, content):
    path = saved(tmp_path, content)
    entry = make_entry(path, kind)
    assert entry.full_size == LARGE.size
    shown = decode(path, WHOLE, 0).pixels
    small = Image.fromarray(pixels_of(entry)).resize((32, 32), Image.Resampling.BILINEAR)
    assert psnr(np.asarray(small), shown) > 34


@pytest.mark.parametrize(
    "content",
    [
        b"no picture",
        encoded(LARGE, "JPEG")[:-9000],
        encoded(LARGE, "JPEG")[:700],
        encoded(drawing(), "JPEG")[:-900],
        encoded(LARGE, "PNG")[:-4000],
    ],
    ids=["no picture", "cut", "header only", "small and cut", "cut png"],
)
@pytest.mark.parametrize("kind", [JPEG, RAW], ids=["jpeg", "raw"])
def test_faults_are_those_of_the_file(tmp_path, kind, content):
    path = saved(tmp_path, content)
    entry, seen = make_entry(path, kind), decode(path, WHOLE, 0)
    assert seen.fault is not None
    assert entry.fault == seen.fault
    assert (entry.coding is Coding.NOTHING) == (seen.fault.damage is Damage.UNREADABLE)
