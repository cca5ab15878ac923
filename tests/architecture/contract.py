"""What NSML's public documents promise, and the test that shows it.

The source of docs/nsml-compatibility.md, which `python tools/compatibility.py` writes. Sections are
those of the contract that this platform was built from.
"""

from __future__ import annotations

from typing import NamedTuple

SECTIONS = {
    "1": "Ideas",
    "1.1": "Session",
    "1.2": "Model and checkpoint",
    "1.3": "Dataset",
    "1.4": "Team",
    "1.5": "Credit and quota",
    "1.6": "States and types of sessions",
    "1.7": "Scheduling",
    "1.8": "Notices and conduct",
    "2": "Command line",
    "2.1": "What all commands share",
    "2.2": "login, logout, whoami, info, credit",
    "2.3": "run",
    "2.4": "ps",
    "2.5": "logs, command, memo",
    "2.6": "stop, resume, rm",
    "2.7": "exec, sh, gpustat, plot",
    "2.8": "fork",
    "2.9": "submit",
    "2.10": "infer",
    "2.11": "model ls, rm, pull",
    "2.12": "pull, download",
    "2.13": "dataset",
    "2.14": "automl",
    "3": "Library",
    "3.1": "Inside and outside a session",
    "3.2": "Constants",
    "3.3": "bind",
    "3.4": "save",
    "3.5": "load",
    "3.6": "report",
    "3.7": "paused",
    "3.8": "cache and copy",
    "3.9": "infer",
    "3.10": "Reserved arguments",
    "3.11": "The steps of a submission",
    "3.12": "evaluation.py",
    "4": "Files of a project",
    "4.1": "What belongs in the folder",
    "4.2": "Image line",
    "4.3": "Dependencies",
    "4.4": ".nsmlignore",
    "4.5": "Limits",
    "4.6": "Shape of an entry script",
    "5": "Datasets",
    "5.1": "Layout",
    "5.2": "Who brings what",
    "5.3": "Real examples",
    "5.4": "Settings",
    "6": "Rules of submission",
    "6.1": "Conditions",
    "6.2": "Rate limit",
    "6.3": "Time limit",
    "6.4": "Dry run",
    "6.5": "Scores and boards",
    "6.6": "Who sees what",
    "7": "Web pages",
    "7.1": "Frame",
    "7.2": "List of sessions",
    "7.3": "Sidebar",
    "7.4": "Terminal tab",
    "7.5": "Diff tab",
    "7.6": "Overview",
    "7.7": "Graphs",
    "7.8": "Board",
    "7.9": "Resources",
    "7.10": "Settings",
    "7.11": "Actions",
    "7.12": "Pages of automl",
    "8": "Failure and recovery",
    "8.1": "What to do",
    "8.2": "Messages",
    "9": "What people really wrote",
    "9.1": "Uses of the library",
    "9.2": "Habits",
    "9.3": "What nobody knows",
}
"""Every section of the contract, chapters included."""


class Row(NamedTuple):
    """One promise. Without a note it works; with tests and a note, differently; else not here."""

    section: str
    promise: str
    tests: tuple[str, ...] = ()
    """`FILE::FUNCTION`, the file relative to tests/, or to tests/nsml_shim/."""
    note: str = ""
    """How it differs, or why it is not here."""

    @property
    def state(self) -> str:
        """works, works differently or not here; "open" if nothing is known."""
        if not self.tests:
            return "not here" if self.note else "open"
        return "works differently" if self.note else "works"


def row(section: str, promise: str, *tests: str, note: str = "") -> Row:
    """A row as it is written below."""
    return Row(section, promise, tests, note)
