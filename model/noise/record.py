"""What a noise filter did to the labels: the one form in which every filter answers.

N examples, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DROPPED = -1
"""Label of an example that is to be learnt without one; equals `model.batch.UNKNOWN_LABEL`, which
cannot be imported here because it loads torch."""
REPORTED_CLASSES = 30
"""Rows of the printed table; with more classes the ones that changed most are shown."""


class Correction(NamedTuple):
    """A changed label, as a row of a table that people look at and hand back."""

    image_name: str
    given: int
    answer: int | None
    """Label to learn instead; None drops it, and is written as `drop`."""
    score: float
    """Low is suspicious."""


@dataclass(frozen=True)
class ClassTally:
    """What became of the labels of one class."""

    given: int
    kept: int
    relabelled: int
    """Labels of this class that became another class."""
    dropped: int
    gained: int
    """Labels of another class that became this class."""


@dataclass(frozen=True, eq=False)
class FilterRecord:
    """Which label each example is to be learnt with, and why."""

    method: str
    """Name of the filter, one of `config.FILTERS`."""
    given: NDArray[np.int64]
    """Label of the source, int [N]; DROPPED where it had none."""
    labels: NDArray[np.int64]
    """Label to learn, int [N]; DROPPED where there is none."""
    scores: NDArray[np.float64]
    """Trust in the given label, float [N], low is suspicious; NaN where it was not judged. Only
    the order means the same for every filter."""
    reason: str
    """One sentence for people: by which rule, with which figures."""

    def __post_init__(self) -> None:
        if not self.given.shape == self.labels.shape == self.scores.shape:
            raise ValueError(
                f"{len(self.given)} given labels, {len(self.labels)} labels to learn and "
                f"{len(self.scores)} scores do not belong together."
            )
        if (self.labels[self.given == DROPPED] != DROPPED).any():
            raise ValueError("An example without a given label cannot get one from a filter.")

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which labels stay as given, bool [N]."""
        return (self.given != DROPPED) & (self.labels == self.given)

    @property
    def dropped(self) -> NDArray[np.bool_]:
        """Which labels are no longer learnt, bool [N]."""
        return (self.given != DROPPED) & (self.labels == DROPPED)

    @property
    def relabelled(self) -> NDArray[np.bool_]:
        """Which labels became another class, bool [N]."""
        return (self.labels != DROPPED) & (self.labels != self.given)

    def tally(self, num_classes: int) -> list[ClassTally]:
        """What became of each class, K entries in label order."""

        def count(labels: NDArray[np.int64], mask: NDArray[np.bool_]) -> list[int]:
            return np.bincount(labels[mask], minlength=num_classes).tolist()

        columns = (
            count(self.given, self.given != DROPPED),
            count(self.given, self.kept),
            count(self.given, self.relabelled),
            count(self.given, self.dropped),
            count(self.labels, self.relabelled),
        )
        return [ClassTally(*row) for row in zip(*columns, strict=True)]

    def report(self, class_names: Sequence[str]) -> list[str]:
        """Lines for people: the sums, the reason, and a table with a row per class."""
        total = int((self.given != DROPPED).sum())
        dropped, relabelled = int(self.dropped.sum()), int(self.relabelled.sum())
        unjudged = int((np.isnan(self.scores) & (self.given != DROPPED)).sum())
        lines = [
            f"{self.method}: of {total} labels {dropped} dropped ({_percent(dropped, total)}), "
            f"{relabelled} changed ({_percent(relabelled, total)}).",
            self.reason,
        ]
        if unjudged:
            lines.append(f"{unjudged} labels were not judged, and stay.")
        tallies = list(zip(class_names, self.tally(len(class_names)), strict=True))
        if len(tallies) > REPORTED_CLASSES:
            tallies.sort(key=lambda item: -(item[1].relabelled + item[1].dropped))
            lines.append(f"The {REPORTED_CLASSES} of {len(tallies)} classes that changed most:")
        return lines + _table(tallies[:REPORTED_CLASSES])

    def corrections(self, image_names: Sequence[str]) -> list[Correction]:
        """Every change as a row, the most suspicious first.

        Args:
            image_names: Name of each example, N.
        """
        changed = np.flatnonzero(self.dropped | self.relabelled)
        order = changed[np.argsort(self.scores[changed], kind="stable")]
        return [
            Correction(
                image_names[position],
                int(self.given[position]),
                None if self.labels[position] == DROPPED else int(self.labels[position]),
                float(self.scores[position]),
            )
            for position in map(int, order)
        ]


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.1f} %"


def _table(tallies: Sequence[tuple[str, ClassTally]]) -> list[str]:
    heads = ("given", "kept", "relabelled away", "dropped", "gained")
    wide = max([len("class"), *(len(name) for name, _ in tallies)])
    lines = [f"{'class':<{wide}}  " + "  ".join(f"{head:>9}" for head in heads)]
    for name, tally in tallies:
        counts = (tally.given, tally.kept, tally.relabelled, tally.dropped, tally.gained)
        cells = (f"{count:>{max(9, len(head))}}" for count, head in zip(counts, heads, strict=True))
        lines.append(f"{name:<{wide}}  " + "  ".join(cells))
    return lines
