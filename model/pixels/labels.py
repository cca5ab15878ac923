"""Given labels as classes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.pixels.table import DataError, Row

LABEL_COLUMN = "answer"
"""Column of a table that holds the classes."""


def class_of(row: Row, path: Path, num_classes: int) -> int:
    """Class that a row of a table of answers gives its picture, 0..num_classes-1.

    Raises:
        DataError: If it is no class.
    """
    try:
        label = int(row.answer)
    except ValueError:
        label = UNKNOWN_LABEL
    if not 0 <= label < num_classes:
        raise DataError(
            f"{path}, line {row.line}: the {LABEL_COLUMN} of {row.name!r} is {row.answer!r}.",
            f"A class is a whole number from 0 to {num_classes - 1}.",
            "Correct that row, or remove it.",
        )
    return label


def check_every_class(
    labels: NDArray[np.int64], path: Path, num_classes: int, missing: int
) -> None:
    """Make sure that there is something to learn from in each class.

    Args:
        labels: Classes that are used, int [N].
        path: The table they come from.
        num_classes: K.
        missing: Rows of the table that have no picture.

    Raises:
        DataError: If a class has no picture.
    """
    count = np.bincount(labels, minlength=num_classes)
    empty = np.flatnonzero(count == 0)
    if not empty.size:
        return
    nobody = (
        f"no row is left of class {empty[0]}" if count.any() else "no row is left to learn from"
    )
    raise DataError(
        f"{path}: {nobody} ({len(labels)} rows used, {missing} without their picture).",
        f"Each of the {num_classes} classes needs at least one picture.",
        f"Add pictures to {path.parent}, or correct the {LABEL_COLUMN} column.",
    )
