import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from model.augment import augment_batch
from model.batch import GREY
from model.config import Recipe

ROOT = Path(__file__).parents[3]

EVERYTHING = {
    "vertical_flip_prob": 0.5,
    "auto_augment": "imagenet",
    "color_jitter": 0.4,
    "blur_prob": 0.5,
    "channel_dropout_prob": 0.3,
    "coarse_dropout_prob": 0.5,
}
SINGLY = [*({name: value} for name, value in EVERYTHING.items()), {"auto_augment": "cifar10"}]


@pytest.fixture
def pictures(make_images):
    """As they leave the loader: uint8 [B, S, S, 3]."""
    return make_images(40).permute(0, 2, 3, 1).contiguous()


def augmented(pictures, indices, epoch=0, **changes):
    return augment_batch(pictures, Recipe(seed=3, **changes), epoch=epoch, indices=indices)


def test_a_recipe_that_asks_for_nothing_gets_its_batch_back(pictures):
    assert augmented(pictures, np.arange(40)) is pictures


@pytest.mark.parametrize("changes", [*SINGLY, EVERYTHING], ids=str)
def test_an_example_looks_the_same_in_any_batch_and_order(pictures, changes):
    indices = np.arange(40) * 1001
    whole = augmented(pictures, indices, **changes)
    order = np.random.default_rng(0).permutation(40)
    assert torch.equal(augmented(pictures[order], indices[order], **changes), whole[order])
    parts = [augmented(pictures[i : i + 7], indices[i : i + 7], **changes) for i in range(0, 40, 7)]
    assert torch.equal(torch.cat(parts), whole)
    alone = augmented(pictures[11:12], indices[11:12], **changes)
    assert torch.equal(alone[0], whole[11])


@pytest.mark.parametrize("changes", [*SINGLY, EVERYTHING], ids=str)
def test_the_next_epoch_and_another_example_draw_anew(pictures, changes):
    indices = np.arange(40)
    whole = augmented(pictures, indices, **changes)
    assert not torch.equal(augmented(pictures, indices, epoch=1, **changes), whole)
    assert not torch.equal(augmented(pictures, indices + 40, **changes), whole)


def test_bytes_come_out_as_they_went_in(pictures):
    before = pictures.clone()
    changed = augmented(pictures, np.arange(40), **EVERYTHING)
    assert changed.dtype == torch.uint8
    assert changed.shape == pictures.shape
    assert changed.is_contiguous()
    assert torch.equal(pictures, before)


def test_rectangles_cover_a_dropped_channel_and_a_blur_does_not_soften_them(pictures):
    all_at_once = augmented(
        pictures,
        np.arange(40),
        blur_prob=1.0,
        channel_dropout_prob=1.0,
        coarse_dropout_prob=1.0,
    )
    black = (all_at_once == 0).flatten(1, 2)
    grey = (all_at_once == GREY).all(dim=3).flatten(1)
    assert grey.any(dim=1).all()
    assert ((black | grey[..., None]).all(dim=1).sum(dim=1) == 1).all()


def test_torchvision_is_loaded_only_when_it_is_needed():
    program = "import sys, model.augment; print('torchvision' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "False\n"
