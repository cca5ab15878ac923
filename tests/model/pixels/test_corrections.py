import numpy as np
import pandas as pd
import pytest

from model.noise.record import FilterRecord
from model.pixels.corrections import (
    DROPPED,
    Correction,
    apply_corrections,
    decided,
    read_corrections,
    save_corrections,
)
from model.pixels.table import DataError

NAMES = ["가 나.jpg", "b.jpg", "c,d.jpg", "e.jpg"]
LABELS = np.array([0, 1, 2, 4])


@pytest.fixture
def table(tmp_path):
    return tmp_path / "corrections.csv"


def write(table, *rows, header="image_name,answer"):
    table.write_text("\n".join([header, *rows]), encoding="utf-8")


def test_a_table_is_read_as_it_was_written(table):
    rows = [
        Correction("가 나.jpg", 0, 4, 0.03125, "4"),
        Correction("b.jpg", 1, None, 0.5, "drop"),
        Correction("c,d.jpg", 2, 3, 0.75),
    ]
    save_corrections(table, rows)
    lines = table.read_text(encoding="utf-8-sig").splitlines()
    assert lines[:2] == ["image_name,given,suggested,score,answer", "가 나.jpg,0,4,0.0312,4"]
    assert lines[2] == "b.jpg,1,,0.5000,drop"
    assert read_corrections(table, 5) == {"가 나.jpg": 4, "b.jpg": DROPPED}


def test_a_table_that_went_through_pandas_is_read(table):
    save_corrections(table, [Correction(name, 0, 1, 0.1) for name in NAMES])
    frame = pd.read_csv(table)
    frame.loc[1, "answer"] = 3
    frame.to_csv(table)
    assert read_corrections(table, 5) == {"b.jpg": 3}


@pytest.mark.parametrize("answer", ["drop", " DROP ", "Drop"])
def test_drop_may_be_written_in_any_case(table, answer):
    write(table, f"b.jpg,{answer}")
    assert read_corrections(table, 5) == {"b.jpg": DROPPED}


def test_the_first_weeks_name_column_will_do(table):
    write(table, "b.jpg,2", header="file_name,answer")
    assert read_corrections(table, 5) == {"b.jpg": 2}


@pytest.mark.parametrize("answer", ["5", "-1", "2.5", "yes", "²", "1e0", "12345678901"])
def test_an_answer_that_is_no_class_is_named_with_its_line(table, answer):
    write(table, "a.jpg,1", f"b.jpg,{answer}")
    with pytest.raises(DataError) as caught:
        read_corrections(table, 5)
    happened, expected, _ = str(caught.value).split("\n")
    assert happened == f"{table}, line 3: the answer of 'b.jpg' is {answer!r}."
    assert "0 to 4, 'drop', or empty" in expected


def test_a_missing_table_is_named_with_how_to_get_one(table):
    with pytest.raises(DataError, match="is no file") as caught:
        read_corrections(table, 5)
    assert "data_loader eda" in str(caught.value)


def test_answers_change_labels_and_leave_pictures_out_and_are_told(table):
    decisions = {"b.jpg": 3, "e.jpg": DROPPED, "c,d.jpg": 2, "z.jpg": 1}
    kept, labels, notes = apply_corrections(decisions, NAMES, LABELS, table)
    assert kept.tolist() == [0, 1, 2]
    assert labels.tolist() == [0, 3, 2]
    assert labels.dtype == np.int64
    assert notes == (
        "1 of 4 labels were changed by corrections.csv (first: b.jpg)",
        "1 of 4 pictures were left out by corrections.csv (first: e.jpg)",
        "1 of 4 answers in corrections.csv name a picture that is not used; skipped (first: z.jpg)",
    )
    assert LABELS.tolist() == [0, 1, 2, 4]


def test_what_a_filter_decided_comes_back_as_it_decided(table):
    record = FilterRecord(
        "confident_learning",
        given=LABELS,
        labels=np.array([0, -1, 3, 4]),
        scores=np.array([0.9, 0.2, 0.1, 0.8]),
        reason="test",
    )
    save_corrections(table, decided(record, NAMES))
    decisions = read_corrections(table, 5)
    assert list(decisions.items()) == [("c,d.jpg", 3), ("b.jpg", DROPPED)]
    kept, labels, _ = apply_corrections(decisions, NAMES, LABELS, table)
    assert kept.tolist() == np.flatnonzero(record.labels >= 0).tolist()
    assert labels.tolist() == record.labels[kept].tolist()
