"""The review-image task on disk: folders and tables in, batches and predictions out.

    DATASET_PATH/train/train_data/*            pictures
    DATASET_PATH/train/train_label             CSV: image_name, answer, category_1..category_4
    DATASET_PATH/test/test_data/*              pictures
    DATASET_PATH/test/test_data/test_input     CSV: image_name, category_1..category_4

Columns are found by name. As in the task's first week, the categories, and with them `test_input`,
may be absent, and the column of names may be called `file_name`.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL, Batch, Framing
from model.pixels.faults import EXAMPLES_SHOWN, Damage, report_line
from model.pixels.loader import PictureFiles, stream_batches
from model.pixels.table import CATEGORY_COLUMNS, NAME_COLUMNS, Row, read_table
from model.pixels.table import DataError as DataError

CLASS_NAMES = ("착용샷", "설치 후 배치컷", "발색샷", "요리완성", "미분류")
"""Someone wearing the product, product in place, colour swatch, finished dish, none of these."""

LABEL_COLUMN = "answer"
PREDICTION_COLUMN = "y_pred"

TRAIN_PICTURES, TRAIN_TABLE = Path("train", "train_data"), Path("train", "train_label")
TEST_PICTURES, TEST_TABLE, TEST_LABELS = "test_data", "test_input", "test_label"


@dataclass(frozen=True, eq=False)
class ReviewImages:
    """Review pictures with given labels and product categories: an `ExampleSource`."""

    files: PictureFiles
    categories: list[tuple[str, ...]]
    """Product category of each picture, broadest level first; empty where there is none."""
    notes: tuple[str, ...] = ()
    """What reading the folder and the table left out, one sentence each."""

    @property
    def names(self) -> list[str]:
        """File name of each picture, N."""
        return self.files.names

    @property
    def labels(self) -> NDArray[np.int64]:
        """Given class of each picture, [N]; UNKNOWN_LABEL where there is none."""
        return self.files.labels

    def __len__(self) -> int:
        return len(self.files.names)

    def batches(
        self, order: NDArray[np.int64], *, batch_size: int, framing: Framing, workers: int
    ) -> Iterator[Batch]:
        """Batches of the pictures `order` names, in that order; see `stream_batches`."""
        return stream_batches(
            self.files, order, batch_size=batch_size, framing=framing, workers=workers
        )

    def subset(self, indices: NDArray[np.int64]) -> "ReviewImages":
        """The pictures at these positions, in this order, counting broken files together."""
        names = [self.files.names[i] for i in indices]
        files = PictureFiles(self.files.folder, names, self.labels[indices], self.files.tally)
        return ReviewImages(files, [self.categories[i] for i in indices], self.notes)

    def unreadable(self) -> list[str]:
        """Names of the pictures that turned out unreadable so far."""
        return list(self.files.tally.among(self.files.names, Damage.UNREADABLE))

    def report(self) -> list[str]:
        """What a user should know about the pictures read so far, one sentence a line."""
        learning = bool((self.labels != UNKNOWN_LABEL).any())
        fates = {
            Damage.UNREADABLE: "could not be read and were "
            + ("skipped" if learning else "replaced by grey"),
            Damage.TRUNCATED: "are cut short and were decoded as far as they go",
        }
        lines = list(self.notes)
        for damage, fate in fates.items():
            faults = self.files.tally.among(self.files.names, damage)
            if faults:
                lines.append(report_line(faults, len(self), fate))
        return lines


def read_train(dataset_path: Path, num_classes: int = len(CLASS_NAMES)) -> ReviewImages:
    """Labelled pictures of a dataset, in the order of its table.

    Rows whose picture is missing, and pictures without a row, are left out and noted.

    Raises:
        DataError: If a folder, file, column or class is missing, or a row cannot be used.
    """
    folder, path = dataset_path / TRAIN_PICTURES, dataset_path / TRAIN_TABLE
    present = _picture_names(folder)
    rows = read_table(path, label_column=LABEL_COLUMN)
    classes = [_class_of(row, path, num_classes) for row in rows]
    used = [i for i, row in enumerate(rows) if row.name in present]
    missing = [row.name for row in rows if row.name not in present]
    labels = np.array([classes[i] for i in used], dtype=np.int64)
    _check_every_class(labels, path, num_classes, len(missing))
    unused = sorted(present.difference(row.name for row in rows))
    notes = _notes(
        (missing, len(rows), f"rows of {path.name} name a picture that is not there; skipped"),
        (unused, len(present), f"pictures have no row in {path.name}; not used"),
    )
    files = PictureFiles(folder, [rows[i].name for i in used], labels)
    return ReviewImages(files, [rows[i].categories for i in used], notes)


def read_test(test_root: Path) -> ReviewImages:
    """Unlabelled pictures of a `test` folder, sorted by name, with their categories if known.

    Raises:
        DataError: If the folder is missing or empty, or its table cannot be used.
    """
    folder = test_root / TEST_PICTURES
    names = sorted(_picture_names(folder))
    table = next((p for p in (folder / TEST_TABLE, test_root / TEST_TABLE) if p.is_file()), None)
    rows = read_table(table) if table else []
    known = {row.name: row.categories for row in rows}
    bare = [name for name in names if name not in known] if table else []
    strangers = sorted(known.keys() - set(names))
    notes = _notes(
        (bare, len(names), f"pictures have no row in {TEST_TABLE}; their category is unknown"),
        (strangers, len(known), f"rows of {TEST_TABLE} name a picture that is not there, skipped"),
    )
    labels = np.full(len(names), UNKNOWN_LABEL, dtype=np.int64)
    files = PictureFiles(folder, names, labels)
    return ReviewImages(files, [known.get(name, ()) for name in names], notes)


def prediction_table(
    names: Sequence[str], y_pred: Sequence[int] | NDArray[np.integer]
) -> pd.DataFrame:
    """The table that the task's evaluator wants: every picture once, with its predicted class.

    Raises:
        ValueError: If the lengths differ, a name repeats or a class is not a whole number >= 0.
    """
    classes = np.asarray(y_pred)
    if classes.shape != (len(names),):
        raise ValueError(f"{len(names)} names, but predictions of shape {classes.shape}.")
    if len(set(names)) != len(names):
        raise ValueError("a picture is named twice; predict each picture once.")
    if len(names) and (not np.issubdtype(classes.dtype, np.integer) or classes.min() < 0):
        raise ValueError(
            f"predictions are {classes.dtype}, smallest {classes.min()}; give classes."
        )
    columns = {NAME_COLUMNS[0]: list(names), PREDICTION_COLUMN: classes.astype(np.int64)}
    return pd.DataFrame(columns)


def slice_dataset(dataset_path: Path, out: Path, per_class: int) -> None:
    """Make a tiny dataset from the training side of another one, with test labels, for a dry run.

    The training side gets the first pictures of each class, the test side the last; a picture is
    on both only if its class has fewer than 2 x `per_class`. Pictures are hard links if possible.

    Args:
        dataset_path: A dataset with a training side.
        out: Folder to fill; must not hold a dataset yet.
        per_class: Pictures of each class on each side, at least 1.

    Raises:
        DataError: If the dataset cannot be used.
        FileExistsError: If `out` holds a dataset.
        ValueError: If `per_class` is less than 1.
    """
    if per_class < 1:
        raise ValueError(f"per_class is {per_class}; give at least 1.")
    images = read_train(dataset_path)
    of_class = [np.flatnonzero(images.labels == k) for k in range(len(CLASS_NAMES))]
    train = images.subset(np.concatenate([members[:per_class] for members in of_class]))
    test = images.subset(np.concatenate([members[-per_class:] for members in of_class]))
    _link_pictures(train, out / TRAIN_PICTURES)
    _link_pictures(test, out / "test" / TEST_PICTURES)
    _write_table(train, out / TRAIN_TABLE, labelled=True, categorised=True)
    _write_table(test, out / "test" / TEST_LABELS, labelled=True, categorised=False)
    if any(test.categories):
        table = out / "test" / TEST_PICTURES / TEST_TABLE
        _write_table(test, table, labelled=False, categorised=True)


def _link_pictures(images: ReviewImages, folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in images.names:
        picture = (images.files.folder / name).resolve()
        try:
            os.link(picture, folder / name)
        except OSError:  # another file system, or one without links
            shutil.copyfile(picture, folder / name)


def _write_table(images: ReviewImages, path: Path, *, labelled: bool, categorised: bool) -> None:
    table = pd.DataFrame({NAME_COLUMNS[0]: images.names})
    if labelled:
        table[LABEL_COLUMN] = images.labels
    if categorised:
        levels = CATEGORY_COLUMNS[: max(map(len, images.categories))]
        for level, column in enumerate(levels):
            table[column] = [category[level] for category in images.categories]
    table.to_csv(path, index=False, encoding="utf-8")


def _class_of(row: Row, path: Path, num_classes: int) -> int:
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


def _check_every_class(
    labels: NDArray[np.int64], path: Path, num_classes: int, missing: int
) -> None:
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


def _picture_names(folder: Path) -> set[str]:
    """Files of a picture folder, but for hidden ones and the table that may lie among them."""
    try:
        with os.scandir(folder) as entries:
            names = {e.name for e in entries if not e.name.startswith(".") and not e.is_dir()}
    except OSError as error:
        raise DataError(
            f"{folder} cannot be read: {error.strerror}.",
            "It is the folder with the pictures of the dataset.",
            "Check the path of the dataset; `nsml dataset push` registers one.",
        ) from error
    names.discard(TEST_TABLE)
    if not names:
        raise DataError(
            f"{folder} holds no picture.",
            "Pictures lie directly in that folder.",
            "Copy the pictures there, or check the path of the dataset.",
        )
    return names


def _notes(*findings: tuple[Sequence[str], int, str]) -> tuple[str, ...]:
    """A sentence for each finding (names, out of how many, what they are) that has names."""
    return tuple(
        f"{len(names)} of {total} {what} (first: {', '.join(names[:EXAMPLES_SHOWN])})"
        for names, total, what in findings
        if names
    )
