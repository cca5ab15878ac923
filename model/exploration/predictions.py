"""What models that never saw a picture think of it, as a table that people can read.

    image_name,fold,given,p_0,p_1,p_2
    0f3a.jpg,0,2,0.031200,0.004100,0.964700

M members, N pictures, K classes.
"""

import csv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.pixels.table import NAME_COLUMNS, DataError, read_records

SUM_TOLERANCE = 0.01
"""How far the probabilities of a row may be from 1 in sum; they are written with six digits."""
PROBABILITY = "p_"
"""Probability columns are called this and the number of the class."""


class HeldOut(Protocol):
    """Held-out predictions of a training set, in the set's order: `model.out_of_fold.OutOfFold`."""

    @property
    def pred_probs(self) -> NDArray[np.float32]:
        """Probabilities of each member, float [M, N, K]; NaN rows where it predicted nothing."""
        ...

    @property
    def given(self) -> NDArray[np.int64]:
        """Given label, int [N]."""
        ...

    @property
    def folds(self) -> NDArray[np.int64]:
        """Fold of each picture, int [N]; -1 for none."""
        ...


@dataclass(frozen=True, eq=False)
class Predictions:
    """Class probabilities of some pictures."""

    names: list[str]
    """File name of each picture, N."""
    pred_probs: NDArray[np.float64]
    """Float [N, K], 0..1, rows sum to 1."""


def write_predictions(path: Path, names: Sequence[str], held_out: HeldOut) -> None:
    """Write the mean of the members' probabilities; pictures that no member predicted are left out.

    Args:
        path: CSV file.
        names: File name of each picture, N.
        held_out: The predictions.
    """
    known = np.asarray(np.isfinite(held_out.pred_probs).all(axis=2))
    shares = np.where(known[..., None], held_out.pred_probs, 0.0).sum(axis=0, dtype=np.float64)
    votes = known.sum(axis=0)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        columns = [f"{PROBABILITY}{k}" for k in range(shares.shape[1])]
        writer.writerow([NAME_COLUMNS[0], "fold", "given", *columns])
        for i in np.flatnonzero(votes).tolist():
            probs = [f"{share:.6f}" for share in (shares[i] / votes[i]).tolist()]
            writer.writerow([names[i], int(held_out.folds[i]), int(held_out.given[i]), *probs])


def read_predictions(path: Path, num_classes: int) -> Predictions:
    """Read such a table, or an npz archive with the arrays `image_name` and `pred_probs`.

    Args:
        path: CSV file, or one whose name ends in .npz.
        num_classes: K that is expected.

    Raises:
        DataError: If the file cannot be read or holds no probabilities of K classes.
    """
    read = _read_archive if path.suffix == ".npz" else _read_csv
    found = read(path, num_classes)
    probs = found.pred_probs
    fine = (probs >= 0).all(axis=1) & (np.abs(probs.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if not fine.all():  # a NaN is not fine either
        row = int(np.flatnonzero(~fine)[0])
        raise DataError(
            f"{path}: the probabilities of {found.names[row]!r} are {probs[row].tolist()}.",
            "Each is 0..1, and together they make 1.",
            "Write probabilities, not logits or percentages.",
        )
    return Predictions(found.names, probs / probs.sum(axis=1, keepdims=True))


def _read_csv(path: Path, num_classes: int) -> Predictions:
    records = read_records(path)
    line, header = next(records, (1, []))
    needed = [NAME_COLUMNS[0], *(f"{PROBABILITY}{k}" for k in range(num_classes))]
    absent = [column for column in needed if header.count(column) != 1]
    extra = f"{PROBABILITY}{num_classes}" in header
    if absent or extra:
        raise DataError(
            f"{path}, line {line}: these are not the probabilities of {num_classes} classes.",
            f"Needed once each: {', '.join(needed)}; found: {', '.join(header) or 'nothing'}.",
            "Give the out_of_fold.csv of a training on this dataset.",
        )
    places = [header.index(column) for column in needed]
    rows: dict[str, list[float]] = {}
    for line, cells in records:
        try:
            name, *numbers = (cells[place] for place in places)
            rows[name] = [float(number) for number in numbers]
        except (IndexError, ValueError) as error:
            raise DataError(
                f"{path}, line {line}: not a picture and {num_classes} probabilities: {error}.",
                f"The header has {len(header)} columns, and every row a number in each of them.",
                "Correct that row, or remove it.",
            ) from error
    return Predictions(list(rows), np.array(list(rows.values())).reshape(-1, num_classes))


def _read_archive(path: Path, num_classes: int) -> Predictions:
    try:
        with np.load(path, allow_pickle=False) as archive:
            names, probs = archive["image_name"], np.asarray(archive["pred_probs"], np.float64)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(
            f"{path} cannot be used: {error}.",
            "It is an archive of numpy with the arrays image_name [N] and pred_probs [N, K].",
            "Write it with numpy.savez(path, image_name=..., pred_probs=...).",
        ) from error
    if probs.shape != (len(names), num_classes) or len(set(names.tolist())) != len(names):
        raise DataError(
            f"{path}: {len(names)} names, but probabilities of shape {list(probs.shape)}.",
            f"Each picture is named once and has {num_classes} probabilities.",
            "Write the archive again.",
        )
    return Predictions([str(name) for name in names], probs)
