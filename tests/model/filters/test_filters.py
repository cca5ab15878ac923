"""What holds for every filter."""

from dataclasses import replace

import numpy as np
import pytest

from model import config
from model.filters import FILTERS
from model.job import Material
from model.noise.record import DROPPED


def test_every_filter_of_a_recipe_exists():
    assert set(config.FILTERS) <= set(FILTERS)


@pytest.mark.parametrize(
    ("name", "precision", "recall"),
    [
        ("self", 0.9, 0.95),
        ("o2u", 0.85, 0.95),
        ("nlnl", 0.9, 0.95),
        ("aum", 0.85, 0.95),
        ("elr", 0.9, 0.95),
        # It drops 5 % of each class without looking at the label: 20 of 400.
        ("self_training", 0.6, 0.95),
        ("confident_learning", 0.9, 0.9),
        ("label_issues", 0.9, 0.9),
    ],
)
def test_it_finds_the_planted_errors(crowd, outcome, name, precision, recall):
    record, _ = outcome(name)
    found, missed = crowd.precision_recall(record.dropped | record.relabelled)
    assert found >= precision
    assert missed >= recall
    assert record.method == name


@pytest.mark.parametrize("name", FILTERS)
def test_its_scores_rank_the_planted_errors_first(crowd, outcome, name):
    record, _ = outcome(name)
    lowest = np.argsort(record.scores)[: crowd.wrong.sum()]
    assert crowd.wrong[lowest].mean() > 0.85


@pytest.mark.parametrize("name", FILTERS)
def test_every_class_keeps_most_of_its_right_labels(crowd, outcome, name):
    record, _ = outcome(name)
    right = ~crowd.wrong
    for number in range(crowd.material.num_classes):
        members = right & (record.given == number)
        assert record.kept[members].mean() > 0.75


@pytest.mark.parametrize("name", FILTERS)
def test_validation_is_by_the_held_out_fold_and_by_nobody_who_is_trained_on(crowd, outcome, name):
    _, trainer = outcome(name)
    for job in trainer.jobs:
        fold = np.unique(crowd.material.folds[job.lesson.split.valid])
        assert len(fold) == 1
        assert not np.isin(job.lesson.split.train, job.lesson.split.valid).any()
        assert (crowd.material.folds[job.lesson.split.train] != fold).all()


@pytest.mark.parametrize("name", ["self", "aum"])
def test_the_same_seed_gives_the_same_record(crowd, outcome, recipe, name, make_trainer):
    before, _ = outcome(name)
    again = FILTERS[name](replace(recipe, noise_filter=name), crowd.material, make_trainer(crowd))
    assert again.labels.tolist() == before.labels.tolist()
    assert np.array_equal(again.scores, before.scores, equal_nan=True)


@pytest.mark.parametrize("name", FILTERS)
def test_examples_without_a_fold_or_a_label_are_left_alone(crowd, recipe, name, make_trainer):
    labels, folds = crowd.material.labels.copy(), crowd.material.folds.copy()
    labels[:5], folds[:10] = DROPPED, -1
    material = Material(labels, 4, folds, (0, 1), crowd.material.categories)
    settings = replace(recipe, noise_filter=name, filter_epochs=2, filter_rounds=1)
    record = FILTERS[name](settings, material, make_trainer(replace(crowd, material=material)))
    assert record.given.tolist() == labels.tolist()
    assert record.labels[:10].tolist() == labels[:10].tolist()
    assert np.isnan(record.scores[:10]).all()
    # Few epochs, each without the last incomplete batch, may miss somebody.
    assert np.isnan(record.scores[10:]).mean() < 0.15
