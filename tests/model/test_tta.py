import numpy as np
import pytest
import torch

from model.augment import CenterCrop, Pad
from model.preprocess import Preprocess
from model.tta import cost, prediction_views

PREPROCESS = Preprocess(size=21, crop=0.9, mean=(0.5, 0.4, 0.3), std=(0.2, 0.1, 0.3))
CPU = torch.device("cpu")


def pictures(side):
    return torch.randint(0, 256, (2, side, side, 3), dtype=torch.uint8)


@pytest.mark.parametrize(("kind", "passes"), [("none", 1), ("flip", 2), ("multi_crop", 10)])
def test_the_cost_is_the_number_of_views(kind, passes):
    assert cost(kind) == passes
    assert len(prediction_views(PREPROCESS, kind)[1]) == passes


def test_without_augmentation_a_picture_is_seen_once_as_it_is():
    framing, (view,) = prediction_views(PREPROCESS, "none")
    images = pictures(21)
    assert framing == CenterCrop(21, 0.9)
    assert torch.equal(view(images), PREPROCESS.to_input(images, CPU))


def test_the_second_view_of_a_flip_is_the_mirror_image():
    framing, (plain, mirrored) = prediction_views(PREPROCESS, "flip")
    images = pictures(21)
    assert framing == CenterCrop(21, 0.9)
    assert torch.equal(plain(images), PREPROCESS.to_input(images, CPU))
    assert torch.equal(mirrored(images), plain(images).flip(-1))


def test_ten_views_are_corners_and_centre_of_a_larger_picture_and_their_mirror_images():
    framing, views = prediction_views(PREPROCESS, "multi_crop")
    assert framing == CenterCrop(24, 1.0)
    images = pictures(24)
    whole = PREPROCESS.to_input(images, CPU)
    plain = [view(images) for view in views[::2]]
    expected = [
        whole[..., :21, :21],
        whole[..., :21, 3:],
        whole[..., 3:, :21],
        whole[..., 3:, 3:],
        whole[..., 1:22, 1:22],
    ]
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(plain, expected, strict=True))
    for straight, mirrored in zip(plain, views[1::2], strict=True):
        assert torch.equal(mirrored(images), straight.flip(-1))


@pytest.mark.parametrize("kind", ["none", "flip", "multi_crop"])
def test_every_view_is_channels_last_and_leaves_the_picture_alone(kind):
    framing, views = prediction_views(PREPROCESS, kind)
    images = pictures(framing.size)
    before = images.clone()
    for view in views:
        seen = view(images)
        assert seen.shape == (2, 3, 21, 21)
        assert seen.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(images, before)


def test_several_crops_of_a_padded_picture_are_crops_of_the_padded_square():
    padded = Preprocess(size=224, crop=0.9, shown="pad")
    framing, views = prediction_views(padded, "multi_crop")
    assert framing == Pad(256)
    offsets = np.array([(view.top, view.left) for view in views[::2]])
    assert offsets.tolist() == [[0, 0], [0, 32], [32, 0], [32, 32], [16, 16]]


def test_an_unknown_kind_is_refused():
    with pytest.raises(KeyError, match="rotate"):
        prediction_views(PREPROCESS, "rotate")
