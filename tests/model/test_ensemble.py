import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from model.blend import blend
from model.ensemble import (
    Ensemble,
    Member,
    gather_members,
    is_ensemble,
    load_ensemble,
    predict_ensemble,
)
from model.errors import CheckpointError
from model.prediction import predict
from model.side_by_side import SharedPictures
from model.trainee import load_trainee

CPU = torch.device("cpu")


class CountingSource:
    """A source that notes what is decoded, and takes a second for every batch."""

    def __init__(self, source) -> None:
        self.source = source
        self.decoded: list[tuple[int, int]] = []
        self.now = 0.0

    def __getattr__(self, name):
        return getattr(self.source, name)

    def __len__(self) -> int:
        return len(self.source)

    def clock(self) -> float:
        return self.now

    def batches(self, order, *, batch_size, framing, workers):
        for batch in self.source.batches(
            order, batch_size=batch_size, framing=framing, workers=workers
        ):
            self.decoded.append((framing.size, len(batch.indices)))
            self.now += 1.0
            yield batch


@pytest.fixture
def make_member(recipe, make_trainee):
    def make(**changes) -> Member:
        trainee = make_trainee(replace(recipe, **changes))
        with torch.no_grad():
            trainee.network.head.logits.weight.mul_(20)  # Untrained networks say 1/K otherwise.
        return Member(trainee.blueprint, trainee.network)

    return make


@pytest.fixture
def make_ensemble(make_member):
    def make(*members: Member, **changes) -> Ensemble:
        members = members or (make_member(seed=0), make_member(seed=1))
        names = members[0].blueprint.class_names
        share = (1 / len(members),) * len(members)
        parts = {"weights": share, "mean": "arithmetic", "offsets": (0.0,) * len(names)}
        return Ensemble(members=members, class_names=names, **{**parts, **changes})

    return make


@pytest.fixture
def answer(compute):
    def run(ensemble, source, **more):
        return predict_ensemble(
            ensemble, source, compute_of=lambda trainee: compute, workers=0, **more
        )

    return run


@pytest.mark.parametrize("mean", ["arithmetic", "geometric"])
def test_the_ensemble_blends_what_its_members_predict_alone(
    make_member, make_ensemble, make_source, answer, compute, mean
):
    members = make_member(seed=0), make_member(seed=1, image_size=20), make_member(tta="flip")
    source = make_source(60)
    alone = [predict(member.trainee, source, compute=compute, workers=0) for member in members]
    weights, offsets = (0.5, 0.3, 0.2), (0.7, -0.7, 0.0)
    ensemble = make_ensemble(*members, mean=mean, weights=weights, offsets=offsets)
    together = answer(ensemble, source)
    expected = blend(np.stack([one.pred_probs for one in alone]), weights, mean)
    assert_allclose(together.pred_probs, expected, rtol=1e-6)
    assert (together.y_pred == (np.log(expected) + offsets).argmax(axis=1)).all()
    assert (together.y_pred != expected.argmax(axis=1)).any()


def test_a_picture_is_decoded_once_per_size_however_many_members_there_are(
    make_member, make_ensemble, make_source, answer
):
    members = [make_member(seed=seed, image_size=size) for seed in range(3) for size in (16, 20)]
    members.append(make_member(tta="flip"))
    source = CountingSource(make_source(50))
    answer(make_ensemble(*members), source)
    assert source.decoded == [(16, 128), (16, 22), (20, 128), (20, 22)]


def test_progress_counts_every_size_and_unreadable_pictures_once(
    make_member, make_ensemble, make_source, answer
):
    ensemble, calls = make_ensemble(make_member(), make_member(image_size=20)), []
    source = make_source(unreadable=frozenset({1, 7}))
    prediction = answer(ensemble, source, on_progress=lambda *call: calls.append(call))
    assert calls == [("predicted", 30, 60), ("predicted", 60, 60)]
    assert prediction.unreadable == 2


