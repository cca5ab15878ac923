"""Fractional boxes are resized as Pillow resizes them, whichever way is taken."""

import numpy as np
import pytest
from PIL import Image

from model.batch import GREY
from model.pixels import resize as room
from model.pixels.resize import reach, resize, resize_image
from tests.model.pixels.drawn_pictures import drawing, psnr

SIZE = 64


def grainy(width, height):
    grain = np.random.default_rng(3).normal(0, 20, (height, width, 3))
    return (np.asarray(drawing(width, height)) + grain).clip(0, 255).astype(np.uint8)


def pillows(pixels, box, size=SIZE):
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box))


def off_by(one, other):
    return np.abs(one.astype(int) - other).max()


@pytest.fixture
def by_pillow(monkeypatch):
    """Boxes that Pillow resized."""
    boxes = []

    def remembered(image, box, size):
        boxes.append(box)
        return resize_image(image, box, size)

    monkeypatch.setattr(room, "resize_image", remembered)
    return boxes


@pytest.mark.parametrize("size", [(64, 64), (97, 130), (300, 200), (40, 50)])
def test_the_whole_picture_differs_by_no_more_than_rounding(size, by_pillow):
    pixels = grainy(*size)
    assert off_by(resize(pixels, (0, 0, *size), SIZE), pillows(pixels, (0, 0, *size))) <= 1
    assert not by_pillow


def test_random_boxes_are_pillows_to_the_eye_and_hardly_ever_need_pillow(by_pillow):
    rng = np.random.default_rng(0)
    pixels = grainy(300, 220)
    ratios = []
    for _ in range(200):
        width, height = rng.uniform(20, 300), rng.uniform(20, 220)
        left, top = rng.uniform(0, 300 - width), rng.uniform(0, 220 - height)
        box = (left, top, left + width, top + height)
        ratios.append(psnr(resize(pixels, box, SIZE), pillows(pixels, box)))
    assert min(ratios) > 43
    assert np.median(ratios) > 50
    assert len(by_pillow) < 40


def test_a_part_with_as_many_pixels_as_come_out_is_resized_too():
    pixels = grainy(300, 220)
    for width in np.linspace(55, 75, 41):
        box = (30.0, 20.0, 30.0 + width, 20.0 + SIZE)
        assert psnr(resize(pixels, box, SIZE), pillows(pixels, box)) > 43


def test_a_box_is_not_moved_to_whole_pixels():
    ramp = np.repeat(np.arange(0, 250, dtype=np.uint8)[None, :, None], 100, 0).repeat(3, 2)
    for left in np.linspace(20, 21, 21):
        box = (left, 10, left + 100, 90)
        expected = left + 100 * (np.arange(SIZE) + 0.5) / SIZE - 0.5
        assert np.abs(resize(ramp, box, SIZE)[SIZE // 2, :, 0] - expected).max() < 0.6


def test_a_box_that_starts_nowhere_near_a_whole_pixel_is_left_to_pillow(by_pillow):
    pixels = grainy(200, 200)
    box = (50.25, 40, 50.25 + 1.5 * SIZE, 40 + 1.5 * SIZE)  # 1.5 n is never near a quarter
    assert np.array_equal(resize(pixels, box, SIZE), pillows(pixels, box))
    assert by_pillow == [box]


@pytest.mark.parametrize("distance", [0, 1, 2, 5, 40])
def test_the_filter_sees_what_lies_beside_the_box(distance, by_pillow):
    """A white picture in a black frame, boxed a little inside: black shines in up to one step."""
    pixels = np.zeros((300, 300, 3), dtype=np.uint8)
    pixels[50:250, 50:250] = 255
    for low, high in ((50 + distance, 178 + distance), (122 - distance, 250 - distance)):
        box = (low, low, high, high)
        assert off_by(resize(pixels, box, SIZE), pillows(pixels, box)) <= 2
    assert not by_pillow


def test_a_picture_of_one_pixel_can_be_enlarged():
    assert (resize(np.full((1, 1, 3), 77, dtype=np.uint8), (0, 0, 1, 1), SIZE) == 77).all()


def test_a_box_of_a_fraction_of_a_pixel_is_left_to_pillow(by_pillow):
    pixels = grainy(100, 100)
    box = (40.3, 50.3, 40.3001, 50.3001)  # torch would be asked for hundred millions of pixels
    assert np.array_equal(resize(pixels, box, SIZE), pillows(pixels, box))
    assert by_pillow == [box]


def test_what_lies_outside_is_grey():
    pixels = np.full((50, 50, 3), 255, dtype=np.uint8)
    square = resize(pixels, (-50, -50, 100, 100), 30)
    assert (square[:9] == GREY).all()
    assert (square[:, -9:] == GREY).all()
    assert (square[11:19, 11:19] == 255).all()


def test_no_pixel_beyond_the_reach_counts():
    pixels = grainy(200, 200)
    for low, high in ((60, 124), (60.3, 170.9), (60, 70)):
        ends = high + reach(low, high, SIZE)
        changed = pixels.copy()
        changed[int(np.ceil(ends)) :] ^= 255
        box = (10, low, 150, high)
        assert np.array_equal(pillows(pixels, box), pillows(changed, box))


def test_the_reach_at_a_smaller_scale_is_told_in_full_pixels():
    assert reach(0, 640, 64) == 10
    assert reach(0, 32, 64) == 1
    assert reach(0, 128, 64, scale=2) == 2
    assert reach(0, 64, 64, scale=2) == 2
