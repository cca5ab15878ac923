"""The contest of the decoders is fair: same files, same kind of crop, and likeness is measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import corpus
from benchmarks import decode as room
from benchmarks.corpus import photographs
from benchmarks.decode import Likeness, compete, draw_sheet, likenesses, ours, table
from benchmarks.decode_peers import SIZE, Job, pillow
from benchmarks.peers import PeerMissing


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setattr(corpus, "FOLDER", tmp_path)
    monkeypatch.setattr(corpus, "LONGEST", 300)  # pictures of 1280 pixels take long to draw
    return photographs(3)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
def test_contestants_run_in_turn_and_one_that_cannot_be_had_is_named(paths, training):
    def absent(job):
        raise PeerMissing("no wheel")

    names = {"Pillow": pillow, "absent": absent, "ours": ours}
    contest, missing = compete(names, Job(paths, training), rounds=2)
    assert {name: len(seconds) for name, seconds in contest.items()} == {"Pillow": 2, "ours": 2}
    assert missing == ["absent is left out: no wheel"]
    lines = table(contest, len(paths)).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| Pillow", "| ours"]


def test_the_fixed_crop_is_the_same_for_pillow_and_for_us(paths):
    job = Job(paths, training=False)
    theirs = pillow(job)().permute(0, 2, 3, 1).numpy().astype(int)
    assert theirs.shape == (3, SIZE, SIZE, 3)
    assert np.abs(ours(job)() - theirs).mean() < 4


def test_likeness_is_told_in_decibels():
    black = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    assert Likeness(Path("a"), black, black).psnr == np.inf
    assert Likeness(Path("a"), black, black + 255).psnr == 0
    assert Likeness(Path("a"), black, black + 1).psnr == pytest.approx(48.13, abs=0.01)


def test_the_least_alike_come_first_and_are_drawn(paths, monkeypatch, tmp_path, capsys):
    found = likenesses(paths, boxes=2)
    assert len(found) == 6
    assert [item.psnr for item in found] == sorted(item.psnr for item in found)
    assert found[0].psnr > 30
    monkeypatch.setattr(room, "SHEET", tmp_path / "sheet.png")
    draw_sheet(found)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (6 * SIZE, 3 * SIZE)
    assert f"{found[0].psnr:.1f} dB" in capsys.readouterr().out
