"""What the supervisor makes of the reports while a session goes on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nsml_shim import records
from nsml_shim.commands import supervise
from nsml_shim.commands.platform import Platform
from nsml_shim.commands.supervise import Watch, copy_records
from nsml_shim.protocol import RUN
from nsml_shim.records import Report
from nsml_shim.settings import load
from nsml_shim.store.sessions import NewSession


class Session:
    """A session that reports, and its supervisor's look at it."""

    def __init__(self, home: Path) -> None:
        self.platform = Platform(load({"NSML_HOME": str(home), "NSML_TEAM": "team"}))
        new = NewSession(
            owner="team", dataset="toy", kind=RUN, entry="main.py", args=(), interpreter="python"
        )
        self.row = self.platform.sessions.create(new, now=0.0)
        self.folder = self.platform.folder(self.row)
        self.folder.root.mkdir(parents=True)
        self.watch = Watch()

    def report(self, step: int, *, summary: bool) -> None:
        record = records.text_record(Report(1.0, summary, {"step": step})._asdict())
        with open(self.folder.reports, "ab") as file:
            file.write(record)

    def look(self) -> dict[str, object]:
        copy_records(self.platform, self.row, self.folder, self.watch)
        return dict(self.platform.find_session(self.row.name).summary)


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "home")


@pytest.fixture
def flushed(monkeypatch) -> list[str]:
    """Names of the files that the disk was asked to hold."""
    names: list[str] = []
    flush = os.fsync

    def watched(descriptor: int) -> None:
        names.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    return names


def test_ps_shows_the_newest_report_that_has_a_summary(session):
    assert session.look() == {}
    session.report(1, summary=True)
    session.report(2, summary=True)
    session.report(3, summary=False)
    assert session.look() == {"step": 2}
    session.report(4, summary=False)
    assert session.look() == {"step": 2}


def test_reports_are_safe_from_a_power_cut_before_long_and_flushed_no_more_often(
    session, flushed, monkeypatch
):
    session.look()
    session.report(1, summary=False)
    session.look()
    session.report(2, summary=False)
    session.look()
    assert flushed == ["reports"]
    monkeypatch.setattr(supervise, "SETTLE_SECONDS", 0.0)
    session.watch.reports_due = 0.0
    session.look()
    session.look()
    assert flushed == ["reports", "reports"]


def test_a_disk_that_cannot_be_flushed_does_not_end_the_session(session, capsys):
    session.folder.reports.symlink_to("/dev/full")
    session.watch.reports_settled = -1  # a device has no size that could change
    session.look()
    session.watch.reports_settled = -1
    session.look()
    assert capsys.readouterr().err.count("reports are not flushed any more") == 1
