"""Labels that a person, or a filter, has decided about, as a table that is read back.

    image_name,given,suggested,score,answer
    0f3a.jpg,4,2,0.0312,2           this picture's class is 2
    77c1.jpg,0,4,0.0450,drop        leave this picture out
    a920.jpg,3,4,0.0571,            as it was

Only the name and the answer are read; the rest is for whoever decides.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.pixels.faults import findings
from model.pixels.table import NAME_COLUMNS, DataError, Row, read_table

ANSWER_COLUMN = "answer"
COLUMNS = (NAME_COLUMNS[0], "given", "suggested", "score", ANSWER_COLUMN)
DROP = "drop"
"""Answer that leaves a picture out."""
DROPPED = -1
"""Class that stands for DROP in `read_corrections`."""


@dataclass(frozen=True)
class Correction:
    """A label to look at, or one that was decided about."""

    name: str
    """File name of the picture."""
    given: int
    suggested: int | None
    """Class that fits better; None if nothing speaks for one."""
    score: float
    """Trust in the given label; low is suspicious."""
    answer: str = ""
    """Empty, DROP, or the number of a class."""


class Decisions(Protocol):
    """What a noise filter decided: a `model.noise.record.FilterRecord`."""

    def corrections(
        self, image_names: Sequence[str]
    ) -> Sequence[tuple[str, int, int | None, float]]:
        """Name, given class, class to learn instead (None drops) and score of each change."""
        ...


def decided(decisions: Decisions, names: Sequence[str]) -> list[Correction]:
    """A filter's decisions as corrections that need no person any more.

    Args:
        decisions: Of the filter.
        names: File name of each of its examples, N.
    """
    return [
        Correction(name, given, learnt, score, DROP if learnt is None else str(learnt))
        for name, given, learnt, score in decisions.corrections(names)
    ]


def save_corrections(path: Path, corrections: Iterable[Correction]) -> None:
    """Write the table (UTF-8 with a byte-order mark, so that Excel reads Korean names)."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in corrections:
            suggested = "" if row.suggested is None else row.suggested
            writer.writerow([row.name, row.given, suggested, f"{row.score:.4f}", row.answer])


def read_corrections(path: Path, num_classes: int) -> dict[str, int]:
    """New class by picture name, DROPPED for those to leave out; unanswered rows are left away.

    Args:
        path: Table with at least the columns `image_name` (or `file_name`) and `answer`.
        num_classes: K; classes are 0..K-1.

    Raises:
        DataError: If the file cannot be read or an answer is no class.
    """
    if not path.is_file():
        raise DataError(
            f"{path} is no file.",
            f"It is a CSV table of corrected labels: {NAME_COLUMNS[0]}, {ANSWER_COLUMN}.",
            "Check its path; `python -m data_loader eda DATASET_PATH` writes one to fill in.",
        )
    rows = read_table(path, label_column=ANSWER_COLUMN)
    return {row.name: _decision(row, path, num_classes) for row in rows if row.answer.strip()}


def apply_corrections(
    decisions: dict[str, int], names: Sequence[str], labels: NDArray[np.int64], path: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Labels as corrected.

    Args:
        decisions: From `read_corrections`.
        names: Name of each picture, N.
        labels: Given class of each picture, int [N]; left unchanged.
        path: Where the decisions come from, for the notes.

    Returns:
        Positions of the pictures that stay, ascending, int [M]; their classes, int [M]; and a
        sentence about each thing that was done.
    """
    pairs = zip(names, labels.tolist(), strict=True)
    wanted = np.array([decisions.get(name, label) for name, label in pairs], dtype=np.int64)
    dropped = wanted == DROPPED
    changed = ~dropped & (wanted != labels)
    known = set(names)
    notes = findings(
        (_where(names, changed), len(names), f"labels were changed by {path.name}"),
        (_where(names, dropped), len(names), f"pictures were left out by {path.name}"),
        (
            [name for name in decisions if name not in known],
            len(decisions),
            f"answers in {path.name} name a picture that is not used; skipped",
        ),
    )
    kept = np.flatnonzero(~dropped)
    return kept, wanted[kept], notes


def _where(names: Sequence[str], mask: NDArray[np.bool_]) -> list[str]:
    return [name for name, marked in zip(names, mask, strict=True) if marked]


def _decision(row: Row, path: Path, num_classes: int) -> int:
    answer = row.answer.strip()
    if answer.lower() == DROP:
        return DROPPED
    # A table that went through pandas or a spreadsheet may say 2.0.
    number = re.fullmatch(r"([0-9]{1,9})(?:\.0+)?", answer)
    if number and int(number[1]) < num_classes:
        return int(number[1])
    raise DataError(
        f"{path}, line {row.line}: the {ANSWER_COLUMN} of {row.name!r} is {row.answer!r}.",
        f"It is a class from 0 to {num_classes - 1}, {DROP!r}, or empty to leave the label as is.",
        "Correct that row.",
    )