def test_the_cost_says_what_a_member_adds(make_member, make_ensemble, make_source, answer):
    source = CountingSource(make_source(50))
    members = make_member(seed=0), make_member(image_size=20), make_member(seed=1)
    costs = answer(make_ensemble(*members), source, clock=source.clock).costs
    # Two batches of one second for each size; two members share those of size 16.
    assert [(cost.name, cost.decode) for cost in costs] == [
        ("narrow, 16 px", pytest.approx(1 / 150)),
        ("narrow, 20 px", pytest.approx(2 / 150)),
        ("narrow, 16 px", pytest.approx(1 / 150)),
    ]
    assert [cost.compute for cost in costs] == [0, 0, 0]
    assert all(cost.compute > 0 for cost in answer(make_ensemble(*members), source).costs)


def test_an_empty_source_gets_an_empty_answer(make_ensemble, make_source, answer):
    prediction = answer(make_ensemble(), make_source(0))
    assert prediction.pred_probs.shape == (0, 3)
    assert prediction.y_pred.shape == (0,)


def test_a_checkpoint_rebuilds_the_ensemble_from_itself_alone(
    make_member, make_ensemble, make_source, answer, tmp_path
):
    ensemble = make_ensemble(
        make_member(), make_member(image_size=20), mean="geometric", weights=(0.1, 0.9),
        offsets=(0.1, -0.3, 0.2),
    )  # fmt: skip
    ensemble.save(tmp_path)
    assert is_ensemble(tmp_path)
    loaded = load_ensemble(tmp_path, CPU)
    for name in ("weights", "mean", "offsets", "class_names"):
        assert getattr(loaded, name) == getattr(ensemble, name)
    assert [m.blueprint for m in loaded.members] == [m.blueprint for m in ensemble.members]
    before, after = answer(ensemble, make_source()), answer(loaded, make_source())
    assert (before.pred_probs == after.pred_probs).all()
    assert (before.y_pred == after.y_pred).all()


def test_equal_members_are_stored_as_equal_bytes(make_member, make_ensemble, tmp_path):
    member = make_member()
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        make_ensemble(member, member).save(tmp_path / name)
    stored = {
        (path.name, path.read_bytes()) for path in tmp_path.rglob("*") if "members" in path.parts
        and path.is_file()
    }  # fmt: skip
    assert sorted(name for name, _ in stored) == ["checkpoint.json", "network.safetensors"]
    assert not list(tmp_path.rglob("training.safetensors"))


def test_a_member_is_a_checkpoint_of_its_own(make_ensemble, tmp_path):
    ensemble = make_ensemble()
    ensemble.save(tmp_path)
    second = load_trainee(tmp_path / "members" / "01", CPU, training=False)
    assert second.blueprint == ensemble.members[1].blueprint


def test_a_folder_that_is_no_ensemble_says_what_is_missing(make_ensemble, tmp_path):
    assert not is_ensemble(tmp_path)
    with pytest.raises(CheckpointError, match=r"it lacks ensemble\.json"):
        load_ensemble(tmp_path, CPU)
    make_ensemble().save(tmp_path)
    (tmp_path / "members" / "01" / "network.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"01 is no complete .* lacks network\.safetensors"):
        load_ensemble(tmp_path, CPU)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "has format 99"),
        ({"weights": None}, "is damaged"),
        ({"weights": ["much", 0.5]}, "is damaged"),
        ({"weights": []}, "0 weights for 0 members"),
        ({"weights": [0.5, -0.5]}, "must be >= 0"),
        ({"weights": [0.0, 0.0]}, "not all 0"),
        ({"weights": [0.5, float("nan")]}, "must be >= 0"),
        ({"weights": [0.3, 0.3, 0.4]}, "02 is no complete checkpoint"),
        ({"offsets": [0.0]}, "must be 3 numbers"),
        ({"mean": "median"}, "'median'"),
        ({"class_names": ["a", "b", "c"]}, "Join networks of one task"),
    ],
)
def test_a_damaged_ensemble_is_refused(make_ensemble, tmp_path, changes, message):
    make_ensemble().save(tmp_path)
    document = json.loads((tmp_path / "ensemble.json").read_text())
    (tmp_path / "ensemble.json").write_text(json.dumps({**document, **changes}))
    with pytest.raises(CheckpointError, match=message):
        load_ensemble(tmp_path, CPU)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\xff", b"[]"])
