import numpy as np
import pytest

from model.augment import CenterCrop, Pad, RandomCrop, Resize, fixed_framing, framing_of
from model.config import Recipe
from model.seeding import Purpose, derive_seed


def crop(epoch: int = 0) -> RandomCrop:
    return RandomCrop(64, scale=0.25, ratio=4 / 3, key=derive_seed(1, Purpose.CROP, epoch))


@pytest.mark.parametrize(("width", "height"), [(640, 480), (64, 64), (1, 1), (3000, 20), (20, 900)])
def test_a_crop_lies_inside_and_keeps_its_promises(width, height):
    for index in range(200):
        left, top, right, bottom = crop().box(width, height, index)
        assert 0 <= left < right <= width + 1e-9
        assert 0 <= top < bottom <= height + 1e-9
        assert 3 / 4 - 1e-9 <= (right - left) / (bottom - top) <= 4 / 3 + 1e-9
        if width == 640:
            assert 0.25 - 1e-9 <= (right - left) * (bottom - top) / (width * height) <= 1 + 1e-9


def test_a_crop_is_the_same_whoever_asks_and_another_in_the_next_epoch():
    assert crop(0).box(640, 480, 5) == crop(0).box(640, 480, 5)
    assert crop(0).box(640, 480, 5) != crop(1).box(640, 480, 5)
    assert crop(0).box(640, 480, 5) != crop(0).box(640, 480, 6)


def test_crops_cover_the_whole_range_of_areas():
    boxes = np.array([crop().box(400, 400, index) for index in range(2000)])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / 160_000
    assert areas.min() < 0.3
    assert areas.max() > 0.9
    centre = (boxes[:, 0] + boxes[:, 2]) / 2
    assert centre.mean() == pytest.approx(200, abs=5)


def test_evaluation_sees_the_middle():
    assert CenterCrop(64, share=0.5).box(100, 60, index=3) == (35, 15, 65, 45)


@pytest.mark.parametrize(("width", "height"), [(100, 60), (60, 100), (7, 7)])
def test_a_squeezed_picture_is_seen_whole_and_alone(width, height):
    assert Resize(64).box(width, height, index=3) == (0, 0, width, height)
    assert not Resize(64).pads


@pytest.mark.parametrize(
    ("width", "height", "box"),
    [(100, 60, (0, -20, 100, 80)), (60, 101, (-20.5, 0, 80.5, 101)), (7, 7, (0, 0, 7, 7))],
)
def test_a_padded_picture_lies_in_the_middle_of_a_square(width, height, box):
    assert Pad(64).box(width, height, index=3) == box
    assert Pad(64).pads


def test_the_recipe_names_what_training_shows():
    framings = {
        name: framing_of(Recipe(framing=name, eval_crop=0.8), 48, key=5)
        for name in ("random_resized_crop", "center_crop", "resize", "pad")
    }
    assert framings == {
        "random_resized_crop": RandomCrop(48, 0.25, 4 / 3, 5),
        "center_crop": CenterCrop(48, 0.8),
        "resize": Resize(48),
        "pad": Pad(48),
    }


def test_a_framing_that_needs_an_epoch_is_no_fixed_one():
    with pytest.raises(KeyError, match="random_resized_crop"):
        fixed_framing("random_resized_crop", 64, 0.9)
