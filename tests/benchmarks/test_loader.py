"""The contest of the loaders is fair: every way reads the same bytes of the same pictures."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import loader as room
from benchmarks.decode_peers import SIZE
from benchmarks.loader import RAW_REPEATS, Reading, bare, by_torch, framing_of, loaded, sources
from model.pixels.loader import stream_batches
from tests.model.pixels.drawn_pictures import drawing, encoded, saved

PICTURES = 3


@pytest.fixture
def found(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    paths = [
        saved(folder, encoded(drawing(280 + 20 * i, 300), "JPEG", quality=90), f"{i}.jpg")
        for i in range(PICTURES)
    ]
    return sources(paths, tmp_path / "cache")


def test_files_and_raw_copies_show_the_same_pictures_the_copies_often(found):
    assert list(found) == ["files", "raw cache"]
    (files, order), (copies, longer) = found.values()
    assert files.names == copies.names
    assert order.tolist() == [0, 1, 2]
    assert longer.tolist() == [0, 1, 2] * RAW_REPEATS
    assert files.cache is None
    assert copies.cache is not None
    assert len(copies.cache.store) == PICTURES


@pytest.mark.parametrize("kind", ["files", "raw cache"])
def test_torch_s_loader_gets_the_pixels_that_ours_gets(found, kind):
    files, order = found[kind]
    framing = framing_of(0)
    batches = stream_batches(files, order[:3], batch_size=2, framing=framing, workers=1)
    ours = np.concatenate([batch.images.numpy().copy() for batch in batches])
    theirs = np.stack([Reading(files, order)[place].numpy() for place in range(3)])
    assert ours.shape == (PICTURES, SIZE, SIZE, 3)
    assert np.array_equal(ours, theirs)


def test_every_pass_reads_every_picture_once(found, monkeypatch):
    files, order = found["files"]
    read: list[int] = []
    reading = type(files).read_into

    def noted(self, index, framing, out):
        read.append(index)
        return reading(self, index, framing, out)

    monkeypatch.setattr(type(files), "read_into", noted)
    for run in (bare(files, order), loaded(files, order, 0), loaded(files, order, 2)):
        read.clear()
        run()
        assert sorted(read) == [0, 1, 2]


def test_torch_s_loader_runs_pass_after_pass(found):
    run = by_torch(*found["files"], workers=1)
    run()
    run()


def test_the_last_line_names_our_speed_and_theirs(tmp_path, found, monkeypatch, capsys):
    monkeypatch.setattr(room, "photographs", lambda count: [])
    monkeypatch.setattr(room, "sources", lambda paths, root: {"files": found["files"]})
    line = room.measure(PICTURES, rounds=1)
    assert line.startswith("loader: ")
    assert "img/s (peer " in line
    rows = capsys.readouterr().out.splitlines()
    assert rows[2].startswith("| files | ")
    assert len(rows[2].split("|")) == len(rows[0].split("|"))
