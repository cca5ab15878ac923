from dataclasses import replace

import numpy as np
import pytest

from model.config import Recipe
from model.filters.o2u import cyclic, o2u


@pytest.mark.parametrize(
    ("epochs", "decay", "tooth", "total"),
    [(20, 10, 6, 18), (20, 4, 4, 20), (9, 10, 3, 9), (2, 10, 2, 6), (1, 10, 2, 6)],
)
def test_the_second_stage_is_whole_teeth_and_at_least_three(epochs, decay, tooth, total):
    stage = cyclic(Recipe(epochs=epochs, decay_epochs=decay))
    assert (stage.schedule, stage.decay_epochs, stage.epochs) == ("cycles", tooth, total)
    assert stage.warmup_epochs == 0


@pytest.mark.parametrize(("batch", "smaller"), [(128, 32), (32, 16), (8, 8)])
def test_the_second_stage_takes_smaller_batches(batch, smaller):
    assert cyclic(Recipe(batch_size=batch)).batch_size == smaller


def test_the_second_stage_starts_from_the_first(outcome):
    _, trainer = outcome("o2u")
    ordinary, cycles = trainer.jobs[:2]
    assert ordinary.initial is None
    assert not ordinary.wants_dynamics
    assert cycles.initial is trainer.results[0].network
    assert cycles.wants_dynamics


def test_a_share_that_was_asked_for_is_dropped(crowd, recipe, trainer):
    settings = replace(recipe, filter_share=0.2, filter_epochs=1)
    record = o2u(settings, crowd.material, trainer)
    assert record.dropped.sum() == round(0.2 * len(crowd.clean))
    assert "20.0 % of the labels, as asked for" in record.reason


def test_the_estimated_share_is_near_the_true_one(crowd, outcome):
    record, _ = outcome("o2u")
    assert record.dropped.mean() == pytest.approx(crowd.wrong.mean(), abs=0.03)


def test_with_a_single_hold_out_its_labels_stay(crowd, recipe, trainer):
    material = replace(crowd.material, folds_trained=(2,))
    record = o2u(replace(recipe, filter_epochs=1), material, trainer)
    held_out = material.folds == 2
    assert np.isnan(record.scores[held_out]).all()
    assert record.kept[held_out].all()
    assert not np.isnan(record.scores[~held_out]).any()
