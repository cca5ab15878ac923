import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

import evaluation

SCRIPT = Path(__file__).parents[2] / "datasets" / "review_img" / "evaluation.py"
NAMES = [f"{n:03d}.jpg" for n in range(10)]
TRUTH = [0, 1, 2, 3, 4] * 2


def write(path, columns, rows):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


@pytest.fixture
def labels(tmp_path):
    return write(tmp_path / "test_label", ["image_name", "answer"], zip(NAMES, TRUTH, strict=True))


def predict(folder, rows, columns=("", "image_name", "y_pred")):
    """The file that a data frame's to_csv writes, with its index column."""
    return write(folder / "pred.txt", columns, ([n, *row] for n, row in enumerate(rows)))


def score(prediction, labels):
    return evaluation.main(["--prediction", str(prediction), "--test_label_path", str(labels)])


def test_the_score_is_the_geometric_mean_of_scikit_learns_f1(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(50):
        truth = [*range(5), *rng.integers(0, 5, 40)]
        guess = np.where(rng.random(45) < rng.random(), truth, rng.integers(0, 5, 45))
        options: dict[str, Any] = {"average": None, "zero_division": 0}  # its stubs know no None
        f1 = f1_score(truth, guess, labels=range(5), **options)
        expected = float(np.prod(f1)) ** 0.2
        assert evaluation.geometric_mean(
            evaluation.class_f1(truth, guess.tolist())
        ) == pytest.approx(expected, abs=1e-12)


def test_a_perfect_prediction_scores_one_in_any_row_order(tmp_path, labels):
    rows = list(zip(NAMES, TRUTH, strict=True))[::-1]
    assert evaluation.evaluate(predict(tmp_path, rows), labels) == 1.0


def test_predicting_the_majority_class_scores_zero(tmp_path, labels, capsys):
    assert score(predict(tmp_path, [(name, 4) for name in NAMES]), labels) == 0
    assert capsys.readouterr().out == "0.0\n"


def test_whole_numbers_written_as_floats_and_the_old_name_column_are_read(tmp_path, labels):
    rows = [(name, f"{label}.0") for name, label in zip(NAMES, TRUTH, strict=True)]
    prediction = predict(tmp_path, rows, ("", "file_name", "y_pred"))
    assert evaluation.evaluate(prediction, labels) == 1.0


GOOD = list(zip(NAMES, TRUTH, strict=True))


@pytest.mark.parametrize(
    ("rows", "columns", "message"),
    [
        pytest.param(
            [*GOOD, GOOD[2]], None, r"pred.txt, row 12: .*002.jpg appears twice", id="duplicate"
        ),
        pytest.param(GOOD[:-2], None, r"2 of 10 pictures are missing: 008.jpg, 009", id="missing"),
        pytest.param(
            [*GOOD, ("x.jpg", 1)], None, r"1 of 10 .* not in the test set: x", id="unknown"
        ),
        pytest.param(
            [*GOOD[:-1], ("009.jpg", 5)], None, r"row 11: y_pred is 5, outside 0..4", id="5"
        ),
        pytest.param([("000.jpg", -1), *GOOD[1:]], None, r"row 2: y_pred is -1, outside", id="-1"),
        pytest.param([("000.jpg", 0.5), *GOOD[1:]], None, r"row 2: y_pred is '0.5'", id="fraction"),
        pytest.param([("000.jpg", "dish"), *GOOD[1:]], None, r"y_pred is 'dish'", id="word"),
        pytest.param([("000.jpg", "nan"), *GOOD[1:]], None, r"y_pred is 'nan'", id="nan"),
        pytest.param([("000.jpg", "inf"), *GOOD[1:]], None, r"y_pred is 'inf'", id="infinite"),
        pytest.param([("000.jpg", ""), *GOOD[1:]], None, r"row 2: y_pred is ''", id="empty class"),
        pytest.param([("000.jpg",), *GOOD[1:]], None, r"row 2: y_pred is ''", id="short row"),
        pytest.param([("", 0), *GOOD[1:]], None, r"row 2: image_name is empty", id="empty name"),
        pytest.param(GOOD, ("", "image_name", "label"), r"row 1: .* y_pred", id="no class column"),
        pytest.param(GOOD, ("", "picture", "y_pred"), r"row 1: .* image_name", id="no name column"),
    ],
)
def test_a_prediction_that_cannot_be_scored_is_refused(
    tmp_path, labels, capsys, rows, columns, message
):
    prediction = predict(tmp_path, rows, columns or ("", "image_name", "y_pred"))
    assert score(prediction, labels) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert re.search(message, shown.err)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", "found nothing", id="empty file"),
        pytest.param(b"\xff\xfe\x00\x80", "no CSV file in UTF-8", id="binary file"),
        pytest.param(None, "cannot be read", id="no file"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, labels, capsys, content, message):
    prediction = tmp_path / "pred.txt"
    if content is not None:
        prediction.write_bytes(content)
    assert score(prediction, labels) == 1
    assert message in capsys.readouterr().err


def test_the_script_needs_nothing_but_the_standard_library(tmp_path, labels):
    prediction = predict(tmp_path, GOOD)
    command = [sys.executable, "-I", "-S", str(SCRIPT)]
    arguments = ["--prediction", str(prediction), "--test_label_path", str(labels)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
    assert float(done.stdout) == 1.0
