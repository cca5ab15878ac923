import json
from dataclasses import replace

import pytest
import torch

from model.errors import CheckpointError
from model.trainee import EpochResult, Progress, load_trainee
from model.training import Listener, fit

CPU = torch.device("cpu")


@pytest.fixture
def trained(recipe, make_source, make_trainee, compute):
    trainee = make_trainee(recipe)
    fit(trainee, make_source(), compute=compute, listener=Listener(lambda result: None))
    return trainee


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def result(epoch: int, *class_f1: float) -> EpochResult:
    mean = 0.0 if min(class_f1) == 0 else sum(class_f1) / len(class_f1)
    return EpochResult(epoch, epoch, 1.0, 1.0, 0.1, class_f1, mean, 1.0, 0, False)


def test_a_checkpoint_rebuilds_the_trainee_from_itself_alone(trained, tmp_path):
    trained.save(tmp_path)
    loaded = load_trainee(tmp_path, CPU, training=True)
    assert loaded.blueprint == trained.blueprint
    assert loaded.progress == trained.progress
    assert equal(loaded.network.state_dict(), trained.network.state_dict())
    assert equal(loaded.begin().tensors(), trained.begin().tensors())


def test_a_checkpoint_for_inference_is_small_and_begins_training_anew(trained, tmp_path):
    (tmp_path / "best").mkdir()
    (tmp_path / "last").mkdir()
    trained.save_network(tmp_path / "best")
    trained.save(tmp_path / "last")
    best, last = (sum(p.stat().st_size for p in (tmp_path / n).iterdir()) for n in ("best", "last"))
    assert best < 0.5 * last
    loaded = load_trainee(tmp_path / "best", CPU, training=True)
    assert loaded.progress == Progress()
    assert equal(loaded.network.state_dict(), trained.network.state_dict())


def test_inference_does_not_read_the_training_state(trained, tmp_path):
    trained.save(tmp_path)
    (tmp_path / "training.safetensors").write_bytes(b"broken")
    assert load_trainee(tmp_path, CPU, training=False).learner is None
    with pytest.raises(CheckpointError, match="is damaged"):
        load_trainee(tmp_path, CPU, training=True)


def test_a_folder_that_is_no_checkpoint_says_what_is_missing(trained, tmp_path):
    with pytest.raises(CheckpointError, match=r"it lacks checkpoint\.json"):
        load_trainee(tmp_path, CPU, training=False)
    trained.save(tmp_path)
    (tmp_path / "network.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"it lacks network\.safetensors"):
        load_trainee(tmp_path, CPU, training=False)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("format", 99, "has format 99"), ("recipe", {"colour": 1}, "unknown field 'colour'")],
)
def test_a_checkpoint_of_another_version_is_refused(trained, tmp_path, key, value, message):
    trained.save(tmp_path)
    document = json.loads((tmp_path / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps({**document, key: value}))
    with pytest.raises(CheckpointError, match=message):
        load_trainee(tmp_path, CPU, training=False)


def test_the_best_epoch_has_the_highest_geometric_mean_then_the_highest_mean():
    progress = Progress()
    for scores in [(0.0, 0.5), (0.0, 0.9), (0.0, 0.6), (0.4, 0.4), (0.4, 0.4)]:
        progress = progress.after(progress.judge(result(progress.epoch + 1, *scores)))
    assert [r.is_best for r in progress.history] == [True, True, False, True, False]
    assert progress.best == progress.history[3]
    assert progress.stale == 1


def test_a_trainee_in_training_stays_on_its_device(trained):
    with pytest.raises(ValueError, match="cannot move"):
        trained.to(CPU)


def test_the_seed_decides_the_first_weights(recipe, make_trainee):
    first, again = make_trainee(recipe), make_trainee(recipe)
    other = make_trainee(replace(recipe, seed=1))
    assert equal(first.network.state_dict(), again.network.state_dict())
    assert not equal(first.network.state_dict(), other.network.state_dict())
