from dataclasses import replace

import numpy as np
import pytest
import timm.data.mixup
import torch
from torchvision.transforms import v2

from model.config import Recipe
from model.losses import soft_cross_entropy
from model.mixing import (
    Mixing,
    cut_box,
    draw_mixing,
    mix_images,
    mix_targets,
    mix_weighted,
    share_outside,
)

torch.manual_seed(0)
IMAGES = torch.rand(6, 3, 16, 16)
TARGETS = torch.eye(5)[[0, 1, 2, 3, 4, 2]]
CUTMIX = Recipe(mixing="cutmix", mixing_prob=1.0, seed=5)
MIXUP = replace(CUTMIX, mixing="mixup")
ROLLED = torch.arange(6).roll(1)
"""torchvision pairs each example with the one before."""
FLIPPED = torch.arange(6).flip(0)
"""timm pairs the first with the last."""


def draws(recipe: Recipe, number: int = 1000) -> list[Mixing | None]:
    return [
        draw_mixing(recipe, epoch=step % 7, step=step, size=6, image_side=16)
        for step in range(number)
    ]


def drawn(recipe: Recipe, number: int = 1000) -> list[Mixing]:
    return [mixing for mixing in draws(recipe, number) if mixing is not None]


def test_cutmix_is_torchvision_cutmix_to_the_pixel():
    transform = v2.CutMix()
    params = {
        "labels": TARGETS,
        "batch_size": 6,
        "box": (3, 1, 9, 14),
        "lam_adjusted": 1 - 78 / 256,
    }
    mixing = Mixing(ROLLED, share_outside((3, 1, 9, 14), 16), (3, 1, 9, 14))
    assert torch.equal(mix_images(IMAGES, mixing), transform.transform(IMAGES, params))
    assert torch.equal(mix_targets(TARGETS, mixing), transform.transform(TARGETS, params))


def test_mixup_is_torchvision_mixup_to_the_bit():
    transform, mixing = v2.MixUp(), Mixing(ROLLED, 0.3, None)
    params = {"labels": TARGETS, "batch_size": 6, "lam": 0.3}
    assert torch.equal(mix_images(IMAGES, mixing), transform.transform(IMAGES, params))
    assert torch.equal(mix_targets(TARGETS, mixing), transform.transform(TARGETS, params))


@pytest.mark.parametrize("kind", ["cutmix", "mixup"])
def test_with_the_same_draws_it_is_timm_mixup(kind: str, monkeypatch: pytest.MonkeyPatch):
    centers = iter([5, 11])  # timm draws the row first.
    monkeypatch.setattr(np.random, "rand", lambda: 0.0)
    monkeypatch.setattr(np.random, "beta", lambda *_: 0.4)
    monkeypatch.setattr(np.random, "randint", lambda *_, **__: next(centers))
    timm_mixup = timm.data.mixup.Mixup(
        mixup_alpha=float(kind == "mixup"),
        cutmix_alpha=float(kind == "cutmix"),
        label_smoothing=0.0,
        num_classes=5,
    )
    images, targets = timm_mixup(IMAGES.clone(), TARGETS.argmax(dim=1))
    box = cut_box(0.4, 11, 5, 16) if kind == "cutmix" else None
    share = 0.4 if box is None else share_outside(box, 16)
    mixing = Mixing(FLIPPED, share, box)
    assert torch.equal(mix_images(IMAGES, mixing), images)
    assert torch.allclose(mix_targets(TARGETS, mixing), targets)


@pytest.mark.parametrize("center", [(0, 0), (15, 3), (8, 8), (2, 15)])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.93, 1.0])
def test_boxes_are_those_of_timm(center: tuple[int, int], share: float, monkeypatch):
    column, row = center
    centers = iter([row, column])
    monkeypatch.setattr(np.random, "randint", lambda *_, **__: next(centers))
    (top, bottom, left, right), left_over = timm.data.mixup.cutmix_bbox_and_lam((3, 16, 16), share)
    assert cut_box(share, column, row, 16) == (left, top, right, bottom)
    assert share_outside((left, top, right, bottom), 16) == pytest.approx(left_over)


