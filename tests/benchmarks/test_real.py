"""The comparison on real data, run on a few drawn pictures."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks import real_cells
from benchmarks.real import last_line, main, read_rows, table, verdicts
from benchmarks.real_arms import (
    ARMS,
    SCALES,
    Remembering,
    Scale,
    fingerprint,
    without_issues,
)
from benchmarks.real_cells import Bench, Row, measure_all, open_cell
from benchmarks.real_data import Pictures, RealSet
from model.batch import UNKNOWN_LABEL
from model.job import Job, JobResult
from model.lesson import Lesson
from model.out_of_fold import OutOfFold
from model.split import Split
from model.trainee import EpochResult

NAMES = ("dark", "mid", "light")
EPOCH = EpochResult(1, 1, 0.0, 0.0, 0.0, (0.5,) * 3, 0.5, 1.0, 0, True)


def drawn(per_class, seed):
    """Pictures of three brightnesses with noise."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), per_class)
    pixels = labels[:, None, None, None] * 80 + rng.integers(0, 60, size=(len(labels), 16, 16, 3))
    return pixels.astype(np.uint8), labels


def draw_set(name="drawn"):
    pixels, truth = drawn(16, seed=0)
    given = truth.copy()
    given[:2] = 1
    count = len(given)
    train = Pictures(pixels, given, [()] * count, np.arange(count))
    test_pixels, test_labels = drawn(4, seed=1)
    unknown = np.full(len(test_labels), UNKNOWN_LABEL)
    test = Pictures(test_pixels, unknown, [()] * len(unknown), np.arange(len(unknown)))
    return RealSet(name, NAMES, train, truth, test, test_labels, np.ones(3))


@pytest.fixture
def cell():
    recipe = Scale(size=16, epochs=2, category_epochs=1, folds=2).recipe(
        seed=0, has_categories=False
    )
    return open_cell(draw_set(), replace(recipe, batch_size=8), torch.device("cpu"))


def row(arm, score, seed=0, real_set="fashion5_dev"):
    return Row("cpu", real_set, arm, seed, score, (score,) * 5, score, 3, 2.0)


def job(**changes):
    lesson = Lesson(Split(np.arange(4), np.arange(4, 6)), np.arange(6) % 2)
    recipe = SCALES["cpu"].recipe(seed=0, has_categories=False)
    return replace(Job("a", recipe, lesson, np.arange(4, 6)), **changes)


@pytest.mark.parametrize("arm", list(ARMS))
def test_every_arm_trains_and_is_scored_on_the_test_set(cell, arm):
    measured = cell.measure(arm, "cpu")
    assert measured.key == ("cpu", "drawn", arm, 0)
    assert len(measured.class_f1) == 3
    assert 0 <= measured.gmean_f1 <= 1


def test_the_folds_of_the_baseline_are_trained_once_for_all_arms(cell):
    cell.measure("baseline", "cpu")
    assert len(cell.train.known) == 2
    cell.run("cleanlab")
    # The filter judges by these two; at most its own two retrainings come on top.
    assert 2 <= len(cell.train.known) <= 4


def test_the_clean_arm_learns_the_true_labels(cell):
    _, changed = cell.run("clean")
    assert changed == 2


def test_only_what_a_training_depends_on_is_in_its_fingerprint():
    first = fingerprint(job())
    recipe = job().recipe
    same = replace(recipe, name="b", noise_filter="self", decision_rule="gmean_f1", folds=3)
    assert fingerprint(job(name="b", recipe=same)) == first
    other = Lesson(job().lesson.split, np.zeros(6, dtype=np.int64))
    for different in (
        job(recipe=replace(recipe, epochs=9)),
        job(recipe=replace(recipe, tta="none")),
        job(lesson=other),
        job(predict=np.arange(5)),
        job(wants_dynamics=True),
    ):
        assert fingerprint(different) != first


def test_a_job_whose_start_is_not_in_the_fingerprint_is_refused():
    with pytest.raises(ValueError, match="fingerprint"):
        fingerprint(job(initial={}))


def test_an_equal_job_is_not_done_twice():
    done = []

    def train(asked):
        done.append(asked.name)
        return JobResult(np.zeros((2, 3), np.float32), EPOCH, {})

    remembering = Remembering(train)
    assert len({id(remembering(job(name=name))) for name in "abc"}) == 1
    assert done == ["a"]


def test_a_kept_training_serves_a_later_run_and_counts_its_time(tmp_path):
    done = []

    def train(asked):
        done.append(asked.name)
        sum(range(100_000))
        return JobResult(np.ones((2, 3), np.float32), EPOCH, {"w": torch.ones(2)})

    first, later = Remembering(train, tmp_path), Remembering(train, tmp_path)
    first(job())
    again = later(job(name="b"))
    assert done == ["a"]
    assert again.best == EPOCH
    assert torch.equal(again.network["w"], torch.ones(2))
    assert later.seconds == first.seconds > 0
    assert [path.suffix for path in tmp_path.iterdir()] == [""]


def test_flagged_labels_become_unknown_and_no_other():
    given = np.repeat([0, 1], 20)
    probs = np.where(given[:, None] == [0, 1], 0.9, 0.1)
    probs[3] = [0.02, 0.98]
    table = OutOfFold(probs[None].astype(np.float32), given, np.arange(40) % 2)
    expected = given.copy()
    expected[3] = UNKNOWN_LABEL
    assert without_issues(table).tolist() == expected.tolist()


