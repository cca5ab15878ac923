from dataclasses import replace

import pytest

from model.config import Recipe
from model.errors import ConfigError
from model.pipeline import variants
from model.recipes import RECIPES, changes, final, find_recipe, override
from model.sizes import training_size


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_bears_the_name_it_is_found_by(name):
    assert find_recipe(name).name == name
    assert RECIPES[name].__doc__


def test_an_unknown_recipe_is_answered_with_the_close_ones():
    with pytest.raises(ConfigError, match=r"no recipe 'smok'\. Did you mean smoke"):
        find_recipe("smok")


def test_assignments_are_read_as_the_type_of_their_field():
    recipe = override(
        Recipe(),
        ["epochs=3", "learning_rate=1e-3", "pretrained=no", "backbone=resnet18", "epochs=4"],
    )
    wanted = {"epochs": 4, "learning_rate": 1e-3, "pretrained": False, "backbone": "resnet18"}
    assert recipe == replace(Recipe(), **wanted)


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("epoch=3", "no field 'epoch'. Did you mean .*epochs"),
        ("epochs", "give field=value"),
        ("epochs=three", "epochs is 'three'; give a whole number"),
        ("epochs=0", "epochs is 0; give 1..100000"),
        ("learning_rate=fast", "learning_rate is 'fast'; give a number"),
        ("learning_rate=nan", "learning_rate is nan; give"),
        ("pretrained=maybe", "pretrained is 'maybe'; give true or false"),
        ("optimizer=adam", "optimizer is 'adam'; give one of adamw, sgd"),
        ("colour=red", "no field 'colour'. Known: .*batch_size"),
    ],
)
def test_a_wrong_assignment_says_what_to_give(assignment, message):
    with pytest.raises(ConfigError, match=message):
        override(Recipe(), [assignment])


def test_changes_name_the_fields_that_differ():
    assert changes(Recipe(), Recipe()) == ""
    assert (
        changes(Recipe(), Recipe(name="x", epochs=3, optimizer="sgd")) == "optimizer=sgd epochs=3"
    )


def test_a_recipe_made_in_code_is_checked_too():
    with pytest.raises(ConfigError, match=r"epochs is 2.5; give a whole number"):
        Recipe(epochs=2.5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ConfigError, match="batch_size is True"):
        Recipe(batch_size=True)


def test_the_top_recipe_ends_at_a_side_larger_than_any_it_trained_at():
    for variant in variants(final()):
        recipe = variant.recipe
        assert not recipe.patience, "an early stop would come before the fine-tuning"
        sides = [training_size(recipe, epoch) for epoch in range(recipe.epochs)]
        assert max(sides[: -recipe.finetune_epochs]) < min(sides[-recipe.finetune_epochs :])
