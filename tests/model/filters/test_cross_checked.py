from dataclasses import replace

import numpy as np
import pytest

from model.config import Recipe
from model.errors import ConfigError
from model.filters import FILTERS
from model.filters.cross_checked import corrected_labels, label_issues
from model.noise.record import DROPPED


def test_each_model_is_a_cross_validation_with_a_seed_of_its_own(outcome):
    _, trainer = outcome("label_issues")
    seeds = [job.recipe.seed for job in trainer.jobs]
    assert len(trainer.jobs) == 10
    assert set(seeds[:5]) == {0}
    assert len(set(seeds[5:])) == 1
    assert seeds[5] != 0


def test_the_models_take_the_samplers_in_turn(outcome):
    _, trainer = outcome("label_issues")
    assert [job.recipe.balance for job in trainer.jobs] == 5 * [0.0] + 5 * [1.0]


def test_the_models_learn_unsmoothed_labels(crowd, recipe, trainer):
    label_issues(replace(recipe, label_smoothing=0.1), crowd.material, trainer)
    assert {job.recipe.label_smoothing for job in trainer.jobs} == {0.0}


@pytest.mark.parametrize("name", ["label_issues", "confident_learning"])
def test_without_a_cross_validation_nobody_can_judge(crowd, trainer, name):
    with pytest.raises(ConfigError, match="--set folds=5"):
        FILTERS[name](Recipe(folds=1, noise_filter=name), crowd.material, trainer)
    assert not trainer.jobs


def test_a_single_round_is_a_single_model(crowd, recipe, trainer):
    label_issues(replace(recipe, filter_rounds=1, filter_epochs=1), crowd.material, trainer)
    assert len(trainer.jobs) == 5


@pytest.fixture
def given() -> np.ndarray:
    # Class 1 is rare.
    return np.array([0, 0, 0, 0, 0, 1])


def sure_of(label: int, certainty: float, size: int = 6) -> np.ndarray:
    row = np.full(2, 1 - certainty, dtype=np.float32)
    row[label] = certainty
    return np.tile(row, (size, 1))


def test_a_wrong_label_becomes_a_rare_class_that_all_models_are_sure_of(given):
    probs = np.stack([sure_of(1, 0.97), sure_of(1, 0.99)])
    wrong = np.array([True, False, False, False, False, False])
    assert corrected_labels(given, probs, wrong).tolist() == [1, 0, 0, 0, 0, 1]


def test_a_wrong_label_is_dropped_where_the_models_are_less_sure(given):
    probs = np.stack([sure_of(1, 0.91), sure_of(1, 0.95)])
    wrong = np.array([True, False, False, False, False, False])
    assert corrected_labels(given, probs, wrong)[0] == DROPPED


def test_a_wrong_label_is_dropped_where_one_model_disagrees(given):
    probs = np.concatenate([np.stack([sure_of(1, 1.0)] * 24), sure_of(0, 0.9)[None]])
    wrong = np.array([True, False, False, False, False, False])
    assert probs.mean(axis=0)[0, 1] > 0.95
    assert corrected_labels(given, probs, wrong)[0] == DROPPED


def test_no_label_is_changed_into_a_common_class(given):
    probs = np.stack([sure_of(0, 0.99)])
    wrong = np.array([False, False, False, False, False, True])
    assert corrected_labels(given, probs, wrong)[5] == DROPPED


def test_a_flagged_label_that_the_models_confirm_is_dropped_not_changed(given):
    probs = np.stack([sure_of(1, 0.99)])
    wrong = np.array([False, False, False, False, False, True])
    assert corrected_labels(given, probs, wrong)[5] == DROPPED
