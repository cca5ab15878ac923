import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from model.augment import Visit, color_jitter
from model.augment.colour import scale_brightness, scale_contrast, scale_saturation, shift_hue
from model.seeding import Purpose

FACTORS = torch.tensor([0.0, 0.3, 1.0, 1.7, 2.0])
SHIFTS = torch.tensor([-0.25, -0.1, 0.0, 0.07, 0.25])


@pytest.mark.parametrize(
    ("ours", "theirs", "amounts"),
    [
        (scale_brightness, functional.adjust_brightness, FACTORS),
        (scale_contrast, functional.adjust_contrast, FACTORS),
        (scale_saturation, functional.adjust_saturation, FACTORS),
        (shift_hue, functional.adjust_hue, SHIFTS),
    ],
    ids=["brightness", "contrast", "saturation", "hue"],
)
def test_each_image_is_adjusted_by_its_own_amount_as_torchvision_would(
    make_images, ours, theirs, amounts
):
    images = make_images(5).float() / 255
    expected = torch.stack([theirs(images[i], float(amounts[i])) for i in range(5)])
    assert torch.allclose(ours(images, amounts), expected, atol=2e-6)
    assert not torch.allclose(ours(images, amounts.flip(0)), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("colour", "shift", "turned"),
    [
        ((1.0, 0.0, 0.0), 1 / 3, (0.0, 1.0, 0.0)),
        ((1.0, 0.0, 0.0), -1 / 3, (0.0, 0.0, 1.0)),
        ((0.0, 0.0, 1.0), 1 / 6, (1.0, 0.0, 1.0)),
        ((0.4, 0.4, 0.4), 0.2, (0.4, 0.4, 0.4)),
        ((0.0, 0.0, 0.0), 0.2, (0.0, 0.0, 0.0)),
    ],
)
def test_pure_colours_go_round_the_circle_and_grey_stays_grey(colour, shift, turned):
    image = torch.tensor(colour).view(1, 3, 1, 1)
    shifted = shift_hue(image, torch.tensor([shift]))
    assert shifted.flatten().tolist() == pytest.approx(turned, abs=1e-6)


def test_a_jitter_without_strength_changes_no_bit(make_images):
    images = make_images(20)
    assert torch.equal(color_jitter(images, Visit(0, 0, np.arange(20)), 0.0), images)


def test_a_strong_jitter_changes_every_image_and_leaves_the_given_ones_alone(make_images):
    images = make_images(30)
    before = images.clone()
    jittered = color_jitter(images, Visit(0, 0, np.arange(30)), 1.0)
    assert jittered.dtype == torch.uint8
    assert (jittered != images).flatten(1).any(dim=1).all()
    assert torch.equal(images, before)


def test_a_jitter_is_the_four_adjustments_in_the_drawn_order(make_images):
    images = make_images(6)
    visit = Visit(4, 2, np.array([9, 3, 7, 0, 1, 12]))
    draws = visit.draws(Purpose.COLOUR, 8)
    tools = [
        functional.adjust_brightness,
        functional.adjust_contrast,
        functional.adjust_saturation,
        functional.adjust_hue,
    ]
    orders = set()
    for row, jittered in enumerate(color_jitter(images, visit, 0.4)):
        image = images[row].float() / 255
        amounts = [*(1 + 0.4 * (2 * draws[row, :3] - 1)), 0.1 * (2 * draws[row, 3] - 1)]
        order = tuple(np.argsort(draws[row, 4:]))
        for number in order:
            image = tools[number](image, amounts[number])
        assert (jittered.float() - 255 * image).abs().max() <= 0.501
        orders.add(order)
    assert len(orders) > 1
