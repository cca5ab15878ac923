import numpy as np
import pytest
import torch

from model.augment import CenterCrop, RandomCrop, flip, flip_mask, hide_categories
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


def test_the_share_of_flipped_examples_is_the_probability():
    indices = np.arange(10_000)
    for prob in (0.0, 0.3, 1.0):
        mask = flip_mask(0, 0, indices, prob)
        assert mask.float().mean().item() == pytest.approx(prob, abs=0.02)
    half = flip_mask(0, 0, indices, 0.5)
    assert torch.equal(half[100:200], flip_mask(0, 0, indices[100:200], 0.5))
    assert not torch.equal(half, flip_mask(0, 1, indices, 0.5))


def test_only_masked_images_are_mirrored():
    images = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)
    turned = flip(images, torch.tensor([True, False]))
    assert torch.equal(turned[0], images[0].flip(-1))
    assert torch.equal(turned[1], images[1])
    assert turned.is_contiguous(memory_format=torch.channels_last)


def test_a_hidden_category_is_unknown_on_all_levels():
    ids = torch.full((1000, 2), 5)
    hidden = hide_categories(ids, 0, 0, np.arange(1000), 0.2)
    gone = (hidden == 0).all(dim=1)
    assert gone.float().mean().item() == pytest.approx(0.2, abs=0.04)
    assert (hidden[~gone] == 5).all()
    assert (ids == 5).all()
