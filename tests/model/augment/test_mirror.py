import numpy as np
import pytest
import torch

from model.augment import Visit, flip, flip_mask, vertical_flip


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
    turned = flip(images.clone(), torch.tensor([True, False]))
    assert torch.equal(turned[0], images[0].flip(-1))
    assert torch.equal(turned[1], images[1])
    assert turned.is_contiguous(memory_format=torch.channels_last)


def test_an_upside_down_image_keeps_its_left_side_left():
    images = torch.arange(48, dtype=torch.uint8).reshape(1, 3, 4, 4)
    turned = vertical_flip(images, Visit(0, 0, np.array([7])), 1.0)
    assert turned[0, 0].tolist() == images[0, 0].tolist()[::-1]


def test_turning_upside_down_and_mirroring_are_independent():
    visit = Visit(3, 1, np.arange(4000))
    images = torch.tensor([0, 1], dtype=torch.uint8).view(1, 1, 2, 1).expand(4000, 3, 2, 2)
    upside_down = vertical_flip(images, visit, 0.5)[:, 0, 0, 0] == 1
    mirrored = flip_mask(3, 1, visit.indices, 0.5)
    assert upside_down.float().mean().item() == pytest.approx(0.5, abs=0.03)
    assert (upside_down & mirrored).float().mean().item() == pytest.approx(0.25, abs=0.03)
