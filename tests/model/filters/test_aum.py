from dataclasses import replace

import numpy as np
import pytest

from model.config import Recipe
from model.errors import ConfigError
from model.filters.aum import aum, constant_rate
from model.optim import learning_rates


def fakes_of(job, crowd) -> np.ndarray:
    return np.flatnonzero(job.lesson.labels == crowd.material.num_classes)


def test_an_extra_class_as_large_as_an_average_one_holds_only_fakes(crowd, outcome):
    _, trainer = outcome("aum")
    first, second = (fakes_of(job, crowd) for job in trainer.jobs)
    expected = len(trainer.jobs[0].lesson.split.train) // (crowd.material.num_classes + 1)
    assert len(first) == len(second) == expected
    assert not np.isin(first, second).any()
    assert all(job.extra_classes == 1 for job in trainer.jobs)


def test_every_label_is_judged_in_a_run_that_shows_it_as_it_is(crowd, outcome):
    record, trainer = outcome("aum")
    shown = np.zeros(len(crowd.clean), dtype=bool)
    for job in trainer.jobs:
        train = job.lesson.split.train
        shown[train[job.lesson.labels[train] == crowd.material.labels[train]]] = True
    assert shown.all()
    assert not np.isnan(record.scores).any()


def test_with_a_single_hold_out_both_runs_hold_it_out(recipe, make_trainer, make_crowd):
    crowd = make_crowd(trained=1)
    trainer = make_trainer(crowd)
    record = aum(replace(recipe, filter_epochs=1), crowd.material, trainer)
    assert np.isnan(record.scores).tolist() == (crowd.material.folds == 0).tolist()
    assert len(trainer.jobs) == 2


def test_two_folds_are_not_enough(recipe, make_trainer, make_crowd):
    crowd = make_crowd(folds=2)
    with pytest.raises(ConfigError, match="third fold"):
        aum(recipe, crowd.material, make_trainer(crowd))


def test_the_run_ends_before_the_rate_would_drop():
    recipe = constant_rate(Recipe(epochs=20, filter_epochs=6, warmup_epochs=1.0, decay_epochs=2))
    rates = [learning_rates(recipe, step=step, steps_per_epoch=10)[0] for step in range(10, 60)]
    assert set(rates) == {recipe.learning_rate}