def test_the_arms_differ_in_nothing_that_costs_training_time():
    base = SCALES["cpu"].recipe(seed=0, has_categories=True)
    for make in ARMS.values():
        recipe = make(base)
        for name in ("backbone", "narrow_width", "image_size", "epochs", "batch_size", "folds"):
            assert getattr(recipe, name) == getattr(base, name)


def test_the_table_has_means_and_deviations():
    lines = table([row("ours", 0.7), row("ours", 0.8, seed=1), row("clean", 0.9)])
    assert lines[2] == "| fashion5_dev | ours | 0.750 ± 0.071 | 2 | 3 | 2 |"
    assert lines[3] == "| fashion5_dev | clean | 0.900 | 1 | 3 | 2 |"


def test_the_last_line_is_the_mean_over_the_sets_of_both_arms():
    rows = [row("ours", 0.8), row("cleanlab", 0.7), row("ours", 0.5, real_set="imb5_aggre")]
    assert last_line(rows) == "real: 0.8000 gmean-F1 (peer 0.7000, ratio 1.14)"
    rows.append(row("cleanlab", 0.0, real_set="imb5_aggre"))
    assert last_line(rows) == "real: 0.6500 gmean-F1 (peer 0.3500, ratio 1.86)"
    assert last_line([row("cleanlab", 0.0), row("ours", 0.5)]).endswith("ratio infinite)")
    assert "no figure" in last_line([row("ours", 0.5)])


def test_a_verdict_names_anchor_and_peer():
    assert verdicts([row("ours", 0.79), row("cleanlab", 0.7)]) == [
        "fashion5_dev: ours 0.790 reaches the anchor 0.781 and beats cleanlab (+0.090)"
    ]
    assert "misses" in verdicts([row("ours", 0.6), row("cleanlab", 0.7)])[0]
    assert verdicts([row("ours", 0.6)]) == []


def test_ours_answers_with_the_judging_networks_too(cell):
    apart, together = cell.run("ours_apart")[0], cell.run("ours")[0]
    assert len(apart.ensemble.members) == 2
    assert len(together.ensemble.members) == 4
    # The two more are the baseline's own.
    assert len(cell.train.known) <= 4


def test_an_absent_folder_is_skipped_with_a_message(tmp_path, capsys):
    assert main(["--data", str(tmp_path), "--sets", "imb5_aggre"]) == 0
    assert "imb5_aggre: skipped" in capsys.readouterr().out


def test_finished_rows_are_read_and_not_measured_again(tmp_path, capsys, monkeypatch):
    kept = tmp_path / "rows.jsonl"
    (tmp_path / "fashion5_dev.npz").touch()
    monkeypatch.setattr(real_cells, "load_set", lambda name, folder: draw_set(name))
    monkeypatch.setitem(SCALES, "cpu", Scale(size=16, epochs=1, category_epochs=1, folds=2))
    command = ["--data", str(tmp_path), "--rows", str(kept), "--sets", "fashion5_dev"]
    command += ["--seeds", "1", "--arms", "baseline"]
    assert main(command) == 0
    first = kept.read_text()
    assert json.loads(first)["arm"] == "baseline"
    assert main(command) == 0
    assert kept.read_text() == first
    assert [item.arm for item in read_rows(kept)] == ["baseline"]
    assert "no figure" in capsys.readouterr().out


@pytest.mark.slow
def test_processes_side_by_side_share_trainings_and_measure_the_same(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(5), 12)
    files = []
    for label in labels:
        file = io.BytesIO()
        pixels = rng.integers(0, 60, size=(8, 6, 3)) + 45 * label
        Image.fromarray(pixels.astype(np.uint8)).save(file, "JPEG")
        files.append(np.frombuffer(file.getvalue(), dtype=np.uint8))
    shop = {
        **{"jpeg": np.concatenate(files), "offset": np.cumsum([0, *map(len, files)])},
        **{"group": np.arange(60), "is_test": np.arange(60) % 6 == 5},
        **{"given": labels.astype(np.uint8), "clean": labels.astype(np.uint8)},
        **{"large": labels % 2, "large_names": np.array(["coats", "shoes"])},
        **{"middle": labels % 3, "middle_names": np.array(["a", "b", "c"])},
        "class_names": np.array(["Women", "Unisex", "Girls", "Boys", "Men"]),
    }
    np.savez(tmp_path / "fashion5_dev.npz", **shop)
    keys = [("cpu", "fashion5_dev", arm, 0) for arm in ("ours_apart", "baseline")]
    beside = list(measure_all(Bench(tmp_path, tmp_path / "kept", ranks=2), keys))
    assert [row.arm for row in beside] == ["baseline", "ours_apart"]
    # Four folds judged, four learned what was left; unless nothing was flagged.
    assert len(list((tmp_path / "kept" / "fashion5_dev").iterdir())) in (4, 8)
    alone = {row.key: row.gmean_f1 for row in measure_all(Bench(tmp_path, None), keys)}
    assert {row.key: row.gmean_f1 for row in beside} == alone
