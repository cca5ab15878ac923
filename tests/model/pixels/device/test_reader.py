import numpy as np
import pytest
import torch

from model.pixels.cache.kinds import JPEG, RAW
from model.pixels.cache.plan import open_cache
from model.pixels.device import reader
from model.pixels.device.reader import choose_reader
from model.pixels.loader import PictureFiles
from tests.model.pixels.drawn_pictures import drawing, encoded, saved

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def files(tmp_path):
    saved(tmp_path, encoded(drawing(), "JPEG"), "a.jpg")
    return lambda kind=None: PictureFiles(
        tmp_path,
        ["a.jpg"],
        np.zeros(1, dtype=np.int64),
        cache=None if kind is None else open_cache(tmp_path, kind, tmp_path / "caches"),
    )


def chosen(files, device, decoder):
    lines = []
    return choose_reader(files, device, decoder, lines.append), lines


def test_on_the_processor_nothing_changes(files):
    for kind in (None, JPEG, RAW):
        assert chosen(files(kind), CPU, "gpu") == (None, [])


def test_raw_copies_are_cropped_where_the_network_is(files):
    found, _ = chosen(files(RAW), CUDA, "cpu")
    assert found is not None
    assert found.copies is not None


def test_jpeg_copies_stay_with_the_processor(files):
    assert chosen(files(JPEG), CUDA, "gpu") == (None, [])


@pytest.mark.parametrize(("decoder", "gpu"), [("cpu", False), ("gpu", True)])
def test_the_gpu_decodes_files_if_asked(files, monkeypatch, decoder, gpu):
    monkeypatch.setattr(reader, "is_present", lambda _device: True)
    found, lines = chosen(files(), CUDA, decoder)
    assert (found is not None) == gpu
    assert len(lines) == gpu


def test_without_nvjpeg_the_processor_decodes_and_a_line_says_so(files, monkeypatch):
    monkeypatch.setattr(reader, "is_present", lambda _device: False)
    found, lines = chosen(files(), CUDA, "gpu")
    assert found is None
    assert "no nvJPEG" in lines[0]
