import csv
import io

import numpy as np
import pytest

from model.noise.record import DROPPED, REPORTED_CLASSES, FilterRecord

NAMES = ("worn", "placed", "swatch")


def make(given, labels, scores=None, **changes) -> FilterRecord:
    scores = np.zeros(len(given)) if scores is None else np.array(scores, dtype=float)
    return FilterRecord(
        method=changes.get("method", "self"),
        given=np.array(given),
        labels=np.array(labels),
        scores=scores,
        reason=changes.get("reason", "Because."),
    )


@pytest.fixture
def record() -> FilterRecord:
    return make(
        [0, 0, 0, 1, 1, DROPPED],
        [0, DROPPED, 1, 1, 2, DROPPED],
        [0.9, -0.2, -0.5, 0.4, -0.8, np.nan],
    )


def test_every_given_label_is_kept_changed_or_dropped_and_nothing_else(record):
    assert record.kept.tolist() == [True, False, False, True, False, False]
    assert record.dropped.tolist() == [False, True, False, False, False, False]
    assert record.relabelled.tolist() == [False, False, True, False, True, False]


def test_the_tally_counts_by_given_class_and_gains_by_new_class(record):
    worn, placed, swatch = record.tally(3)
    assert (worn.given, worn.kept, worn.relabelled, worn.dropped, worn.gained) == (3, 1, 1, 1, 0)
    assert (placed.given, placed.kept, placed.relabelled) == (2, 1, 1)
    assert (placed.dropped, placed.gained) == (0, 1)
    assert (swatch.given, swatch.gained) == (0, 1)


def test_the_report_gives_sums_reason_and_an_aligned_row_per_class(record):
    lines = record.report(NAMES)
    assert lines[0] == "self: of 5 labels 1 dropped (20.0 %), 2 changed (40.0 %)."
    assert lines[1] == "Because."
    heads, *rows = lines[2:]
    assert heads.split() == ["class", "given", "kept", "relabelled", "away", "dropped", "gained"]
    assert [row.split() for row in rows] == [
        ["worn", "3", "1", "1", "1", "0"],
        ["placed", "2", "1", "1", "0", "1"],
        ["swatch", "0", "0", "0", "0", "1"],
    ]
    assert len({len(line) for line in (heads, *rows)}) == 1


def test_the_report_says_how_many_labels_were_not_judged():
    lines = make([0, 1, DROPPED], [0, 1, DROPPED], [0.1, np.nan, np.nan]).report(NAMES)
    assert "1 labels were not judged, and stay." in lines


def test_with_many_classes_the_report_shows_those_that_changed_most():
    classes = 4 * REPORTED_CLASSES
    given = np.repeat(np.arange(classes), 2)
    labels = given.copy()
    labels[given == 77] = DROPPED
    names = [f"class {number}" for number in range(classes)]
    lines = make(given, labels).report(names)
    assert len(lines) == 2 + 1 + 1 + REPORTED_CLASSES
    assert lines[4].startswith("class 77")


def test_corrections_are_the_changes_with_the_most_suspicious_first(record):
    rows = record.corrections(["a", "b", "c", "d", "e", "f"])
    assert rows == [("e", 1, 2, -0.8), ("c", 0, 1, -0.5), ("b", 0, None, -0.2)]


def test_a_dropped_label_is_an_empty_cell_in_a_csv_file(record):
    sheet = io.StringIO()
    csv.writer(sheet).writerows(record.corrections(list("abcdef"))[-1:])
    assert sheet.getvalue() == "b,0,,-0.2\r\n"


def test_parts_of_different_length_are_refused():
    with pytest.raises(ValueError, match="do not belong together"):
        make([0, 1], [0, 1], [0.5])


def test_a_filter_cannot_invent_a_label():
    with pytest.raises(ValueError, match="cannot get one"):
        make([0, DROPPED], [0, 1])
