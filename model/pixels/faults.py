"""What is wrong with picture files, and how it is counted and told."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

EXAMPLES_SHOWN = 3
"""How many files a report line names."""


class Damage(Enum):
    """How much of a picture is lost."""

    UNREADABLE = "unreadable"
    """Nothing could be decoded; a grey square stands in."""
    TRUNCATED = "truncated"
    """The file is cut short or damaged; the rows before that point were decoded."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one picture file."""

    damage: Damage
    reason: str
    """A few words for the report: "zero bytes"."""


@dataclass(frozen=True)
class FaultTally:
    """Faults by file name, each file once; may be written from several threads."""

    _faults: dict[str, Fault] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, name: str, fault: Fault) -> None:
        """Remember what is wrong with the file `name`."""
        with self._lock:
            self._faults[name] = fault

    def among(self, names: Sequence[str], damage: Damage) -> dict[str, str]:
        """Reason by file name of those `names` with that `damage`, in the order of `names`."""
        with self._lock:
            known = dict(self._faults)
        if not known:
            return {}
        return {n: known[n].reason for n in names if n in known and known[n].damage is damage}


def report_line(faults: dict[str, str], total: int, what_happened: str) -> str:
    """One sentence: how many of `total` pictures, what happened to them, and the first few.

    Args:
        faults: Reason by file name, at least one.
        total: Number of pictures that were looked at.
        what_happened: Verb phrase: "could not be read and were replaced by grey".
    """
    first = [f"{name}: {reason}" for name, reason in list(faults.items())[:EXAMPLES_SHOWN]]
    if len(faults) > EXAMPLES_SHOWN:
        first.append("...")
    return f"{len(faults)} of {total} pictures {what_happened} (first: {', '.join(first)})"


def findings(*found: tuple[Sequence[str], int, str]) -> tuple[str, ...]:
    """A sentence for each of (names, out of how many, what they are) that has names."""
    return tuple(
        f"{len(names)} of {total} {what} (first: {', '.join(names[:EXAMPLES_SHOWN])})"
        for names, total, what in found
        if names
    )
