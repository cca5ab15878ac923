import csv
import itertools
from pathlib import Path

import pytest

from model.errors import CheckpointError
from model.rehearsal import Step, draw_dataset, rehearse, score


def fail(error: Exception) -> str:
    raise error


def test_steps_are_timed_and_told_until_the_verdict():
    lines: list[str] = []
    ticks = itertools.count(0.0, 1.5)
    steps = [Step("data", lambda: "a slice"), Step("train", lambda: "3 steps")]
    assert rehearse(steps, lines.append, clock=lambda: next(ticks))
    assert lines == [
        "ok     data    1.5 s  a slice",
        "ok     train   1.5 s  3 steps",
        "dry run passed",
    ]


def test_the_first_failure_ends_it_and_is_named():
    lines: list[str] = []
    steps = [
        Step("save", lambda: fail(CheckpointError("nothing was written"))),
        Step("infer", lambda: fail(AssertionError("must not run"))),
    ]
    assert not rehearse(steps, lines.append, expected=(CheckpointError,))
    assert "nothing was written" in lines[0]
    assert lines[1:] == ["dry run failed at step 'save'"]


def test_an_error_that_does_not_explain_itself_is_shown_with_its_traceback():
    lines: list[str] = []
    rehearse([Step("save", lambda: fail(KeyError("weights")))], lines.append)
    assert "Traceback" in lines[0]


def write(path: Path, column: str, rows: list[tuple[str, int]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("image_name", column), *rows])
    return path


def test_predictions_are_matched_by_name(tmp_path):
    labels = write(tmp_path / "labels", "answer", [("a", 0), ("b", 1)])
    prediction = write(tmp_path / "prediction", "y_pred", [("b", 1), ("a", 0)])
    assert score(prediction, labels, num_classes=2) == 1.0


@pytest.mark.parametrize("rows", [[("a", 0)], [("a", 0), ("a", 0)], [("a", 0), ("b", 1), ("c", 1)]])
def test_missing_double_and_unknown_predictions_are_refused(tmp_path, rows):
    labels = write(tmp_path / "labels", "answer", [("a", 0), ("b", 1)])
    prediction = write(tmp_path / "prediction", "y_pred", rows)
    with pytest.raises(CheckpointError, match="exactly once"):
        score(prediction, labels, num_classes=2)


def test_drawn_datasets_hold_every_class(tmp_path):
    draw_dataset(tmp_path, num_classes=5, seed=0)
    with (tmp_path / "train" / "train_label").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["answer"] for row in rows} == set("01234")
    assert {p.name for p in (tmp_path / "train" / "train_data").iterdir()} == {
        row["image_name"] for row in rows
    }
