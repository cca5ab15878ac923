"""A file of reports is read back whole, whatever a crash has left between its records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nsml_shim import records
from nsml_shim.commands import reports
from nsml_shim.commands.reports import FEWEST, MOST, Bookmark
from nsml_shim.records import Layout, Report

ALIKE = records.new_layout(("loss", "step"), "dq", summary=False)
OTHER = records.new_layout(("accuracy", "step"), "dq", summary=True)
LONG = records.new_layout(("a", "b", "right", "step"), "dd?q", summary=False)
ALL = (ALIKE, OTHER, LONG)
DEFINED = b"".join(map(records.definition, ALL))


def row(layout: Layout, step: int) -> bytes:
    values = (step % 2 == 0 if code == "?" else step / 2 for code in layout.codes[:-1])
    return layout.row.pack(layout.ident, 1.5, *values, step)


def text(step: int) -> bytes:
    return records.text_record(Report(1.5, True, {"note": "한글", "step": step})._asdict())


def steps(path: Path, bookmark: Bookmark | None = None) -> list[int]:
    return [report.values["step"] for report in reports.read(path, bookmark or Bookmark())]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def test_every_report_comes_back_as_it_was_and_in_its_order(path):
    path.write_bytes(DEFINED + row(LONG, 4) + text(5) + row(OTHER, 6) + row(ALIKE, 7))
    assert list(reports.read(path, Bookmark())) == [
        Report(1.5, False, {"a": 2.0, "b": 2.0, "right": True, "step": 4}),
        Report(1.5, True, {"note": "한글", "step": 5}),
        Report(1.5, True, {"accuracy": 3.0, "step": 6}),
        Report(1.5, False, {"loss": 3.5, "step": 7}),
    ]


def test_alike_records_are_unpacked_together_whatever_their_names(path):
    count = FEWEST + 3 * MOST
    layouts = [(ALIKE, OTHER)[step % 2] for step in range(count)]
    path.write_bytes(DEFINED + b"".join(map(row, layouts, range(count))) + row(LONG, count))
    assert len(list(reports.blocks(path, Bookmark()))) < 20
    assert steps(path) == list(range(count + 1))


def test_reading_goes_on_where_it_stopped(path):
    bookmark = Bookmark()
    assert steps(path, bookmark) == []
    path.write_bytes(DEFINED + row(ALIKE, 1))
    assert steps(path, bookmark) == [1]
    with path.open("ab") as file:
        file.write(row(ALIKE, 2) + text(3))
    assert steps(path, bookmark) == [2, 3]
    assert bookmark.offset == path.stat().st_size


@pytest.mark.parametrize("written", [1, 7, 8, 20, 31])
def test_a_row_that_is_being_written_waits(path, written: int):
    bookmark, whole = Bookmark(), row(ALIKE, 2)
    path.write_bytes(DEFINED + row(ALIKE, 1) + whole[:written])
    assert steps(path, bookmark) == [1]
    with path.open("ab") as file:
        file.write(whole[written:])
    assert steps(path, bookmark) == [2]


@pytest.mark.parametrize("written", [3, 9, 12, 20])
def test_a_text_that_is_being_written_waits(path, written: int):
    bookmark, whole = Bookmark(), text(2)
    path.write_bytes(DEFINED + row(ALIKE, 1) + whole[:written])
    assert steps(path, bookmark) == [1]
    with path.open("ab") as file:
        file.write(whole[written:])
    assert steps(path, bookmark) == [2]


def test_a_torn_record_costs_itself_alone(path):
    for torn in (row(ALIKE, 2), row(LONG, 2), text(2), records.definition(LONG)):
        for following in (row(ALIKE, 3), row(LONG, 3), text(3)):
            for length in range(1, len(torn)):
                data = DEFINED + row(OTHER, 1) + torn[:length] + following + row(ALIKE, 4)
                path.write_bytes(data)
                assert steps(path) == [1, 3, 4], (torn, following, length)


@pytest.mark.parametrize(
    "content",
    [
        *({}, {"ident": "00"}, {"ident": 3, "names": [], "codes": "", "summary": False}),
        *({"values": 3, "walltime": 1, "summary": False}, {"values": {}, "walltime": "x"}),
        {"ident": "00" * 8, "names": ["a"], "codes": "9999999999999s", "summary": False},
    ],
)
def test_a_text_that_is_no_report_is_left_out(path, content: dict):
    path.write_bytes(DEFINED + records.text_record(content) + row(ALIKE, 1))
    assert steps(path) == [1]


def test_zeros_that_a_power_cut_left_are_no_reports(path):
    path.write_bytes(DEFINED + row(ALIKE, 1) + row(ALIKE, 2) + bytes(4096))
    assert steps(path) == [1, 2]


def test_the_newest_summary_is_that_of_the_last_report_that_has_one(path):
    bookmark = Bookmark()
    path.write_bytes(DEFINED + text(1) + row(OTHER, 2) + row(OTHER, 3) + row(ALIKE, 4))
    assert reports.newest_summary(path, bookmark) == {"accuracy": 1.5, "step": 3}
    assert reports.newest_summary(path, bookmark) is None


def test_a_person_can_read_the_names_in_the_file(path):
    path.write_bytes(records.definition(LONG))
    assert json.loads(path.read_bytes()[records.HEAD :])["names"] == list(LONG.names)
