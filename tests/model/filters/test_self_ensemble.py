from dataclasses import replace

import numpy as np

from model.filters.self_ensemble import agreeing_labels, self_ensemble
from model.noise.record import DROPPED


def test_what_is_removed_stays_in_training_without_a_label(outcome):
    _, trainer = outcome("self")
    second = trainer.jobs[2]
    assert second.recipe.consistency > 0
    train = second.lesson.split.train
    removed = train[second.lesson.labels[train] == DROPPED]
    assert len(removed) > 0
    assert np.isin(removed, second.lesson.taught(unlabelled=True)).all()


def test_a_recipe_without_a_teacher_gets_one(crowd, recipe, trainer):
    settings = replace(recipe, ema_decay=0.0, consistency=0.0, filter_epochs=1, filter_rounds=1)
    self_ensemble(settings, crowd.material, trainer)
    assert trainer.jobs[0].recipe.ema_decay > 0
    assert trainer.jobs[0].recipe.consistency > 0


def test_a_teacher_that_the_recipe_chose_stays(crowd, recipe, trainer):
    settings = replace(recipe, ema_decay=0.5, consistency=2.0, filter_epochs=1, filter_rounds=1)
    self_ensemble(settings, crowd.material, trainer)
    assert trainer.jobs[0].recipe.ema_decay == 0.5
    assert trainer.jobs[0].recipe.consistency == 2.0


def test_a_label_that_is_nearly_the_most_probable_one_stays():
    probs = np.array([[0.36, 0.44, 0.2], [0.1, 0.9, 0.0], [0.1, 0.9, 0.0]])
    # 0.36 / 0.44 is above 0.6; of class 0, 0.64 + 0.9 + 0.9 = 2 are expected to be wrong.
    assert agreeing_labels(np.zeros(3, np.int64), probs).tolist() == [0, DROPPED, DROPPED]


def test_a_weak_network_takes_no_more_of_a_class_than_it_expects_to_be_wrong():
    # It never prefers the rare class 1, but expects three in ten of its labels to be right.
    probs = np.tile([0.7, 0.3], (10, 1))
    probs[:, 1] += np.linspace(-0.04, 0.0, 10)
    labels = agreeing_labels(np.ones(10, np.int64), probs)
    assert labels.tolist() == 7 * [DROPPED] + 3 * [1]
