"""Where the guests perform: one home with all datasets, and sessions side by side.

A play is one guest's whole visit: run, log, fork, submission. Plays of one test run share the home,
so that a guest can load what another one has saved.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

GUESTS = Path(__file__).resolve().parent
FILES = {"samples", "waves", "stickers", "labelled"}
"""Datasets whose test data is a folder with one file per point; the others have one table."""


@dataclass(frozen=True)
class Play:
    """What one guest does, and what must come of it."""

    dataset: str
    checkpoint: str = ""
    """What is forked and submitted; "" if the play ends with the run."""
    guest: str = ""
    """Folder of the guest; "" is the name of the play."""
    args: str = ""
    """Arguments of the script; `{name}` is the session of another play, which goes first."""
    after: tuple[str, ...] = ()
    """Further plays that go first."""
    needs: tuple[str, ...] = ()
    """Libraries without which the play is skipped."""
    log: str = ""
    """Pattern that the log of the run must match."""
    fork: str = ""
    """Pattern that the log of the fork must match."""
    refusal: str = ""
    """Line to add, where the script cannot be forked because it takes no --iteration."""

    @property
    def before(self) -> list[str]:
        """Plays that go first."""
        return [*re.findall(r"\{(\w+)\}", self.args), *self.after]


@dataclass(frozen=True)
class Visit:
    """What came of a play."""

    session: str
    log: str
    fork: str
    fork_log: str
    fork_end: Mapping[str, object]
    """Exit code and cause of the fork."""
    submission: str
    """Output of `nsml submit`."""


class Stage:
    """The platform in a temporary home, and the plays that have begun."""

    def __init__(self, place: Path, plays: Mapping[str, Play], pool: ThreadPoolExecutor) -> None:
        self.home = place / "home 한글"
        self._place = place
        self._plays = plays
        self._pool = pool
        self._begun: dict[str, Future[Visit]] = {}
        self._pushed: dict[str, Future[None]] = {}
        self.nsml("ps")  # makes the store, once

    def nsml(self, *words: str, code: int = 0, cwd: Path | None = None) -> str:
        """Type a command; its standard output comes back, its standard error if it fails."""
        env = {**os.environ, "NSML_HOME": str(self.home), "NSML_TEAM": "team"}
        done = subprocess.run(
            [sys.executable, "-m", "nsml_shim", *words],
            cwd=cwd or self._place,
            env={**env, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(GUESTS.parents[1])},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, f"nsml {words}\n{done.stdout}\n{done.stderr}"
        return done.stdout if code == 0 else done.stderr

    def begin(self, name: str) -> Future[Visit]:
        """Let a play begin, after those it needs; at once if it has begun already."""
        if name not in self._begun:
            for earlier in self._plays[name].before:
                self.begin(earlier)
            for dataset in self._plays[name].dataset.split(","):
                if dataset not in self._pushed:
                    self._pushed[dataset] = self._pool.submit(self._push, dataset)
            self._begun[name] = self._pool.submit(self._perform, name)
        return self._begun[name]

    def folder(self, session: str) -> Path:
        """Folder of a session."""
        return self.home / "sessions" / session

    def end(self, session: str) -> dict[str, object]:
        """How a session has ended."""
        return json.loads((self.folder(session) / "exit").read_text(encoding="utf-8"))

    def _push(self, dataset: str) -> None:
        """Draw and push a dataset."""
        source = self._place / "sources" / dataset
        shutil.copytree(GUESTS / "datasets" / dataset, source)
        draw(source)
        self.nsml("dataset", "push", dataset, str(source))

    def _perform(self, name: str) -> Visit:
        play = self._plays[name]
        # The pool takes plays in the order they were begun in, so those before are at work.
        sessions = {earlier: self._begun[earlier].result().session for earlier in play.before}
        for dataset in play.dataset.split(","):
            self._pushed[dataset].result()
        words = ["run", "--no-build", "-g", "0", "-d", play.dataset]
        args = [f"-a{play.args.format(**sessions)}"] if play.args else []
        session = self._start(*words, *args, cwd=GUESTS / (play.guest or name))
        log = self.nsml("logs", "-f", session)
        assert self.end(session)["code"] == 0, log
        if not play.checkpoint:
            return Visit(session, log, "", "", {}, "")
        fork = self._start("fork", "-c", play.checkpoint, session)
        submission = self.nsml("submit", session, play.checkpoint)
        fork_log = self.nsml("logs", "-f", fork)
        return Visit(session, log, fork, fork_log, self.end(fork), submission)

    def _start(self, *words: str, cwd: Path | None = None) -> str:
        """Start a session as launch scripts do: its name is taken from the output."""
        started = re.search(r"^Session (\S+) is started$", self.nsml(*words, cwd=cwd), re.MULTILINE)
        assert started
        return started[1]


def draw(folder: Path) -> None:
    """Give a dataset its data: points of the plane, labelled 1 above the diagonal and 0 below."""
    numbers = random.Random(5)
    for part, count in (("train", 40), ("test", 20)):
        points: list[tuple[float, float]] = []
        while len(points) < count:
            x, y = (round(numbers.uniform(-1, 1), 3) for _ in range(2))
            if abs(y - x) > 0.3:
                points.append((x, y))
        rows = [f"{x},{y}" for x, y in points]
        labels = [str(int(y > x)) for x, y in points]
        (folder / part).mkdir()
        if part == "test" and folder.name in FILES:
            _write_files(folder, rows, labels)
            continue
        (folder / part / f"{part}_data").write_text("".join(f"{row}\n" for row in rows))
        text = "".join(f"{label}\n" for label in labels)
        if part == "test" and folder.name == "tunes":
            text = json.dumps({"genre": dict(enumerate(labels))})
        (folder / part / f"{part}_label").write_text(text)


def _write_files(folder: Path, rows: list[str], labels: list[str]) -> None:
    """One file per point, and a table that names them."""
    names = [f"{number:03d}" for number in range(len(rows))]
    points = folder / "test" / "test_data" / "points"
    points.mkdir(parents=True)
    for name, row in zip(names, rows, strict=True):
        (points / name).write_text(row)
    table = "".join(f"{name},{label}\n" for name, label in zip(names, labels, strict=True))
    shown = table if folder.name == "labelled" else "".join(f"{name}\n" for name in names)
    (points.parent / "names.csv").write_text(shown)
    (folder / "test" / "test_label").write_text(table)
