import numpy as np
import pytest
import torch

from model.augment import CenterCrop, Pad, RandomCrop
from model.batch import GREY, UNKNOWN_LABEL
from model.pixels.cache.kinds import RAW
from model.pixels.cache.plan import open_cache
from model.pixels.device.copies import DeviceCopies
from model.pixels.device.loader import stream_copies
from model.pixels.faults import Damage
from model.pixels.loader import LoadingError, PictureFiles, stream_batches
from tests.model.pixels.drawn_pictures import drawing, encoded, psnr, saved

NAMES = [f"사진 {i}.jpg" for i in range(11)]
BROKEN = (4, 5)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
FRAMINGS = [RandomCrop(48, 0.2, 4 / 3, key=3), CenterCrop(48, 0.9), Pad(48)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Large and small pictures, one cut short, one that is none, one that is empty."""
    folder = tmp_path_factory.mktemp("pictures")
    for i, name in enumerate(NAMES):
        size = 300 + 61 * i, 900 - 43 * i
        saved(folder, encoded(drawing(*size), "PNG" if i == 7 else "JPEG"), name)
    saved(folder, encoded(drawing(900, 700), "JPEG")[:-5000], NAMES[3])
    saved(folder, b"no picture", NAMES[4])
    saved(folder, b"", NAMES[5])
    return folder


@pytest.fixture
def files(folder, tmp_path):
    return PictureFiles(folder, NAMES, np.arange(11) % 5, cache=open_cache(folder, RAW, tmp_path))


def copies_of(files, device="cpu", room=10**9):
    lines = []
    copies = DeviceCopies(
        files.cache, torch.device(device), lines.append, room=lambda _device: room
    )
    return copies, lines


def read(files, copies, framing, workers=2, order=None, batch_size=4):
    order = np.arange(len(NAMES))[::-1] if order is None else order
    return list(
        stream_copies(files, copies, order, batch_size=batch_size, framing=framing, workers=workers)
    )


def pixels_of(batches):
    return torch.cat([batch.images for batch in batches]).cpu()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_pixels_are_those_of_the_processor_but_for_rounding(files, framing, device):
    copies, _ = copies_of(files, device)
    here = list(
        stream_batches(files, np.arange(11)[::-1], batch_size=4, framing=framing, workers=0)
    )
    there = read(files, copies, framing)
    assert [len(batch.images) for batch in there] == [4, 4, 3]
    for one, other in zip(here, there, strict=True):
        assert other.images.device.type == device
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.indices, other.indices)
        assert torch.equal(one.readable, other.readable)
        quality = [
            psnr(a.numpy(), b.cpu().numpy()) for a, b in zip(one.images, other.images, strict=True)
        ]
        assert min(quality) > 38
        assert np.median(quality) > 45


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("framing", FRAMINGS)
def test_whether_copies_are_resident_changes_no_pixel(files, framing, device):
    roomy, told = copies_of(files, device)
    tight, refused = copies_of(files, device, room=1)
    cold = read(files, tight, framing)
    assert not refused
    first = read(files, roomy, framing)
    assert roomy.row is None  # the empty file never has a copy; one of eleven is too many
    roomy.settle([name for name in NAMES if name != NAMES[5]])
    tight.settle([name for name in NAMES if name != NAMES[5]])
    assert roomy.row is not None
    assert tight.row is None
    assert "9 pictures now lie on the device" in told[0]
    assert "batch by batch: they need" in refused[0]
    for warm in (first, read(files, roomy, framing), read(files, tight, framing, workers=0)):
        assert torch.equal(pixels_of(warm), pixels_of(cold))
    assert len(told) == len(refused) == 1


def test_a_broken_file_is_grey_without_a_label_resident_or_not(files):
    copies, _ = copies_of(files)
    for predicting in (False, True):
        with torch.inference_mode(predicting):
            batches = read(files, copies, FRAMINGS[1], order=np.arange(11))
        marks = torch.cat([batch.readable for batch in batches])
        assert (~marks).nonzero().flatten().tolist() == list(BROKEN)
        assert (pixels_of(batches)[list(BROKEN)] == GREY).all()
        labels = torch.cat([batch.labels for batch in batches])
        assert labels[list(BROKEN)].tolist() == [UNKNOWN_LABEL] * 2
        with torch.inference_mode():  # a validation may be the first to find all copies made
            copies.settle([NAMES[i] for i in range(11) if i != 5])
    assert files.tally.among(NAMES, Damage.TRUNCATED)


@pytest.mark.parametrize("device", DEVICES)
def test_workers_and_batches_change_no_pixel(files, device):
    copies, _ = copies_of(files, device)
    plain = pixels_of(read(files, copies, FRAMINGS[0], workers=0))
    for workers, batch_size in ((1, 3), (3, 11), (2, 1)):
        found = read(files, copies, FRAMINGS[0], workers=workers, batch_size=batch_size)
        assert torch.equal(pixels_of(found), plain)


def test_an_error_that_is_not_the_file_s_names_the_picture(files):
    class Wrong(CenterCrop):
        def box(self, width, height, index):
            return (0, 0, 0, 0) if index == 2 else super().box(width, height, index)

    copies, _ = copies_of(files)
    with pytest.raises(LoadingError, match=r"loading .*사진 2\.jpg failed: box .* is empty"):
        read(files, copies, Wrong(48, 1.0))
