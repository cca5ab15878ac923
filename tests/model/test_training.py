import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from model.course import default_lesson, plan_course
from model.errors import TrainingError
from model.ranks import RankGroup
from model.training import Listener, fit


def run(recipe, source, make_trainee, compute, **options):
    results = []
    trainee = make_trainee(recipe)
    listener = Listener(results.append, **options)
    fit(trainee, source, compute=compute, listener=listener)
    return trainee, results


def plan(trainee, source, compute, group):
    lesson = default_lesson(trainee.blueprint.recipe, source, trainee.blueprint.class_names)
    return plan_course(trainee, source, lesson, compute=compute, group=group)


def test_it_learns_to_tell_bright_from_dark(recipe, make_source, make_trainee, compute):
    recipe = replace(recipe, epochs=8)
    _, results = run(recipe, make_source(30), make_trainee, compute)
    assert results[-1].gmean_f1 > 0.9
    assert results[-1].train_loss < results[0].train_loss
    assert [r.epoch for r in results] == list(range(1, 9))
    assert results[-1].step == 8 * (81 // 8)


def test_equal_seeds_give_equal_weights_and_others_do_not(
    recipe, make_source, make_trainee, compute
):
    def weights(seed: int) -> torch.Tensor:
        trainee, _ = run(
            replace(recipe, seed=seed, drop_rate=0.2), make_source(), make_trainee, compute
        )
        return torch.cat([value.reshape(-1) for value in trainee.network.parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_unreadable_pictures_are_counted_and_do_not_teach(
    recipe, make_source, make_trainee, compute
):
    broken = frozenset(range(0, 30, 3))
    trainee, results = run(recipe, make_source(unreadable=broken), make_trainee, compute)
    trained_on = default_lesson(recipe, make_source(), trainee.blueprint.class_names).split.train
    assert 0 < results[0].skipped <= len(broken & set(trained_on.tolist()))
    _, all_broken = run(recipe, make_source(unreadable=frozenset(range(30))), make_trainee, compute)
    assert all_broken[0].train_loss == 0


def test_training_stops_when_validation_no_longer_improves(
    recipe, make_source, make_trainee, compute
):
    recipe = replace(recipe, epochs=50, patience=3, learning_rate=1e-8)
    trainee, results = run(recipe, make_source(), make_trainee, compute)
    assert len(results) < 50
    assert trainee.progress.stale == 3
    fit(trainee, make_source(), compute=compute, listener=Listener(results.append))
    assert len(results) == trainee.progress.epoch


def test_speed_is_measured_by_the_given_clock(recipe, make_source, make_trainee, compute):
    ticks = itertools.count(0, 2.0)
    _, results = run(recipe, make_source(), make_trainee, compute, clock=lambda: next(ticks))
    assert results[0].images_per_second == pytest.approx(24 / 2.0)


def test_progress_is_told_for_training_and_validation(recipe, make_source, make_trainee, compute):
    calls = []
    run(recipe, make_source(), make_trainee, compute, on_progress=lambda *call: calls.append(call))
    assert ("epoch 1/2: trained", 3, 3) in calls
    assert ("epoch 2/2: validated", 3, 3) in calls


def test_a_loss_that_is_no_number_ends_the_training(recipe, make_source, make_trainee, compute):
    recipe = replace(recipe, optimizer="sgd", learning_rate=100.0, clip_grad_norm=0.0, epochs=20)
    with pytest.raises(TrainingError, match=r"training loss is .*lower --set learning_rate"):
        run(recipe, make_source(), make_trainee, compute)


def test_too_many_ranks_for_a_batch_are_refused(recipe, make_source, make_trainee, compute):
    with pytest.raises(TrainingError, match="5 ranks cannot share a batch of 8"):
        plan(make_trainee(recipe), make_source(), compute, RankGroup(0, 5))


def test_rare_classes_get_a_lower_offset(recipe, make_source, make_trainee, compute):
    source = make_source()
    uneven = replace(source, labels=np.repeat([0, 1, 2], [4, 8, 18]).astype(np.int64))
    trainee = make_trainee(replace(recipe, logit_adjustment=1.0))
    (offsets,) = plan(trainee, uneven, compute, RankGroup()).logit_terms
    assert offsets.exp().sum().item() == pytest.approx(1)
    assert offsets.tolist() == sorted(offsets.tolist())
