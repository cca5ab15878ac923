import numpy as np
import pytest
import torch
from PIL import Image

from model.augment import CenterCrop, Pad, RandomCrop
from model.pixels.device import nvjpeg
from model.pixels.device.nvjpeg import is_present, stream_decoded, upright
from model.pixels.faults import Damage
from model.pixels.loader import PictureFiles, stream_batches
from model.pixels.orientation import ORIENTATIONS
from tests.model.pixels.drawn_pictures import drawing, encoded, psnr, saved

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
CONTENTS = {
    "plain.jpg": encoded(drawing(400, 300), "JPEG", quality=95, subsampling=0),
    "small.jpg": encoded(drawing(60, 50), "JPEG", quality=95, subsampling=0),
    "grey.jpg": encoded(drawing(200, 240).convert("L"), "JPEG", quality=95),
    "cmyk.jpg": encoded(drawing(200, 240).convert("CMYK"), "JPEG", quality=95),
    "picture.png": encoded(drawing(200, 240), "PNG"),
    "cut.jpg": encoded(drawing(400, 300), "JPEG", quality=95)[:-400],
    "adobe.jpg": encoded(drawing(200, 150), "JPEG", quality=95, keep_rgb=True),
    "none.jpg": b"no picture",
    "empty.jpg": b"",
}
TURNED = {f"turned {value}.jpg": value for value in ORIENTATIONS}
NAMES = [*CONTENTS, *TURNED]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name, content in CONTENTS.items():
        saved(folder, content, name)
    for name, value in TURNED.items():
        tags = Image.Exif()
        tags[0x0112] = value
        picture = drawing(300, 220)
        saved(folder, encoded(picture, "JPEG", quality=95, subsampling=0, exif=tags), name)
    return PictureFiles(folder, NAMES, np.arange(len(NAMES)) % 5)


def both(files, framing, device, workers=2):
    order, size = np.arange(len(NAMES)), 5
    here = stream_batches(files, order, batch_size=size, framing=framing, workers=0)
    there = stream_decoded(
        files, torch.device(device), order, batch_size=size, framing=framing, workers=workers
    )
    return zip(here, there, strict=True)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "framing", [RandomCrop(48, 0.2, 4 / 3, key=3), CenterCrop(48, 0.9), Pad(48)]
)
def test_pictures_and_what_is_told_of_them_are_the_processor_s(files, framing, device):
    quality = {}
    for one, other in both(files, framing, device):
        assert other.images.device.type == device
        assert torch.equal(one.labels, other.labels)
        assert torch.equal(one.indices, other.indices)
        assert torch.equal(one.readable, other.readable)
        for index, a, b in zip(one.indices, one.images, other.images, strict=True):
            quality[NAMES[index]] = psnr(a.numpy(), b.cpu().numpy())
    assert min(quality.values()) > 32, quality
    assert files.tally.among(NAMES, Damage.TRUNCATED).keys() >= {"cut.jpg"}
    assert files.tally.among(NAMES, Damage.UNREADABLE).keys() >= {"none.jpg", "empty.jpg"}


@pytest.mark.parametrize("device", DEVICES)
def test_a_refused_file_spoils_no_other(files, monkeypatch, device):
    refused = len(CONTENTS["small.jpg"])
    decode = nvjpeg._decode

    def strict(contents, device):
        if any(len(content) == refused for content in contents):
            raise RuntimeError("not supported")
        return decode(contents, device)

    monkeypatch.setattr(nvjpeg, "_decode", strict)
    framing = CenterCrop(48, 0.9)
    for one, other in both(files, framing, device):
        for index, a, b in zip(one.indices, one.images, other.images, strict=True):
            limit = 100 if NAMES[index] == "small.jpg" else 32
            assert psnr(a.numpy(), b.cpu().numpy()) > limit, NAMES[index]


@pytest.mark.parametrize("device", DEVICES)
def test_workers_and_portions_change_no_pixel(files, monkeypatch, device):
    framing = RandomCrop(48, 0.2, 4 / 3, key=1)
    plain = [batch.images for _, batch in both(files, framing, device)]
    monkeypatch.setattr(nvjpeg, "DECODED_TOGETHER", 1)
    alone = [batch.images for _, batch in both(files, framing, device, workers=0)]
    for one, other in zip(plain, alone, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("value", ORIENTATIONS)
def test_a_turned_square_is_turned_back_as_pillow_does(value):
    square = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    orientation = ORIENTATIONS[value]
    expected = np.asarray(orientation.upright(Image.fromarray(square)))
    assert np.array_equal(upright(torch.from_numpy(square), orientation).numpy(), expected)


def test_the_processor_can_stand_in():
    assert is_present(torch.device("cpu"))


@pytest.mark.gpu
def test_nvjpeg_is_there():
    assert is_present(torch.device("cuda"))
