import numpy as np
import pytest
import torch
from PIL import Image

from model.augment import CenterCrop, Pad, RandomCrop, Resize
from model.pixels.device import crop
from model.pixels.device.crop import Places, crop_batch
from model.pixels.resize import resize_image
from tests.model.pixels.drawn_pictures import drawing, psnr

SIZES = [(341, 256), (256, 400), (31, 200), (1, 1), (300, 256)]
PICTURES = [np.array(drawing(*size)) for size in SIZES]
GENERATOR = np.random.default_rng(0)
PICTURES[4] = GENERATOR.integers(0, 256, PICTURES[4].shape, dtype=np.uint8)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]


def row_of(pictures, device="cpu"):
    return torch.from_numpy(np.concatenate([item.reshape(-1, 3) for item in pictures])).to(device)


def placed(pictures, boxes):
    areas = [item.shape[0] * item.shape[1] for item in pictures]
    starts = np.cumsum([0, *areas[:-1]])
    heights, widths = np.array([item.shape[:2] for item in pictures]).T
    return Places(starts, widths, heights, np.array(boxes, dtype=np.float64))


def framed(framing, index=0):
    return [framing.box(item.shape[1], item.shape[0], index) for item in PICTURES]


def by_pillow(picture, box, size):
    return np.asarray(resize_image(Image.fromarray(picture), box, size)).astype(int)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "framing",
    [RandomCrop(48, 0.08, 4 / 3, key=5), RandomCrop(224, 0.3, 4 / 3, 1), CenterCrop(64, 0.9),
     Resize(40), Pad(56)],
)  # fmt: skip
def test_any_box_is_pillow_s_within_its_own_rounding(framing, device):
    for index in range(4):
        boxes = framed(framing, index)
        found = crop_batch(row_of(PICTURES, device), placed(PICTURES, boxes), framing.size)
        assert found.dtype == torch.uint8
        for mine, picture, box in zip(found.cpu().numpy(), PICTURES, boxes, strict=True):
            theirs = by_pillow(picture, box, framing.size)
            # Pillow rounds to bytes between the axes.
            assert np.abs(mine - theirs).max() <= 1
            assert psnr(mine, theirs) > 50


@pytest.mark.parametrize("device", DEVICES)
def test_a_square_of_its_own_size_is_copied(device):
    picture = PICTURES[4][:48, :48]
    found = crop_batch(row_of([picture], device), placed([picture], [(0, 0, 48, 48)]), 48)
    assert np.array_equal(found[0].cpu().numpy(), picture)


@pytest.mark.parametrize("device", DEVICES)
def test_pixels_depend_neither_on_the_batch_nor_on_its_portions(monkeypatch, device):
    row, boxes = row_of(PICTURES, device), framed(RandomCrop(64, 0.2, 4 / 3, key=2))
    places = placed(PICTURES, boxes)
    together = crop_batch(row, places, 64)
    monkeypatch.setattr(crop, "WORKING_PIXELS", 64 * 64)
    assert torch.equal(crop_batch(row, places, 64), together)
    for i in range(len(PICTURES)):
        starts, widths, heights = (
            part[i : i + 1] for part in (places.starts, places.widths, places.heights)
        )
        alone = crop_batch(row, Places(starts, widths, heights, places.boxes[i : i + 1]), 64)
        assert torch.equal(alone[0], together[i])


def test_an_edge_that_rounding_moved_shows_no_grey():
    white = np.full((20, 30, 3), 255, dtype=np.uint8)
    box = (-1e-12, 0.0, 30.000000001, 20.0 + 1e-9)
    assert (crop_batch(row_of([white]), placed([white], [box]), 64) == 255).all()


def test_no_picture_gives_no_square():
    empty = np.zeros(0, dtype=np.int64)
    places = Places(empty, empty, empty, np.zeros((0, 4)))
    assert crop_batch(row_of(PICTURES), places, 8).shape == (0, 8, 8, 3)