def test_the_share_is_what_is_left_of_the_pixels():
    own, other = torch.zeros(1, 3, 16, 16), torch.ones(1, 3, 16, 16)
    for mixing in drawn(CUTMIX):
        pair = replace(mixing, partners=torch.tensor([1, 0]))
        mixed = mix_images(torch.cat([own, other]), pair)
        assert 1 - mixed[0].mean().item() == pytest.approx(mixing.share)


def test_shares_follow_the_beta_distribution():
    for alpha, deviation in [(1.0, (1 / 12) ** 0.5), (0.2, (1 / 5.6) ** 0.5)]:
        shares = [mixing.share for mixing in drawn(replace(MIXUP, mixing_alpha=alpha))]
        assert np.mean(shares) == pytest.approx(0.5, abs=0.04)
        assert np.std(shares) == pytest.approx(deviation, abs=0.02)


def test_only_the_asked_share_of_batches_is_blended():
    assert len(drawn(replace(MIXUP, mixing_prob=0.3))) == pytest.approx(300, abs=45)
    assert drawn(replace(MIXUP, mixing_prob=0.0), 50) == []
    assert drawn(replace(MIXUP, mixing="none"), 50) == []


def test_a_blend_is_a_function_of_seed_epoch_and_step():
    def key(recipe: Recipe, epoch: int, step: int):
        mixing = draw_mixing(recipe, epoch=epoch, step=step, size=6, image_side=16)
        assert mixing is not None
        assert sorted(mixing.partners.tolist()) == list(range(6))
        return mixing.partners.tolist(), mixing.share, mixing.box

    torch.manual_seed(1)
    first = key(CUTMIX, 2, 9)
    torch.manual_seed(2)
    assert key(CUTMIX, 2, 9) == first
    others = [key(CUTMIX, 2, 10), key(CUTMIX, 3, 9), key(replace(CUTMIX, seed=6), 2, 9)]
    assert first not in others


def test_mixing_leaves_its_inputs_and_their_memory_format():
    images = IMAGES.to(memory_format=torch.channels_last)
    before = images.clone()
    for mixing in (Mixing(ROLLED, 0.3, None), Mixing(ROLLED, 0.3, (2, 2, 9, 9))):
        mixed = mix_images(images, mixing)
        assert mixed.is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(images, before)


def test_weighted_targets_cost_what_the_two_labels_cost_apart():
    logits, weights = torch.randn(6, 5), torch.tensor([1.0, 0.5, 2.0, 0.1, 1.0, 3.0])
    mixing = Mixing(ROLLED, 0.3, None)
    targets, mixed_weights = mix_weighted(TARGETS, weights, mixing)
    own = soft_cross_entropy(logits, TARGETS) * weights
    partners = soft_cross_entropy(logits, TARGETS[ROLLED]) * weights[ROLLED]
    losses = soft_cross_entropy(logits, targets) * mixed_weights
    assert torch.allclose(losses, 0.3 * own + 0.7 * partners)
    assert targets.sum(dim=1).tolist() == pytest.approx([1.0] * 6)


def test_an_unknown_label_takes_weight_away_and_nothing_else():
    # Pairs: known with unknown, unknown with known, and two unknown ones with each other.
    known = torch.tensor([1.0, 0.0, 0.0, 0.0])
    mixing = Mixing(torch.tensor([1, 0, 3, 2]), 0.3, None)
    targets, weights = mix_weighted(TARGETS[:4] * known[:, None], known, mixing)
    assert weights.tolist() == pytest.approx([0.3, 0.7, 0, 0])
    assert torch.allclose(targets, torch.stack([TARGETS[0], TARGETS[0], *torch.zeros(2, 5)]))
