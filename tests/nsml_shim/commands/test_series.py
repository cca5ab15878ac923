"""Reports are read back whole, whatever a crash has left between them."""

from __future__ import annotations

import json
from pathlib import Path

from nsml_shim.commands.series import BLOCK, read_points


def line(step: int) -> bytes:
    return json.dumps(
        {"walltime": 1.0, "summary": False, "values": {"a": step / 2, "step": step}}
    ).encode()


def steps(path: Path) -> list[float]:
    return [point.step for point in read_points(path)]


def test_more_reports_than_one_block_are_read_in_their_order(tmp_path):
    path = tmp_path / "reports"
    count = 3 * BLOCK // len(line(0))
    path.write_bytes(b"".join(line(step) + b"\n" for step in range(count)))
    assert steps(path) == list(range(count))


def test_a_line_that_was_cut_off_costs_no_other_one(tmp_path):
    path = tmp_path / "reports"
    path.write_bytes(line(1) + b"\n" + line(2)[:20] + b"\n" + line(3) + b"\n" + line(4)[:-3])
    assert steps(path) == [1, 3]


def test_two_halves_that_fit_together_are_no_report(tmp_path):
    path = tmp_path / "reports"
    path.write_bytes(b'{"values": {"a": [1\n2]}}\n' + line(3) + b"\n")
    assert steps(path) == [3]


def test_what_is_json_but_no_report_is_left_out(tmp_path):
    path = tmp_path / "reports"
    path.write_bytes(b'[1]\n{"values": 3}\n' + line(5) + b"\n7\n")
    assert steps(path) == [5]
