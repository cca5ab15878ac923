import numpy as np
import pytest
from PIL import Image

from model.augment import RandomCrop
from model.batch import GREY
from model.pixels.cache.crop import crop
from tests.model.pixels.drawn_pictures import drawing, psnr

PICTURE = np.array(drawing(341, 256))


def cropped(box, size=224, picture=PICTURE):
    out = np.empty((size, size, 3), dtype=np.uint8)
    crop(picture, box, size, out)
    return out


def by_pillow(box, size=224):
    image = Image.fromarray(PICTURE)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box))


@pytest.mark.parametrize("size", [64, 224])
def test_any_box_comes_near_to_pillow_s(size):
    framing = RandomCrop(size, 0.08, 4 / 3, key=5)
    boxes = [framing.box(341, 256, index) for index in range(200)]
    boxes += [(0.0, 0.0, 341.0, 256.0), (0.4, 0.7, 340.9, 255.3), (340.0, 255.0, 341.0, 256.0)]
    quality = [psnr(cropped(box, size), by_pillow(box, size)) for box in boxes]
    assert np.median(quality) > 45
    assert min(quality) > 38


def test_a_whole_pixel_box_is_exact():
    box = (20.0, 30.0, 20.0 + 112, 30.0 + 112)
    assert np.abs(cropped(box).astype(int) - by_pillow(box)).max() <= 1


def test_what_lies_outside_the_picture_is_grey():
    out = cropped((0.0, -42.5, 341.0, 298.5))
    assert (out[:20] == GREY).all()
    assert (out[-20:] == GREY).all()
    assert not (out[60:160] == GREY).all(axis=-1).any()


@pytest.mark.parametrize("size", [48, 224])
def test_only_what_the_box_shows_and_its_neighbours_count(size):
    framing = RandomCrop(size, 0.08, 4 / 3, key=6)
    noise = np.random.default_rng(0).integers(0, 256, PICTURE.shape, dtype=np.uint8)
    boxes = [framing.box(341, 256, index) for index in range(100)]
    boxes += [(150.3, 60.2, 341.0, 200.1), (100.4, 90.1, 300.2, 256.0)]
    for box in boxes:
        reach = 10 + int((box[2] - box[0]) / size)
        left, top, right, bottom = (max(0, int(edge)) for edge in box)
        rows = slice(max(0, top - reach), bottom + reach)
        columns = slice(max(0, left - reach), right + reach)
        strange = noise.copy()
        strange[rows, columns] = PICTURE[rows, columns]
        assert np.array_equal(cropped(box, size, strange), cropped(box, size))
