from pathlib import Path

import pytest

from nsml_shim.errors import EvaluationFailed
from nsml_shim.scoring.evaluator import arguments, read_score


def test_the_score_is_taken_exactly_as_printed():
    assert read_score("warming up\n0.88232499649049780\n", "", 0) == "0.88232499649049780"


@pytest.mark.parametrize("stdout", ["", "good\n", "nan\n", "0.5 0.6\n"])
def test_what_is_no_finite_number_is_refused(stdout: str):
    with pytest.raises(EvaluationFailed, match="has to print one number"):
        read_score(stdout, "", 0)


def test_a_failed_evaluator_is_quoted_by_its_last_words():
    stderr = "Traceback (most recent call last):\n  File ...\nValueError: row 3 is twice there\n"
    with pytest.raises(EvaluationFailed, match="row 3 is twice there") as error:
        read_score("0.0\n", stderr, 1)
    assert "Traceback" not in str(error.value)


def test_the_label_flag_goes_only_to_scripts_that_know_it(tmp_path: Path):
    old, new = tmp_path / "old.py", tmp_path / "new.py"
    old.write_text("parser.add_argument('--prediction')")
    new.write_text("parser.add_argument('--prediction'); parser.add_argument('--test_label_path')")
    assert arguments(old, prediction="p", labels="l") == ["--prediction", "p"]
    both = ["--prediction", "p", "--test_label_path", "l"]
    assert arguments(new, prediction="p", labels="l") == both
