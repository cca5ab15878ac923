"""The short way and Pillow's way give the same pixels and find the same faults."""

import numpy as np
import pytest
from PIL import Image

from model.pixels import decode as room
from model.pixels.decode import decode
from model.pixels.faults import Damage
from tests.model.pixels.drawn_pictures import PART, SIZE, WHOLE, Box, drawing, encoded, psnr

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

BEYOND = Box(-0.1, 0.05, 1.2, 0.95, pads=True)


def grainy(width=460, height=300):
    grain = np.random.default_rng(1).normal(0, 6, (height, width, 3))
    return Image.fromarray((np.asarray(drawing(width, height)) + grain).clip(0, 255).astype("u1"))


def jpeg(image=None, file_format="JPEG", **options):
    return encoded(image or grainy(), file_format, quality=90, **options)


def turned(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def as_ycck(cmyk):
    transform = cmyk.index(b"Adobe") + 11
    return cmyk[:transform] + b"\2" + cmyk[transform + 1 :]


def both_ways(monkeypatch, content, framing):
    """What comes out, and what Pillow makes of it alone."""
    ours = decode(content, framing, 0)
    with monkeypatch.context() as patch:
        patch.setattr(room, "read_header", lambda data: None)
        return ours, decode(content, framing, 0)


@pytest.fixture
def short_way(monkeypatch):
    """One entry for each picture that needed no Pillow."""
    taken = []
    original = room._the_short_way

    def remembered(*arguments):
        square = original(*arguments)
        if square is not None:
            taken.append(square)
        return square

    monkeypatch.setattr(room, "_the_short_way", remembered)
    return taken


@pytest.mark.parametrize("framing", [WHOLE, PART, BEYOND], ids=["whole", "part", "beyond"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(jpeg(), id="baseline"),
        pytest.param(jpeg(subsampling="4:4:4"), id="4:4:4"),
        pytest.param(jpeg(progressive=True), id="progressive"),
        pytest.param(jpeg(restart_marker_rows=1), id="restarts"),
        pytest.param(jpeg(grainy().convert("L")), id="grey"),
        pytest.param(jpeg(None, "MPO", save_all=True, append_images=[drawing()]), id="mpo"),
        pytest.param(jpeg(grainy(90, 60)), id="small"),
        pytest.param(jpeg(grainy(3, 200)), id="thin"),
        *(pytest.param(jpeg(exif=turned(way)), id=f"turned {way}") for way in range(1, 9)),
    ],
)
def test_the_short_way_shows_what_pillow_shows(monkeypatch, short_way, content, framing):
    ours, pillows = both_ways(monkeypatch, content, framing)
    assert len(short_way) == 1
    assert ours.fault is None
    # The same decoded pixels; the box may lie a twentieth of one beside.
    assert psnr(ours.pixels, pillows.pixels) > 45
    assert np.abs(ours.pixels.astype(int) - pillows.pixels).max() <= 14


@pytest.mark.parametrize("framing", [WHOLE, PART], ids=["whole", "part"])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(jpeg(grainy().convert("CMYK")), id="cmyk"),
        pytest.param(as_ycck(jpeg(grainy().convert("CMYK"))), id="ycck"),
        pytest.param(jpeg()[:-2], id="no end"),
        pytest.param(b"\xff\xd8\xff\xff" + jpeg()[3:], id="padding between segments"),
        pytest.param(encoded(grainy(), "PNG"), id="png"),
        pytest.param(encoded(grainy(), "WEBP"), id="webp"),
    ],
)
def test_what_the_fast_decoder_refuses_is_pillows_pixel_by_pixel(
    monkeypatch, short_way, content, framing
):
    ours, pillows = both_ways(monkeypatch, content, framing)
    assert not short_way
    assert ours.fault == pillows.fault
    assert np.array_equal(ours.pixels, pillows.pixels)


@pytest.mark.parametrize("framing", [WHOLE, PART], ids=["whole", "part"])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.4, 0.7, 0.95, 0.999])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_cut_short_has_the_same_fault_and_pixels(monkeypatch, share, framing, progressive):
    content = jpeg(progressive=progressive)
    ours, pillows = both_ways(monkeypatch, content[: int(len(content) * share)], framing)
    assert ours.fault == pillows.fault
    assert ours.fault is not None
    assert np.array_equal(ours.pixels, pillows.pixels)


def test_what_lies_just_below_the_box_tinges_its_last_row_as_with_pillow(monkeypatch, short_way):
    pixels = np.zeros((2000, 60, 3), dtype=np.uint8)
    pixels[1200:] = 255
    ours, pillows = both_ways(monkeypatch, jpeg(Image.fromarray(pixels)), Box(0, 0, 1, 0.6))
    assert short_way
    assert pillows.pixels[-1].min() > 20
    assert np.abs(ours.pixels.astype(int) - pillows.pixels).max() <= 3


def test_a_cut_below_the_box_is_noticed_all_the_same(monkeypatch):
    content = jpeg(grainy(300, 900))
    top = Box(0, 0, 1, 0.2)
    ours, pillows = both_ways(monkeypatch, content[: int(len(content) * 0.8)], top)
    assert ours.fault == pillows.fault
    assert ours.fault is not None
    assert ours.fault.damage is Damage.TRUNCATED


def test_damaged_files_are_told_from_good_ones_as_pillow_tells_them(monkeypatch):
    rng = np.random.default_rng(11)
    originals = [jpeg(grainy(150, 100), progressive=way) for way in (False, True)]
    faults = []
    for trial in range(120):
        content = bytearray(originals[trial % 2])
        start = int(rng.integers(2, len(content)))
        if trial % 3 == 0:  # bytes lost
            del content[start : start + int(rng.integers(1, 400))]
        elif trial % 3 == 1:  # bytes changed
            content[start : start + 3] = rng.bytes(3)
        else:  # the rest lost, and the end repaired
            content[start:] = b"\xff\xd9"
        ours, pillows = both_ways(monkeypatch, bytes(content), PART)
        assert ours.fault == pillows.fault
        assert psnr(ours.pixels, pillows.pixels) > 40
        faults.append(ours.fault)
    assert faults.count(None) > 20
    assert len(faults) - faults.count(None) > 20


def test_the_framing_is_asked_once_though_both_ways_are_gone():
    content = jpeg()[:-2]
    framing = Box()
    assert decode(content, framing, 3).pixels.shape == (SIZE, SIZE, 3)
    assert framing.asked == [(460, 300, 3)]
