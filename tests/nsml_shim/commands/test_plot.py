"""From the records that `nsml.report` writes to the page that a browser opens."""

import json
import math
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nsml_shim import records
from nsml_shim.commands import plot, series


def reports(path: Path, points: list[dict], walltime: float = 100.0) -> Path:
    told = (records.Report(walltime + n, True, values) for n, values in enumerate(points))
    path.write_bytes(b"".join(records.text_record(report._asdict()) for report in told))
    return path


def curves(path: Path) -> dict[tuple, series.Line]:
    return {(c.metric, c.kind, c.part): c for c in series.lines(series.read_points(path))}


def test_reports_of_the_same_step_are_one_point(tmp_path):
    path = reports(tmp_path / "r", [{"step": 1, "a": 1}, {"step": 1, "b": 2}, {"step": 2, "a": 3}])
    points = series.read_points(path)
    assert points.steps == [1, 2]
    assert points.values == {"a": {0: 1, 1: 3}, "b": {0: 2}}


def test_what_is_no_number_is_not_drawn_and_points_without_step_stand_in_order(tmp_path):
    path = reports(tmp_path / "r", [{"a": 1, "note": "x", "none": None}, {"a": 2}])
    ((key, line),) = curves(path).items()
    assert key == ("a", "line", "")
    assert line.steps == (0, 1)


def test_a_number_too_large_to_draw_is_infinite(tmp_path):
    path = reports(tmp_path / "r", [{"step": 1, "a": 10**400}, {"step": 2, "a": -(10**400)}])
    assert curves(path)["a", "line", ""].values == (math.inf, -math.inf)


def test_bands_vectors_and_stacks_are_recognised(tmp_path):
    values = {
        "step": 1,
        "loss": 1.0,
        "loss@std": 0.1,
        "v@vector:x": 1,
        "v@vector:y": 2,
        "s@stack:p": 3,
    }
    found = curves(reports(tmp_path / "r", [values, {"step": 2, "loss": 2.0}]))
    assert set(found) == {("loss", "line", ""), ("v", "vector", "x"), ("v", "vector", "y"), ("s", "stack", "p")}  # fmt: skip
    assert found["loss", "line", ""].deviations == (0.1, None)


def test_a_long_line_keeps_a_thousand_points_and_every_peak(tmp_path):
    values = [random.Random(0).random() for _ in range(100_000)]
    values[43_210], values[43_211] = 99.0, -99.0
    kept = series.thin(values, series.MOST_POINTS)
    assert len(kept) <= series.MOST_POINTS
    assert kept == sorted(set(kept))
    assert {0, 43_210, 43_211, 99_999} <= set(kept)
    assert series.thin(values[:1000], 1000) == list(range(1000))


def data_of(page: str) -> list[dict]:
    (data,) = re.findall(r'id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(data)


def test_the_page_is_complete_and_survives_hostile_names():
    session = {"name": "a</script><b>", "args": [], "memo": "{{data}} \\u003c & 한글", "lines": []}
    text = plot.page([session])
    assert data_of(text) == [session]
    assert text.count("</script>") == 2
    assert not re.search(r"""(?:src|href)=|https?://(?!www\.w3\.org/2000/svg)|@import""", text)


def test_sessions_are_overlaid_on_one_page(nsml, guest, tmp_path):
    (guest / "main.py").write_text(
        "import nsml\n"
        "for step in range(3): nsml.report(step=step, train__loss=step if step else float('nan'))\n"
    )
    for number in (1, 2):
        nsml("run")
        nsml("logs", "-f", f"team/None/{number}")
    path = Path(nsml("plot", "team/None/1", "team/None/2").stdout.strip())
    sessions = data_of(path.read_text(encoding="utf-8"))
    assert [session["name"] for session in sessions] == ["team/None/1", "team/None/2"]
    assert sessions[0]["lines"][0]["metric"] == "train/loss"
    assert sessions[0]["lines"][0]["values"] == [None, 1, 2]
    mine = tmp_path / "mine.html"
    nsml("plot", "-o", str(mine), "team/None/1")
    assert "-f to replace it" in nsml("plot", "-o", str(mine), "team/None/1", code=1).stderr
    nsml("plot", "-f", "-o", str(mine), "team/None/1")
    assert "-o without -j" in nsml("plot", "-j", "-o", "x", "team/None/1", code=1).stderr


def test_a_session_that_reported_nothing_is_told(nsml, guest):
    (guest / "main.py").write_text("print('hi')")
    nsml("run")
    nsml("logs", "-f", "team/None/1")
    assert "nothing to plot" in nsml("plot", "team/None/1", code=1).stderr


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--virtual-time-budget=2000",
]


def test_a_browser_draws_every_metric_also_the_constant_ones(nsml, guest, tmp_path):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    (guest / "main.py").write_text(
        "import nsml\n"
        "for step in range(9):\n"
        "    nsml.report(step=step, total=8, tiny=1e-12 * step, large=1e12 + step, none=0,\n"
        "                v__f1=step / 9, **{'loss': 1 / (step + 1), 'loss@std': 0.1})\n"
    )
    nsml("run")
    nsml("logs", "-f", "team/None/1")
    path = nsml("plot", "team/None/1").stdout.strip()
    words = [browser, *QUIET, f"--user-data-dir={tmp_path}/profile", "--dump-dom", f"file://{path}"]
    dom = subprocess.run(words, capture_output=True, text=True, timeout=60).stdout
    figures = dict(re.findall(r"<figcaption>(.*?)</figcaption><svg(.*?)</svg>", dom, re.DOTALL))
    assert set(figures) == {"total", "tiny", "large", "none", "v/f1", "loss"}
    assert all("<path" in drawing and "NaN" not in drawing for drawing in figures.values())
