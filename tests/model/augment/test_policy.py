import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import AutoAugment, AutoAugmentPolicy, InterpolationMode

from model.augment import Visit, auto_augment
from model.augment.policy import OPERATIONS, POLICIES, RANGES, SIGNED, magnitude_of, operate
from model.batch import GREY
from model.seeding import Purpose

THEIRS = {
    "imagenet": AutoAugment(AutoAugmentPolicy.IMAGENET, fill=GREY),
    "cifar10": AutoAugment(AutoAugmentPolicy.CIFAR10, fill=GREY),
}


@pytest.mark.parametrize("name", POLICIES)
def test_the_policies_are_the_published_ones(name):
    theirs = [
        tuple((operation, prob, level or 0) for operation, prob, level in pair)
        for pair in THEIRS[name]._policies
    ]
    assert list(POLICIES[name]) == theirs


@pytest.mark.parametrize("level", range(10))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_does_to_a_batch_what_torchvision_does_to_an_image(
    make_images, operation, level
):
    images = make_images(3, side=33)
    strengths, signed = AutoAugment._AUGMENTATION_SPACE[operation]
    magnitudes = strengths(10, 33, 33)
    assert signed == (operation in SIGNED)
    assert (magnitudes is not None) == (operation in RANGES)
    for sign in (1, -1) if signed else (1,):
        theirs = 0.0 if magnitudes is None else sign * float(magnitudes[level])
        ours = operate(images, operation, sign * magnitude_of(operation, level))
        for row in range(3):
            expected = THEIRS["imagenet"]._apply_image_or_video_transform(
                images[row], operation, theirs, InterpolationMode.NEAREST, {torch.Tensor: [GREY]}
            )
            assert torch.equal(ours[row], torch.as_tensor(expected))


@pytest.mark.parametrize("name", POLICIES)
def test_with_our_draws_torchvision_augments_alike(make_images, monkeypatch, name):
    images, visit = make_images(60), Visit(5, 3, np.arange(60) * 7)
    ours = auto_augment(images, visit, name)
    signed = AutoAugment._AUGMENTATION_SPACE
    for row, draws in enumerate(visit.draws(Purpose.POLICY, 5)):
        number = int(draws[0] * 25)
        coins = []
        for step, (operation, prob, _) in enumerate(POLICIES[name][number]):
            coins.append(draws[1 + 2 * step])
            if draws[1 + 2 * step] < prob and signed[operation][1]:
                coins.append(draws[2 + 2 * step])
        feed = iter(coins)
        with monkeypatch.context() as patch:
            patch.setattr(torch, "randint", lambda *_, number=number: torch.tensor(number))
            patch.setattr(torch, "rand", lambda *_, feed=feed: torch.tensor(next(feed)))
            theirs = THEIRS[name](images[row])
        assert torch.equal(ours[row], theirs)
        assert next(feed, None) is None


def test_pairs_and_signs_are_drawn_evenly():
    draws = Visit(0, 0, np.arange(20_000)).draws(Purpose.POLICY, 5)
    counts = np.bincount((draws[:, 0] * 25).astype(int), minlength=25)
    assert counts.min() > 700
    assert counts.max() < 900
    assert (draws[:, 2] < 0.5).mean() == pytest.approx(0.5, abs=0.02)


def test_an_unknown_policy_is_refused(make_images):
    with pytest.raises(KeyError, match="svhn"):
        auto_augment(make_images(1), Visit(0, 0, np.array([0])), "svhn")
