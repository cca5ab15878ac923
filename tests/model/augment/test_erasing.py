import numpy as np
import pytest
import torch

from model.augment import Visit, channel_dropout, coarse_dropout
from model.augment.erasing import MOST_RECTANGLES
from model.batch import GREY

COUNT = 3000


def white(count=COUNT, side=16):
    return torch.full((count, 3, side, side), 255, dtype=torch.uint8)


def visit(count=COUNT):
    return Visit(0, 0, np.arange(count))


@pytest.mark.parametrize("prob", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("augment", [channel_dropout, coarse_dropout])
def test_the_share_of_changed_images_is_the_probability(augment, prob):
    images = white()
    changed = (augment(images, visit(), prob) != images).flatten(1).any(dim=1)
    assert changed.float().mean().item() == pytest.approx(prob, abs=0.03)
    assert (images == 255).all()


def test_exactly_one_channel_is_black_and_each_as_often():
    dropped = channel_dropout(white(), visit(), 1.0)
    black = (dropped == 0).flatten(2).all(dim=2)
    assert (black.sum(dim=1) == 1).all()
    assert black.float().mean(dim=0).tolist() == pytest.approx([1 / 3] * 3, abs=0.03)
    assert ((dropped == 0) | (dropped == 255)).all()


def test_rectangles_are_grey_in_all_channels_and_within_their_sizes():
    covered = coarse_dropout(white(400, 64), visit(400), 1.0)
    grey = covered == GREY
    assert (grey | (covered == 255)).all()
    assert torch.equal(grey.any(dim=1), grey.all(dim=1))
    area = grey[:, 0].flatten(1).sum(dim=1)
    assert area.min() >= 4 * 4
    assert area.max() <= MOST_RECTANGLES * 16 * 16


def test_a_lone_rectangle_is_one_and_may_lie_anywhere(monkeypatch):
    monkeypatch.setattr("model.augment.erasing.MOST_RECTANGLES", 1)
    grey = coarse_dropout(white(2000, 32), visit(2000), 1.0)[:, 0] == GREY
    heights, widths = grey.any(dim=2).sum(dim=1), grey.any(dim=1).sum(dim=1)
    assert torch.equal(grey.flatten(1).sum(dim=1), heights * widths)
    for lengths in (heights, widths):
        assert sorted(set(lengths.tolist())) == [2, 3, 4, 5, 6, 7, 8]
    assert grey.any(dim=0).all()
    assert not torch.equal(heights, widths)
