from dataclasses import fields, replace

import pytest

from model.config import Recipe, check_value
from model.errors import ConfigError
from model.recipes import RECIPES, find_recipe
from model.search_space import Choice, search_space
from model.tuning import describe, tune

NAMES = ("worn", "placed", "swatch")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_declares_a_space_of_legal_values(name):
    known = {item.name: item for item in fields(Recipe)}
    for field, tried in search_space(find_recipe(name)).items():
        values = tried.values if isinstance(tried, Choice) else (tried.low, tried.high)
        for value in values:
            check_value(known[field], value)


def test_the_first_trial_is_the_recipe_and_the_best_one_is_returned(recipe, make_source):
    told = []
    best = tune(recipe, make_source(), NAMES, trials=3, on_trial=told.append)
    assert [result.number for result in told] == [0, 1, 2]
    assert told[0].recipe.learning_rate == recipe.learning_rate
    winner = max(told, key=lambda result: result.gmean_f1)
    assert best == winner.recipe
    assert "trial 1: gmean-F1" in describe(told[0], recipe)


def test_equal_seeds_search_the_same_way(recipe, make_source):
    def tried(seed):
        told = []
        chosen = replace(recipe, seed=seed, epochs=1)
        tune(chosen, make_source(), NAMES, trials=3, on_trial=told.append)
        return [result.recipe.learning_rate for result in told]

    assert tried(0) == tried(0)
    assert tried(0)[2] != tried(1)[2]


def test_a_hopeless_trial_is_cut_short(recipe, make_source):
    told = []
    recipe = replace(recipe, epochs=6)
    tune(recipe, make_source(40), NAMES, trials=12, on_trial=told.append)
    assert min(result.epochs for result in told) < 6
    assert max(result.epochs for result in told) == 6


def test_no_trials_are_a_mistake(recipe, make_source):
    with pytest.raises(ConfigError, match="--tune is 0; give the number of trials"):
        tune(recipe, make_source(), NAMES, trials=0, on_trial=lambda result: None)