def test_a_broken_file_is_refused(make_ensemble, tmp_path, content):
    make_ensemble().save(tmp_path)
    (tmp_path / "ensemble.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"is damaged|has format None"):
        load_ensemble(tmp_path, CPU)


def test_gathered_checkpoints_are_flat_and_count_equally(
    make_member, make_ensemble, make_source, answer, tmp_path
):
    inner = make_ensemble(
        make_member(seed=0), make_member(seed=1), weights=(0.75, 0.25), mean="geometric",
        offsets=(1.0, -1.0, 0.0),
    )  # fmt: skip
    single = make_member(seed=2)
    folders = [tmp_path / "ensemble", tmp_path / "single"]
    for folder, save in zip(folders, [inner.save, single.trainee.save_network], strict=True):
        folder.mkdir()
        save(folder)
    joined = gather_members(folders, CPU)
    assert joined.weights == (0.375, 0.125, 0.5)
    assert joined.offsets == (0.5, -0.5, 0.0)
    assert joined.mean == "geometric"
    source = make_source()
    parts = [answer(inner, source), answer(make_ensemble(single), source)]
    nested = blend(np.stack([part.pred_probs for part in parts]), [1, 1], "geometric")
    assert_allclose(answer(joined, source).pred_probs, nested, rtol=1e-5)


def test_checkpoints_that_do_not_fit_together_are_refused(make_member, make_ensemble, tmp_path):
    member = make_member()
    other = Member(replace(member.blueprint, class_names=("a", "b", "c")), member.network)
    ensembles = {
        "plain": make_ensemble(member, member),
        "geometric": make_ensemble(member, member, mean="geometric"),
        "strange": make_ensemble(other),
    }
    for name, ensemble in ensembles.items():
        (tmp_path / name).mkdir()
        ensemble.save(tmp_path / name)
    with pytest.raises(CheckpointError, match="Join networks of one task"):
        gather_members([tmp_path / "plain", tmp_path / "strange"], CPU)
    with pytest.raises(CheckpointError, match="average their members differently"):
        gather_members([tmp_path / "plain", tmp_path / "geometric"], CPU)
    with pytest.raises(CheckpointError, match="at least one"):
        gather_members([], CPU)
    with pytest.raises(CheckpointError, match="knows the classes"):
        make_ensemble(member, other)


def test_members_side_by_side_may_each_be_a_batch_ahead(
    make_source, make_member, make_ensemble, answer, monkeypatch
):
    def one_ahead(batches, _device):
        """As `prefetched` takes batches on a GPU."""
        source = iter(batches)
        coming = next(source, None)
        while coming is not None:
            batch, coming = coming, next(source, None)
            yield batch

    ensemble, source = (
        make_ensemble(*(make_member(seed=seed) for seed in range(3))),
        make_source(100),
    )
    plain = answer(ensemble, source).pred_probs
    monkeypatch.setattr("model.prediction.prefetched", one_ahead)
    assert np.array_equal(answer(ensemble, source).pred_probs, plain)


def test_readers_out_of_step_are_told(make_source, make_member):
    shared = SharedPictures(make_source(100), lambda: 0.0)
    order, framing = np.arange(300), make_member().framing
    first, second = (
        shared.batches(order, batch_size=128, framing=framing, workers=0) for _ in range(2)
    )
    assert next(first) is next(second)
    ahead = next(first), next(first)
    assert next(second) is ahead[0]
    second = shared.batches(order, batch_size=128, framing=framing, workers=0)
    with pytest.raises(ValueError, match="fell behind"):
        next(second)
    with pytest.raises(ValueError, match="same order"):
        next(shared.batches(order[:5], batch_size=128, framing=framing, workers=0))
