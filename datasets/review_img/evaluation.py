"""Score of a prediction: geometric mean of the five per-class F1 values, higher is better.

`python evaluation.py --prediction FILE --test_label_path FILE` prints one number. A prediction that
cannot be scored ends with a message on standard error and exit code 1, not with a score of 0.

Standard library only, so that an organiser's machine needs nothing else.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
from collections.abc import Sequence
from pathlib import Path

NUM_CLASSES = 5
NAME_COLUMNS = ("image_name", "file_name")
"""The task's first hand-out called the column `file_name`; both are read."""
SHOWN = 3
"""How many offending names a message lists."""


class BadTable(Exception):
    """A file that cannot be scored; the message names file, row and value."""


def read_classes(path: Path, class_column: str) -> dict[str, int]:
    """Read a CSV file that gives each picture one class.

    Args:
        path: File with a header; further columns and any row order are fine.
        class_column: Name of the column with the class.

    Returns:
        Class 0..4 of each picture name.

    Raises:
        BadTable: If the file, a column or a value is not as expected.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return _classes(csv.DictReader(stream), path, class_column)
    except OSError as error:
        raise BadTable(f"{path} cannot be read: {error.strerror}. Check the path.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadTable(f"{path} is no CSV file in UTF-8: {error}. Write it with to_csv.") from error


def _classes(reader: csv.DictReader[str], path: Path, class_column: str) -> dict[str, int]:
    columns = [column or "(no name)" for column in reader.fieldnames or []]
    name_column = next((name for name in NAME_COLUMNS if name in columns), None)
    if name_column is None or class_column not in columns:
        raise BadTable(
            f"{path}, row 1: expected the columns image_name and {class_column}, found "
            f"{', '.join(columns) or 'nothing'}. Return a table with these two columns from infer."
        )
    classes: dict[str, int] = {}
    for row in reader:
        name = row[name_column]
        where = f"{path}, row {reader.line_num}"
        if not name:
            raise BadTable(f"{where}: {name_column} is empty. Give every row a picture name.")
        if name in classes:
            raise BadTable(f"{where}: {name} appears twice. Predict every picture exactly once.")
        classes[name] = parse_class(row[class_column], where, class_column)
    return classes


def parse_class(text: str | None, where: str, class_column: str) -> int:
    """Class written in a cell; `3` and `3.0` (as data frames with gaps write it) are the same.

    Raises:
        BadTable: If it is no whole number 0..4; `where` names file and row.
    """
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not value.is_integer():
        raise BadTable(
            f"{where}: {class_column} is {text or ''!r}. Give a whole number 0..{NUM_CLASSES - 1}."
        )
    if not 0 <= value < NUM_CLASSES:
        raise BadTable(
            f"{where}: {class_column} is {text}, outside 0..{NUM_CLASSES - 1}. "
            "Predict the index of a class."
        )
    return int(value)


def check_same_pictures(predicted: dict[str, int], truth: dict[str, int], path: Path) -> None:
    """Make sure that every test picture is predicted, and no other.

    Raises:
        BadTable: Naming the first few that are missing or unknown.
    """
    for names, fault, advice in (
        (sorted(truth.keys() - predicted.keys()), "are missing", "Predict every test picture."),
        (sorted(predicted.keys() - truth.keys()), "are not in the test set", "Leave them out."),
    ):
        if names:
            shown = ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")
            raise BadTable(
                f"{path}: {len(names)} of {len(truth)} pictures {fault}: {shown}. {advice}"
            )


def class_f1(truth: Sequence[int], predicted: Sequence[int]) -> list[float]:
    """F1 of each of the five classes, 0..1; 0 for a class that is never right."""
    right, asked, answered = ([0] * NUM_CLASSES for _ in range(3))
    for true, guess in zip(truth, predicted, strict=True):
        asked[true] += 1
        answered[guess] += 1
        right[true] += true == guess
    return [
        2 * hits / total if (total := a + b) else 0.0
        for hits, a, b in zip(right, asked, answered, strict=True)
    ]


def geometric_mean(values: Sequence[float]) -> float:
    """Geometric mean; 0 if any value is 0."""
    if min(values) <= 0:
        return 0.0
    return math.exp(math.fsum(math.log(value) for value in values) / len(values))


def evaluate(prediction: Path, test_label: Path) -> float:
    """Score of a prediction file against the label file, 0..1.

    Raises:
        BadTable: If one of the files cannot be used.
    """
    truth = read_classes(test_label, "answer")
    predicted = read_classes(prediction, "y_pred")
    check_same_pictures(predicted, truth, prediction)
    names = sorted(truth)
    return geometric_mean(
        class_f1([truth[name] for name in names], [predicted[name] for name in names])
    )


def main(arguments: Sequence[str]) -> int:
    """Print the score; returns the exit code."""
    parser = argparse.ArgumentParser(prog="evaluation.py", description="Score a prediction.")
    parser.add_argument("--prediction", type=Path, default=Path("pred.txt"), help="CSV file")
    parser.add_argument("--test_label_path", type=Path, required=True, help="CSV file")
    options = parser.parse_args(arguments)
    try:
        print(evaluate(options.prediction, options.test_label_path))
    except BadTable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
