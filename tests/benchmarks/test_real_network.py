"""The small network of the comparison on real labels."""

import pytest
import torch

from benchmarks.real_arms import SCALES
from benchmarks.real_network import FEATURES, NAME, SmallNet
from model.networks import build_network


def test_a_recipe_builds_it_by_name():
    recipe = SCALES["cpu"].recipe(seed=0, has_categories=False)
    assert recipe.backbone == NAME
    network = build_network(recipe, num_classes=5, category_sizes=(), pretrained=False)
    assert isinstance(network.backbone, SmallNet)
    logits = network(torch.zeros(2, 3, 32, 32), torch.zeros(2, 0, dtype=torch.long))
    assert logits.shape == (2, 5)


@pytest.mark.parametrize("size", [16, 32, 64])
def test_it_sees_pictures_of_any_size(size):
    assert SmallNet()(torch.zeros(2, 3, size, size)).shape == (2, FEATURES)


def test_the_last_stage_works_on_an_eighth_of_the_side():
    grid = SmallNet().layers(torch.zeros(1, 3, 32, 32))
    assert grid.shape[1:] == (FEATURES, 4, 4)
