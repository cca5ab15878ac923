from dataclasses import replace

import pytest

from model.sizes import inference_size, training_size


@pytest.fixture
def growing(recipe):
    return replace(recipe, epochs=10, image_size=64, start_size=32)


def test_one_size_is_the_default(recipe):
    assert {training_size(recipe, epoch) for epoch in range(recipe.epochs)} == {16}
    assert inference_size(recipe) == 16


def test_a_growing_side_reaches_the_full_one_half_way_in_even_steps(growing):
    sides = [training_size(growing, epoch) for epoch in range(10)]
    assert sides == [32, 40, 48, 48, 56, 64, 64, 64, 64, 64]
    assert inference_size(growing) == 64


def test_the_last_epochs_and_inference_use_the_larger_side(growing):
    recipe = replace(growing, start_size=0, finetune_epochs=2, finetune_size=96)
    assert [training_size(recipe, epoch) for epoch in (0, 7, 8, 9)] == [64, 64, 96, 96]
    assert inference_size(recipe) == 96


def test_a_size_without_epochs_of_its_own_changes_nothing(growing):
    assert inference_size(replace(growing, finetune_size=96)) == 64
