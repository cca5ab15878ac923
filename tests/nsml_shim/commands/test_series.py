"""What was reported becomes points, however it was split over calls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from nsml_shim import records
from nsml_shim.commands.reports import MOST
from nsml_shim.commands.series import Points, lines, read_points

LAYOUTS: dict[tuple[str, ...], records.Layout] = {
    names: records.new_layout(names, codes, summary=False)
    for names, codes in (
        (("loss", "step"), "dq"),
        (("accuracy", "step"), "dq"),
        (("loss", "accuracy", "step"), "ddq"),
        (("loss",), "d"),
        (("right",), "?"),
    )
}
COUNT = 3 * MOST


def read(path: Path, *reports: Mapping[str, float]) -> Points:
    """The points of reports that were made a second apart."""
    rows = [records.definition(layout) for layout in LAYOUTS.values()]
    for number, report in enumerate(reports):
        layout = LAYOUTS[tuple(report)]
        rows.append(layout.row.pack(layout.ident, float(number), *report.values()))
    path.write_bytes(b"".join(rows))
    return read_points(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "reports"


def test_reports_of_all_metrics_are_read_in_their_order(path):
    points = read(
        path, *({"loss": step / 2, "accuracy": -step, "step": step} for step in range(COUNT))
    )
    assert points.steps == list(range(COUNT))
    assert points.walltimes == list(range(COUNT))
    assert points.values["loss"] == {step: step / 2 for step in range(COUNT)}
    assert points.values["accuracy"] == {step: -step for step in range(COUNT)}


def test_metrics_that_are_reported_one_by_one_share_the_points_of_their_steps(path):
    told = (
        ({"loss": step, "step": step}, {"accuracy": -step, "step": step}) for step in range(COUNT)
    )
    points = read(path, *(report for pair in told for report in pair))
    assert points.steps == list(range(COUNT))
    assert points.walltimes == list(range(0, 2 * COUNT, 2))
    assert points.values["loss"] == {step: step for step in range(COUNT)}
    assert points.values["accuracy"] == {step: -step for step in range(COUNT)}


def test_of_a_metric_that_is_reported_twice_in_a_step_the_later_value_counts(path):
    points = read(path, *({"loss": value, "step": 7} for value in (1.0, 2.0, 3.0)))
    assert (points.steps, points.values) == ([7], {"loss": {0: 3.0}})


def test_a_step_that_comes_back_later_is_a_point_of_its_own(path):
    points = read(path, *({"loss": float(step), "step": step} for step in (1, 2, 1)))
    assert points.steps == [1, 2, 1]


def test_reports_without_a_step_stand_at_the_number_of_points_before_them(path):
    told = ({"loss": 1.0}, {"right": True}, {"loss": 2.0}, {"loss": 3.0}, {"loss": 9.0, "step": 3})
    points = read(path, *told)
    assert points.steps == [0, 1, 2, 3]
    assert points.values == {"loss": {0: 1.0, 2: 2.0, 3: 9.0}, "right": {1: True}}


def test_a_truth_value_is_drawn_as_a_number(path):
    (line,) = lines(read(path, {"right": True}, {"right": False}))
    assert [repr(value) for value in line.values] == ["1.0", "0.0"]


def test_a_session_that_has_not_reported_has_no_points(path):
    assert read_points(path).steps == []
