from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import f1_score

from nsml_shim.errors import EvaluationFailed
from nsml_shim.scoring import metrics


def test_class_f1_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        labels, guesses = rng.integers(0, 4, (2, 50))
        ours = metrics.class_f1([*map(str, labels)], [*map(str, guesses)])
        options: dict[str, Any] = {"average": None}  # its stubs know no None
        theirs = f1_score(labels, guesses, labels=[*map(int, sorted(ours))], **options)
        assert [ours[key] for key in sorted(ours)] == pytest.approx(theirs)
        macro = metrics.macro_f1([*map(str, labels)], [*map(str, guesses)])
        assert macro == pytest.approx(f1_score(labels, guesses, average="macro"))


def test_forgetting_one_class_makes_the_geometric_mean_zero():
    assert metrics.geometric_mean([0.9, 0.0, 0.8]) == 0.0
    assert metrics.geometric_mean([0.25, 1.0]) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("metric", "score"), [("accuracy", 0.75), ("f1", (2 / 3 + 0.8) / 2), ("mse", 0.25)]
)
def test_a_prediction_file_is_scored_line_by_line(tmp_path: Path, metric: str, score: float):
    (tmp_path / "labels").write_text("1\n0\n1\n0\n")
    (tmp_path / "guess").write_text("1\n0\n1\n1\n")
    found = metrics.score_files(metric, tmp_path / "labels", tmp_path / "guess")
    assert found == pytest.approx(score)


def test_a_prediction_of_another_length_is_refused_with_both_lengths(tmp_path: Path):
    (tmp_path / "labels").write_text("1\n0\n")
    (tmp_path / "guess").write_text("1\n")
    with pytest.raises(EvaluationFailed, match="1 lines, the labels have 2"):
        metrics.score_files("accuracy", tmp_path / "labels", tmp_path / "guess")


def test_the_squared_error_of_a_word_is_refused(tmp_path: Path):
    (tmp_path / "labels").write_text("1\n")
    (tmp_path / "guess").write_text("one\n")
    with pytest.raises(EvaluationFailed, match="'one'"):
        metrics.score_files("mse", tmp_path / "labels", tmp_path / "guess")
