from dataclasses import replace

import numpy as np
import pytest

from model.ensemble import Ensemble, Member
from model.errors import CheckpointError
from model.joining import Ingredient, join_ensembles
from model.out_of_fold import OutOfFold, load_out_of_fold

NAMES = ("worn", "placed", "swatch")


@pytest.fixture
def fitted(recipe):
    return replace(recipe, ensemble_weights="out_of_fold", decision_rule="gmean_f1")


@pytest.fixture
def ingredient(recipe, make_trainee):
    def make(skill, *, count=60, table=True, names=NAMES):
        trainee = make_trainee(recipe)
        ensemble = Ensemble(
            members=(Member(replace(trainee.blueprint, class_names=names), trainee.network),),
            weights=(1.0,),
            mean="arithmetic",
            offsets=(0.0,) * len(names),
            class_names=names,
        )
        rng = np.random.default_rng(count)
        given = np.arange(count) % 3
        probs = rng.dirichlet(np.ones(3), size=count) * (1 - skill)
        probs[np.arange(count), given] += skill
        held_out = OutOfFold(probs[None].astype(np.float32), given, np.arange(count) % 5)
        return Ingredient(ensemble, held_out if table else None)

    return make


def test_equal_weights_need_no_held_out_predictions(recipe, ingredient):
    said = []
    joined = join_ensembles(
        [ingredient(0.5, table=False), ingredient(0.5, table=False)], recipe, say=said.append
    )
    assert joined.weights == (0.5, 0.5)
    assert said == ["Joined 2 checkpoints, 2 networks"]


def test_the_better_checkpoint_weighs_more(fitted, ingredient):
    said = []
    joined = join_ensembles([ingredient(0.05), ingredient(0.6)], fitted, say=said.append)
    assert joined.weights[1] > 0.7
    assert sum(joined.weights) == pytest.approx(1)
    assert "On 60 held-out pictures: gmean-F1" in said[0]


def test_fitting_without_held_out_predictions_is_refused(fitted, ingredient):
    with pytest.raises(CheckpointError, match="1 of 2 checkpoints kept no held-out predictions"):
        join_ensembles([ingredient(0.5), ingredient(0.5, table=False)], fitted, say=print)


def test_predictions_of_other_examples_are_refused(fitted, ingredient):
    with pytest.raises(CheckpointError, match="learned from different examples"):
        join_ensembles([ingredient(0.5), ingredient(0.5, count=61)], fitted, say=print)


def test_other_classes_are_refused(recipe, ingredient):
    other = ingredient(0.5, names=("a", "b", "c"))
    with pytest.raises(CheckpointError, match="know different classes"):
        join_ensembles([ingredient(0.5), other], recipe, say=print)


def test_the_table_survives_a_checkpoint_and_a_damaged_one_is_refused(ingredient, tmp_path):
    assert load_out_of_fold(tmp_path) is None
    table = ingredient(0.5).out_of_fold
    table.pred_probs[:, 7] = np.nan
    table.save(tmp_path)
    again = load_out_of_fold(tmp_path)
    assert again is not None
    assert np.array_equal(again.pred_probs, table.pred_probs, equal_nan=True)
    assert 7 not in again.covered
    (tmp_path / "out_of_fold.safetensors").write_bytes(b"broken")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_out_of_fold(tmp_path)
