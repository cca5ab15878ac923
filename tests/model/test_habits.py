"""Fine-tuning habits and losses inside the real loop: what each changes about a training."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from model.batch import UNKNOWN_LABEL
from model.course import default_lesson
from model.lesson import Lesson
from model.trainee import load_trainee
from model.training import Listener, fit

NAMES = ("worn", "placed", "swatch")


@pytest.fixture
def train(make_source, make_trainee, compute):
    def run(recipe, lesson=None, source=None, on_epoch=lambda trainee, result: None):
        trainee = make_trainee(recipe)
        listener = Listener(lambda result: on_epoch(trainee, result))
        fit(trainee, source or make_source(), lesson, compute=compute, listener=listener)
        return trainee

    return run


def weights(network, part):
    module = network.get_submodule(part)
    return torch.cat([value.float().reshape(-1) for value in module.state_dict().values()]).clone()


def test_in_head_epochs_the_backbone_and_its_norm_statistics_rest(recipe, train, make_trainee):
    recipe = replace(recipe, epochs=2, head_epochs=1, ema_decay=0.0)
    start, seen = make_trainee(recipe), []
    train(
        recipe,
        on_epoch=lambda trainee, _: seen.append(
            (weights(trainee.network, "backbone"), weights(trainee.network, "head"))
        ),
    )
    assert torch.equal(seen[0][0], weights(start.network, "backbone"))
    assert not torch.equal(seen[0][1], weights(start.network, "head"))
    assert not torch.equal(seen[1][0], seen[0][0])


def test_swa_is_the_even_average_of_the_last_epochs(recipe, train):
    recipe = replace(recipe, epochs=4, swa_epochs=2)
    ends = []

    def note(trainee, _):
        ends.append(weights(trainee.learner.network, "head"))

    trainee = train(recipe, on_epoch=note)
    assert torch.allclose(weights(trainee.network, "head"), (ends[2] + ends[3]) / 2, atol=1e-6)


def test_fine_tuning_works_and_predicts_at_its_own_size(recipe, train):
    trainee = train(replace(recipe, epochs=3, finetune_epochs=1, finetune_size=24))
    assert trainee.blueprint.preprocess.size == 24
    rates = [result.learning_rate for result in trainee.progress.history]
    assert rates[2] < rates[0]


def test_dropped_labels_teach_nothing_and_take_no_time(recipe, train, make_source):
    source = make_source()
    lesson = default_lesson(recipe, source, NAMES)
    half = lesson.labels.copy()
    half[lesson.split.train[::2]] = UNKNOWN_LABEL
    dropped = train(recipe, Lesson(lesson.split, half))
    split = replace(lesson.split, train=lesson.split.train[1::2])
    without = train(recipe, Lesson(split, lesson.labels))
    assert dropped.progress.step == without.progress.step
    assert torch.equal(weights(dropped.network, "head"), weights(without.network, "head"))


def test_with_consistency_unlabelled_examples_teach_too(recipe, train, make_source):
    recipe = replace(recipe, consistency=5.0, consistency_epochs=1.0)
    lesson = default_lesson(recipe, make_source(), NAMES)
    half = lesson.labels.copy()
    half[lesson.split.train[::2]] = UNKNOWN_LABEL
    with_all = train(recipe, Lesson(lesson.split, half))
    split = replace(lesson.split, train=lesson.split.train[1::2])
    assert with_all.progress.step > train(recipe, Lesson(split, half)).progress.step


def test_an_example_weight_of_zero_is_as_good_as_no_label(recipe, train, make_source):
    source = make_source()
    lesson = default_lesson(recipe, source, NAMES)
    out = lesson.split.train[:7]
    unlabelled = lesson.labels.copy()
    unlabelled[out] = UNKNOWN_LABEL
    light = np.ones(len(source), np.float32)
    light[out] = 0
    # Consistency keeps the examples in the batches; its own weight is next to nothing.
    recipe = replace(recipe, consistency=1e-9)
    one = train(recipe, Lesson(lesson.split, lesson.labels, light))
    other = train(recipe, Lesson(lesson.split, unlabelled))
    assert torch.allclose(weights(one.network, "head"), weights(other.network, "head"), atol=1e-5)


@pytest.mark.parametrize("loss", ["focal", "gce", "bi_tempered", "elr", "negative"])
def test_every_loss_learns_bright_from_dark(recipe, train, make_source, loss):
    trainee = train(replace(recipe, loss=loss, epochs=10), source=make_source(30))
    assert trainee.progress.history[-1].gmean_f1 > 0.8


@pytest.mark.parametrize("mixing", ["cutmix", "mixup"])
def test_blended_batches_still_learn(recipe, train, make_source, mixing):
    recipe = replace(recipe, mixing=mixing, mixing_prob=1.0, epochs=12)
    trainee = train(recipe, source=make_source(30))
    assert trainee.progress.history[-1].gmean_f1 > 0.8


def test_early_learning_resumes_with_its_memory(recipe, train, make_source, compute, tmp_path):
    recipe = replace(recipe, loss="elr", epochs=3, category_prior="log_odds")

    def save_first(trainee, result):
        if result.epoch == 1:
            trainee.save(tmp_path)

    whole = train(recipe, on_epoch=save_first)
    again = load_trainee(tmp_path, torch.device("cpu"), training=True)
    fit(again, make_source(), compute=compute, listener=Listener(lambda result: None))
    assert torch.equal(weights(whole.network, "head"), weights(again.network, "head"))


def test_a_filter_s_changes_never_touch_validation(recipe, train, make_source):
    lesson = default_lesson(recipe, make_source(), NAMES)
    lost = lesson.labels.copy()
    lost[lesson.split.valid] = UNKNOWN_LABEL
    trainee = train(recipe, Lesson(lesson.split, lost))
    assert trainee.progress.history[-1].valid_loss > 0
