from dataclasses import replace

import numpy as np
import pytest

from model.config import NONE, Recipe
from model.filters.trainings import (
    all_folds,
    ask_all,
    ask_outsiders,
    conclude,
    covering_folds,
    judged_positions,
    judging,
    spread,
    watched,
)
from model.job import Material
from model.noise.record import DROPPED


def test_a_judging_recipe_takes_the_filters_epochs():
    assert judging(Recipe(epochs=20, filter_epochs=6)).epochs == 6
    assert judging(Recipe(epochs=20)).epochs == 20


def test_a_short_training_is_not_all_warm_up_or_head():
    short = judging(Recipe(filter_epochs=2, head_epochs=5, warmup_epochs=3.0))
    assert (short.head_epochs, short.warmup_epochs) == (1, 1.0)
    assert judging(Recipe(filter_epochs=1, head_epochs=5)).head_epochs == 0


def test_what_serves_the_last_epochs_is_off_and_the_rest_stays():
    recipe = Recipe(swa_epochs=3, finetune_epochs=2, mixing="cutmix", label_smoothing=0.1)
    changed = judging(recipe)
    assert (changed.swa_epochs, changed.finetune_epochs) == (0, 0)
    assert (changed.mixing, changed.label_smoothing) == ("cutmix", 0.1)


def test_labels_are_judged_under_the_class_shares_as_given():
    changed = judging(Recipe(balance=1.0, logit_adjustment=0.5))
    assert (changed.balance, changed.logit_adjustment) == (0.0, 0.0)


def test_a_watched_training_shows_every_example_once_an_epoch_on_equal_terms():
    recipe = Recipe(
        mixing="mixup",
        balance=1.0,
        consistency=1.0,
        logit_adjustment=1.0,
        category_prior="log_odds",
        loss="focal",
        patience=2,
        start_size=64,
        schedule="steps",
    )
    changed = watched(recipe)
    assert (changed.mixing, changed.balance, changed.consistency) == (NONE, 0.0, 0.0)
    assert (changed.logit_adjustment, changed.category_prior) == (0.0, NONE)
    assert (changed.loss, changed.patience, changed.start_size) == ("cross_entropy", 0, 0)
    assert changed.schedule == "cosine"
    assert watched(recipe, loss="negative").loss == "negative"


def test_only_examples_with_a_label_and_a_fold_are_judged():
    material = Material(np.array([0, DROPPED, 1, 0]), 2, np.array([0, 1, -1, 2]), (0, 1), [()] * 4)
    assert judged_positions(material).tolist() == [0, 3]
    assert all_folds(material) == [0, 1, 2]


def test_two_folds_held_out_in_turn_leave_nobody_unseen(crowd):
    folds = covering_folds(replace(crowd.material, folds_trained=(3, 1, 0)))
    assert folds == (3, 1)
    seen = [crowd.material.held_out(fold)[0] for fold in folds]
    assert len(np.union1d(*seen)) == len(crowd.clean)


def test_outsiders_never_saw_what_they_judge(crowd, recipe, trainer):
    probs = ask_outsiders("check", replace(recipe, epochs=1), crowd.material, trainer)
    assert len(trainer.jobs) == 5
    asked = np.concatenate([job.predict for job in trainer.jobs])
    assert sorted(asked) == list(range(len(crowd.clean)))
    for job, result in zip(trainer.jobs, trainer.results, strict=True):
        assert not np.isin(job.predict, job.lesson.split.train).any()
        assert np.array_equal(probs[job.predict], result.pred_probs)


def test_the_opinion_is_the_mean_of_the_trained_folds(crowd, recipe, trainer):
    settings = judging(replace(recipe, filter_epochs=1))
    opinion = ask_all("ask", settings, crowd.material, crowd.material.labels, trainer)
    first, second = trainer.results
    assert np.allclose(opinion.pred_probs, (first.pred_probs + second.pred_probs) / 2)
    assert opinion.rank[0] == pytest.approx((first.best.gmean_f1 + second.best.gmean_f1) / 2)
    assert [job.name for job in trainer.jobs] == ["ask, fold 1 of 5", "ask, fold 2 of 5"]
    assert [job.recipe.balance for job in trainer.jobs] == [0.0, 1.0]


def test_a_conclusion_spares_a_class_that_would_vanish(crowd):
    given = crowd.material.labels
    labels = np.where(given == 2, DROPPED, given)
    scores = np.linspace(-1, 1, len(given))
    record = conclude("self", crowd.material, labels, scores, "Why.")
    size = int((given == 2).sum())
    assert record.tally(4)[2].kept == max(20, size - int(0.6 * size))
    # The least trusted are the ones that stay dropped.
    members = np.flatnonzero(given == 2)
    assert record.dropped[members].tolist() == sorted(record.dropped[members], reverse=True)
    assert "were spared" in record.reason


def test_what_was_not_judged_keeps_its_label(crowd):
    given = crowd.material.labels
    record = conclude(
        "self", crowd.material, np.full_like(given, DROPPED), np.full(len(given), np.nan), "Why."
    )
    assert record.kept.all()


def test_spread_leaves_the_others_without_a_value():
    values = spread(np.array([0.5, -1.0]), np.array([2, 0]), 4)
    assert values[[0, 2]].tolist() == [-1.0, 0.5]
    assert np.isnan(values[[1, 3]]).all()


def test_a_trainer_works_on_what_it_is_given(crowd, recipe, make_trainer):
    """The trainer of these tests is a real one: it does better than chance, on right labels."""
    trainer = make_trainer(crowd)
    ask_all("ask", judging(recipe), crowd.material, crowd.material.labels, trainer)
    assert trainer.results[0].best.gmean_f1 > 0.7
