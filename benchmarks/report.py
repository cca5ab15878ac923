"""What `nsml.report` costs a training, beside TensorBoard and trackio, and what reading back costs.

    python -m benchmarks.report [--quick]

Five values a step. TensorBoard's `add_scalar` takes one value, so its step is five calls. Wall
time of single calls, since a training waits for them; the loggers take turns block by block. The
reports are read back as `nsml plot` reads them, against `fetchall` on a table of the same rows.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.measure import ROUNDS, interleave, last_line, medians, speed_ratio
from benchmarks.peers import PeerMissing, peer
from nsml_shim.commands import series
from nsml_shim.protocol import ENV_FOLDER, ENV_SESSION, ENV_STORE
from nsml_shim.records import FLOAT, INT, definition, new_layout

Log = Callable[[int, dict[str, float]], None]
"""Records the five values of one step."""
OURS, TENSORBOARD, TRACKIO, EMPTY = "nsml.report", "tensorboard", "trackio", "an empty call"
BLOCK = 500
"""Steps of one logger before the next one has its turn."""
FIVE, ONE, FETCH = "five in a report", "one in a report", "fetchall"
NAMES = ("train/loss", "train/acc", "valid/loss", "valid/acc", "rate")


def values(step: int) -> dict[str, float]:
    """Five numbers with all their digits."""
    value = 1 / (step + 1)
    return dict(zip(NAMES, (value, 0.5 + value / 3, value * 3, 0.3 + value / 7, 1e-3), strict=True))


def ours(folder: Path) -> Log:
    """`nsml.report` in a session of its own."""
    (folder / "session").mkdir()
    os.environ |= {
        ENV_SESSION: "team/none/1",
        ENV_FOLDER: str(folder / "session"),
        ENV_STORE: str(folder),
    }
    shelf = Path(__file__).resolve().parents[1] / "nsml_shim" / "site"
    sys.path.insert(0, str(shelf))
    report = importlib.import_module("nsml").report
    return lambda step, told: report(step=step, **told)


def tensorboard(folder: Path) -> Log:
    """TensorBoard's event file, written by torch's own writer.

    Raises:
        PeerMissing: If it cannot be had here.
    """
    peer("tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder / "tensorboard"))

    def log(step: int, told: dict[str, float]) -> None:
        for name, value in told.items():
            writer.add_scalar(name, value, step)

    return log


def trackio(folder: Path) -> Log:
    """Trackio's run in its local store.

    Raises:
        PeerMissing: If it cannot be had here.
    """
    os.environ |= {"TRACKIO_DIR": str(folder / "trackio"), "HF_HUB_OFFLINE": "1"}
    run = peer("trackio").init(project="speed", name="run", embed=False)
    return lambda step, told: run.log(told, step=step)


def call_times(logs: dict[str, Log], blocks: int) -> dict[str, list[float]]:
    """Microseconds of every call, by logger; the first block of each is not counted."""
    found: dict[str, list[float]] = {name: [] for name in logs}
    for block in range(blocks + 1):
        for name, log in logs.items():
            for step in range(block * BLOCK, (block + 1) * BLOCK):
                told = values(step)  # whose making is nobody's cost
                begin = time.perf_counter_ns()
                log(step, told)
                if block:
                    found[name].append((time.perf_counter_ns() - begin) / 1000)
    return found


def record(folder: Path, points: int, *, together: bool) -> Path:
    """A file of reports with `points` values: all names in one report of a step, or one in each."""
    groups = [NAMES] if together else [(name,) for name in NAMES]
    layouts = [
        new_layout((*names, "step"), FLOAT * len(names) + INT, summary=False) for names in groups
    ]
    path = folder / ("together" if together else "one by one")
    with path.open("wb") as file:
        file.writelines(map(definition, layouts))
        for step in range(points // len(NAMES)):
            told = values(step)
            for layout in layouts:
                numbers = (told[name] for name in layout.names[:-1])
                file.write(layout.row.pack(layout.ident, 1.5, *numbers, step))
    return path


def table(folder: Path, points: int) -> sqlite3.Connection:
    """The same values as the rows of a table."""
    db = sqlite3.connect(folder / "points.db")
    db.execute("CREATE TABLE points (name TEXT, step INTEGER, walltime REAL, value REAL)")
    db.executemany(
        "INSERT INTO points VALUES (?, ?, 1.5, ?)",
        (
            (name, step, value)
            for step in range(points // len(NAMES))
            for name, value in values(step).items()
        ),
    )
    db.commit()
    return db


def reading(folder: Path, points: int, rounds: int) -> str:
    """What reading `points` values costs in `fetchall`s, and thinning the curves in seconds."""
    paths = {told: record(folder, points, together=told == FIVE) for told in (FIVE, ONE)}
    db = table(folder, points)
    readers = {told: partial(series.read_points, path) for told, path in paths.items()}
    contest = interleave(
        {**readers, FETCH: lambda: db.execute("SELECT * FROM points").fetchall()}, rounds=rounds
    )
    found = {told: read() for told, read in readers.items()}
    thinning = medians(
        interleave(
            {told: partial(series.lines, read) for told, read in found.items()}, rounds=rounds
        )
    )
    lines = [
        f"| {points:,} values, read back | of a fetchall (limit 1.2) | thinned, s (limit 0.2) |",
        "|---|---|---|",
    ]
    for told in paths:
        share = 1 / speed_ratio(contest, told, FETCH)
        lines.append(f"| {told} | {share:.2f} | {thinning[told]:.3f} |")
    return "\n".join(lines)


def measure(blocks: int, points: int, rounds: int) -> str:
    """Run the contest and print the tables; returns the last line."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        logs: dict[str, Log] = {EMPTY: lambda step, told: None, OURS: ours(folder)}
        for told, prepare in ((TENSORBOARD, tensorboard), (TRACKIO, trackio)):
            try:
                logs[told] = prepare(folder)
            except PeerMissing as error:
                print(f"{told} is left out: {error}")
        found = call_times(logs, blocks)
        if TRACKIO in logs:
            peer("trackio").finish()  # which else would talk after the last line
        print("| five values | median, us | p99, us |\n|---|---|---|")
        for told, times in found.items():
            ordered = sorted(times)
            print(f"| {told} | {median(ordered):.1f} | {ordered[len(ordered) * 99 // 100]:.1f} |")
        print(f"\n{reading(folder, points, rounds)}")
    own = median(found[OURS])
    theirs = TRACKIO if TRACKIO in found else TENSORBOARD
    other = median(found.get(theirs, [float("nan")]))
    return last_line("report", f"{own:.1f}", "us", peer=f"{theirs} {other:.1f}", ratio=own / other)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.report", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls and points")
    options = parser.parse_args(arguments)
    print(measure(*((8, 200_000, 3) if options.quick else (40, 1_000_000, ROUNDS))))


if __name__ == "__main__":
    main()
