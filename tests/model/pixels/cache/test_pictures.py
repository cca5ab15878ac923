import os

import numpy as np
import pytest

from model.augment import CenterCrop, Pad, RandomCrop
from model.pixels.cache.kinds import JPEG, RAW
from model.pixels.cache.pictures import CacheDamaged, PictureCache
from model.pixels.cache.plan import open_cache
from model.pixels.cache.store import Store
from model.pixels.decode import decode
from tests.model.pixels.drawn_pictures import Box, drawing, encoded, psnr, saved

KINDS = pytest.mark.parametrize("kind", [JPEG, RAW], ids=["jpeg", "raw"])
NAMES = [f"사진 {i}.jpg" for i in range(6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Large, small, turned, cut short and broken pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    large = encoded(drawing(900, 700), "JPEG")
    contents = [large, encoded(drawing(), "JPEG"), encoded(drawing(600, 900), "PNG")]
    contents += [large[:-5000], b"no picture", b""]
    for name, content in zip(NAMES, contents, strict=True):
        saved(folder, content, name)
    return folder


def cache_in(place, folder, kind=JPEG):
    return PictureCache(folder, Store(place), kind)


def read(cache, framing):
    out = np.zeros((len(NAMES), framing.size, framing.size, 3), dtype=np.uint8)
    faults = [cache.read_into(name, framing, i, out[i]) for i, name in enumerate(NAMES)]
    return out, faults


@KINDS
@pytest.mark.parametrize(
    "framing", [RandomCrop(48, 0.2, 4 / 3, key=3), CenterCrop(48, 0.9), Pad(48)]
)
def test_pixels_and_faults_do_not_depend_on_what_was_there_before(tmp_path, folder, kind, framing):
    cold = cache_in(tmp_path, folder, kind)
    made, faults = read(cold, framing)
    waiting, _ = read(cold, framing)
    cold.flush()
    warm = cache_in(tmp_path, folder, kind)
    assert len(warm.store) == 5  # an empty file is not worth an entry
    refused = cache_in(tmp_path / "full", folder, kind)
    refused.full = True
    for cache in (cold, warm, refused):
        pixels, told = read(cache, framing)
        assert np.array_equal(pixels, made)
        assert told == faults
    assert np.array_equal(waiting, made)
    assert faults == [decode(folder / name, framing, 0).fault for name in NAMES]


@KINDS
def test_a_framing_is_asked_about_the_full_picture(tmp_path, folder, kind):
    part = Box(0.2, 0.1, 0.7, 0.9)
    pixels, _ = read(cache_in(tmp_path, folder, kind), part)
    assert [asked[:2] for asked in part.asked[:3]] == [(900, 700), (150, 110), (600, 900)]
    for i, name in enumerate(NAMES[:4]):
        assert psnr(pixels[i], decode(folder / name, part, i).pixels) > 30


def test_a_box_that_cannot_be_is_refused(tmp_path, folder):
    with pytest.raises(ValueError, match="900 x 700"):
        read(cache_in(tmp_path, folder), Box(0.5, 0.5, 1.2, 1.0))


def test_a_file_that_has_changed_is_made_anew(tmp_path):
    saved(tmp_path, encoded(drawing(600, 500), "JPEG"), NAMES[0])
    framing, out = CenterCrop(32, 1.0), np.empty((2, 32, 32, 3), dtype=np.uint8)
    old = cache_in(tmp_path / "cache", tmp_path)
    old.read_into(NAMES[0], framing, 0, out[0])
    old.flush()
    saved(tmp_path, encoded(drawing(600, 500).rotate(180), "JPEG"), NAMES[0])
    os.utime(tmp_path / NAMES[0], ns=(1, 1))
    new = cache_in(tmp_path / "cache", tmp_path)
    new.read_into(NAMES[0], framing, 0, out[1])
    new.flush()
    assert psnr(out[0], out[1]) < 20
    assert len(new.store) == 2


def test_a_file_that_is_gone_is_a_fault_as_without_a_cache(tmp_path, folder):
    cache = cache_in(tmp_path, folder)
    out = np.empty((32, 32, 3), dtype=np.uint8)
    fault = cache.read_into("none.jpg", CenterCrop(32, 1.0), 0, out)
    assert fault == decode(folder / "none.jpg", CenterCrop(32, 1.0), 0).fault
    assert len(cache.store) == 0


def test_a_disk_that_refuses_stops_keeping_but_not_reading(tmp_path, folder):
    cache = cache_in(tmp_path, folder)
    cache.limit = 10
    pixels, _ = read(cache, CenterCrop(32, 1.0))
    cache.flush()
    assert cache.full
    assert len(Store(tmp_path)) == 0
    assert np.array_equal(read(cache, CenterCrop(32, 1.0))[0], pixels)


def test_a_damaged_copy_is_not_blamed_on_the_file(tmp_path, folder):
    cache = cache_in(tmp_path, folder)
    read(cache, CenterCrop(32, 1.0))
    cache.flush()
    blob = tmp_path / "pixels"
    blob.write_bytes(bytes(blob.stat().st_size))
    with pytest.raises(CacheDamaged, match="remove that folder"):
        read(cache_in(tmp_path, folder), CenterCrop(32, 1.0))


def test_settings_and_folders_of_pictures_do_not_share_a_cache(tmp_path, folder):
    places = {
        open_cache(pictures, kind, tmp_path / "root").store.folder
        for pictures in (folder, tmp_path)
        for kind in (JPEG, RAW)
    }
    assert len(places) == 4
