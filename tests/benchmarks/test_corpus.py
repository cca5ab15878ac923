"""The corpus is the same wherever it is drawn, and coded as it is asked for."""

from __future__ import annotations

import io

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from benchmarks import corpus
from benchmarks.corpus import Coding, photographs


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    monkeypatch.setattr(corpus, "LONGEST", 160)  # pictures of 1280 pixels take long to draw
    return tmp_path


def test_a_picture_is_drawn_once_and_always_the_same():
    first = photographs(3)
    written = [path.stat().st_mtime_ns for path in first]
    content = [path.read_bytes() for path in first]
    assert [path.stat().st_mtime_ns for path in photographs(3)] == written
    for path in first:
        path.unlink()
    assert [path.read_bytes() for path in photographs(3)] == content
    assert len(set(content)) == 3


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:4:4"])
def test_a_picture_is_coded_as_asked(progressive, subsampling):
    (path,) = photographs(1, Coding(progressive=progressive, subsampling=subsampling, quality=85))
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as image:
        assert bool(image.info.get("progressive")) is progressive
    _, _, _, found = simplejpeg.decode_jpeg_header(content)
    assert found == subsampling.replace(":", "")


def test_a_picture_is_shrunk_as_asked():
    (path,) = photographs(1, Coding(longest=60))
    with Image.open(path) as image:
        assert max(image.size) == 60


def test_another_coding_shows_the_same_picture():
    baseline, progressive = (
        np.asarray(Image.open(photographs(1, coding)[0]))
        for coding in (Coding(quality=95), Coding(quality=95, progressive=True))
    )
    assert np.array_equal(baseline, progressive)
