"""What is recorded, read back and timed is the same on both sides."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.report import BLOCK, NAMES, call_times, record, table, values
from nsml_shim.commands import reports, series

ROOT = Path(__file__).parents[2]
POINTS = 50


def test_every_logger_gets_each_step_once_and_the_first_block_does_not_count():
    told: dict[str, list[int]] = {"a": [], "b": []}
    logs = {name: lambda step, _, name=name: told[name].append(step) for name in told}
    found = call_times(logs, blocks=2)
    assert told == {name: list(range(3 * BLOCK)) for name in told}
    assert {name: len(times) for name, times in found.items()} == {"a": 2 * BLOCK, "b": 2 * BLOCK}


@pytest.mark.parametrize("together", [True, False])
def test_the_file_of_reports_holds_what_the_table_holds(tmp_path, together: bool):
    points = series.read_points(record(tmp_path, POINTS, together=together))
    rows = table(tmp_path, POINTS).execute("SELECT name, step, value FROM points").fetchall()
    assert len(rows) == POINTS
    assert points.steps == list(range(POINTS // len(NAMES)))
    assert {(name, step, points.values[name][step]) for name, step, _ in rows} == set(rows)


def test_our_logger_is_the_library_in_a_session(tmp_path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom benchmarks.report import ours, values\n"
        "log = ours(Path(sys.argv[1]))\nfor step in range(3): log(step, values(step))"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, check=True)
    found = reports.read(tmp_path / "session" / "reports", reports.Bookmark())
    assert [report.values for report in found] == [
        {**values(step), "step": step} for step in range(3)
    ]
