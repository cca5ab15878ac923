import re

import pytest

from model.pixels.cache.kinds import JPEG
from model.pixels.cache.plan import CacheWish, build, gigabytes, open_cache, prepare_cache
from model.pixels.table import DataError
from tests.model.pixels.drawn_pictures import drawing, encoded, saved

COUNT = 40


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    content = encoded(drawing(1000, 800), "JPEG")
    return folder, [saved(folder, content, f"{i}.jpg").name for i in range(COUNT)]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    content = encoded(drawing(), "JPEG")
    return folder, [saved(folder, content, f"{i}.jpg").name for i in range(COUNT)]


def prepared(pictures, root, kind, **options):
    told = []
    folder, names = pictures
    return prepare_cache(folder, names, CacheWish(kind, root, **options), told.append), told


def made(pictures, root, kind, **options):
    cache, told = prepared(pictures, root, kind, **options)
    assert cache is not None
    return cache, told


def test_off_makes_nothing(tmp_path, large):
    assert prepared(large, tmp_path, "off") == (None, [])
    assert not list(tmp_path.iterdir())


def test_auto_makes_a_jpeg_cache_of_large_pictures_that_are_read_repeatedly(tmp_path, large, small):
    cache, _ = prepared(large, tmp_path, "auto")
    assert cache is not None
    assert cache.kind is JPEG
    assert prepared(large, tmp_path / "once", "auto", repeated=False) == (None, [])
    assert prepared(small, tmp_path / "small", "auto") == (None, [])
    assert not (tmp_path / "small").exists()


def test_the_size_is_told_before_anything_is_made(tmp_path, large):
    cache, told = made(large, tmp_path, "raw")
    assert len(cache.store) == 0
    size = 320 * 256 * 3 * COUNT
    assert f"40 pictures, about {size / 1e6:.1f} MB, 0 of them there already" in told[0]
    build(cache, large[1], workers=2, on_progress=lambda done, total: None)
    assert cache.store.size == size
    assert "40 of them there already" in prepared(large, tmp_path, "raw")[1][0]


def test_too_small_a_disk_is_refused_before_anything_is_made(tmp_path, large):
    with pytest.raises(DataError) as refused:
        prepared(large, tmp_path, "raw", space=5_000_000)
    message = str(refused.value)
    assert re.search(r"needs about 9\.8 MB more .*\n.* 5\.0 MB, .*\n.*--cache-space", message)
    assert (tmp_path / "pictures").is_dir()


def test_auto_goes_without_a_cache_where_there_is_no_room(tmp_path, large):
    cache, told = prepared(large, tmp_path, "auto", space=1000)
    assert cache is None
    assert "Without a picture cache: A jpeg cache of 40 pictures needs" in told[-1]


def test_who_goes_on_with_a_training_keeps_as_much_as_there_is_room_for(tmp_path, large):
    room = 10 * 320 * 256 * 3
    cache, told = made(large, tmp_path, "raw", space=room, must_fit=False)
    assert "Not all copies are kept" in told[-1]
    build(cache, large[1], workers=1, on_progress=lambda done, total: None)
    assert cache.store.size <= room


def test_a_folder_that_cannot_be_made_is_explained(tmp_path, large):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="NSML_CACHE_FOLDER"):
        prepared(large, tmp_path / "file", "jpeg")


def test_building_twice_makes_nothing_new(tmp_path, large):
    cache = open_cache(large[0], JPEG, tmp_path)
    told = []
    for _ in range(2):
        assert build(cache, large[1], workers=2, on_progress=lambda *done: told.append(done)) == 0
    assert told == [(COUNT, COUNT)] * 2
    assert len(cache.store) == COUNT


@pytest.mark.parametrize(("text", "size"), [("2", 2 * 10**9), ("0.5", 5 * 10**8), ("0", 0)])
def test_gigabytes_are_read(text, size):
    assert gigabytes(text) == size


@pytest.mark.parametrize("text", ["-1", "many", "nan", "1e30"])
def test_what_is_no_number_of_gigabytes_is_refused(text):
    with pytest.raises(ValueError, match=r"gigabytes|could not convert"):
        gigabytes(text)
