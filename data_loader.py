"""The review-image task on disk: folders and tables in, batches and predictions out.

    DATASET_PATH/train/train_data/*            pictures
    DATASET_PATH/train/train_label             CSV: image_name, answer, category_1..category_4
    DATASET_PATH/test/test_data/*              pictures
    DATASET_PATH/test/test_data/test_input     CSV: image_name, category_1..category_4

    python -m data_loader eda DATASET_PATH     look at the training side
    python -m data_loader cache DATASET_PATH   make the copies that trainings read faster

Columns are found by name. As in the task's first week, the categories, and with them `test_input`,
may be absent, and the column of names may be called `file_name`.
"""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL, Batch, Framing
from model.exploration.predictions import HeldOut, write_predictions
from model.pixels.cache.plan import AUTO as AUTO
from model.pixels.cache.plan import OFF, prepare_cache
from model.pixels.cache.plan import CacheWish as CacheWish
from model.pixels.cache.plan import gigabytes as gigabytes
from model.pixels.corrections import (
    Decisions,
    apply_corrections,
    decided,
    read_corrections,
    save_corrections,
)
from model.pixels.device.reader import DeviceReader, choose_reader
from model.pixels.faults import Damage, findings, report_line
from model.pixels.fingerprint import duplicate_groups, fingerprints
from model.pixels.folder import link_pictures, picture_names
from model.pixels.labels import LABEL_COLUMN, check_every_class, class_of
from model.pixels.loader import PictureFiles, stream_batches
from model.pixels.table import NAME_COLUMNS, read_table, write_table
from model.pixels.table import DataError as DataError

CLASS_NAMES = ("착용샷", "설치 후 배치컷", "발색샷", "요리완성", "미분류")
"""Someone wearing the product, product in place, colour swatch, finished dish, none of these."""

PREDICTION_COLUMN = "y_pred"

TRAIN_PICTURES, TRAIN_TABLE = Path("train", "train_data"), Path("train", "train_label")
TEST_PICTURES, TEST_TABLE, TEST_LABELS = "test_data", "test_input", "test_label"

ENV_CACHE = "NSML_CACHE_FOLDER"
"""Where the picture caches lie."""


@dataclass(frozen=True, eq=False)
class ReviewImages:
    """Review pictures with given labels and product categories: an `ExampleSource`."""

    files: PictureFiles
    categories: list[tuple[str, ...]]
    """Product category of each picture, broadest level first; empty where there is none."""
    notes: tuple[str, ...] = ()
    """What reading the folder and the table left out, one sentence each."""
    reader: DeviceReader | None = None
    """How batches are made on a GPU; None makes them on the processor."""

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
        make = stream_batches if self.reader is None else self.reader.stream
        return make(self.files, order, batch_size=batch_size, framing=framing, workers=workers)

    def duplicate_groups(self, workers: int) -> NDArray[np.int64]:
        """Group number of each picture, [N]; near-duplicates share one, told by their look."""
        return duplicate_groups(fingerprints(self.files, workers=workers).hashes)

    def subset(self, indices: NDArray[np.int64]) -> "ReviewImages":
        """The pictures at these positions, in this order, counting broken files together."""
        names = [self.files.names[i] for i in indices]
        files = replace(self.files, names=names, labels=self.labels[indices])
        return replace(self, files=files, categories=[self.categories[i] for i in indices])

    def with_cache(self, wish: CacheWish, say: Callable[[str], None]) -> "ReviewImages":
        """The same pictures, read from smaller copies if the wish comes true.

        Raises:
            DataError: If the cache is asked for by name, and cannot be made here.
        """
        cache = prepare_cache(self.files.folder, self.files.names, wish, say)
        return replace(self, files=replace(self.files, cache=cache), reader=None)

    def read_on_device(
        self, device: torch.device, decoder: str, say: Callable[[str], None]
    ) -> "ReviewImages":
        """The same pictures, made ready on a GPU where that pays: from raw copies, or by nvJPEG.

        Args:
            device: Where the network computes; on the processor nothing changes.
            decoder: "cpu" or "gpu", for pictures that no cache holds.
            say: Gets a line about what is done.
        """
        return replace(self, reader=choose_reader(self.files, device, decoder, say))

    @property
    def cache_kind(self) -> str:
        """Name of the kind of copies that are read, or "off"."""
        return OFF if self.files.cache is None else self.files.cache.kind.name

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


def read_train(
    dataset_path: Path, num_classes: int = len(CLASS_NAMES), *, corrections: Path | None = None
) -> ReviewImages:
    """Labelled pictures of a dataset, in the order of its table.

    Rows whose picture is missing, and pictures without a row, are left out and noted; so is what
    the corrections change.

    Args:
        dataset_path: Folder of the dataset.
        num_classes: Classes are 0..num_classes-1.
        corrections: Table of answers that hold instead of the dataset's; see
            `model/pixels/corrections.py`.

    Raises:
        DataError: If a folder, file, column or class is missing, or a row cannot be used.
    """
    folder, path = dataset_path / TRAIN_PICTURES, dataset_path / TRAIN_TABLE
    present = picture_names(folder, TEST_TABLE)
    rows = read_table(path, label_column=LABEL_COLUMN)
    classes = [class_of(row, path, num_classes) for row in rows]
    used = [i for i, row in enumerate(rows) if row.name in present]
    missing = [row.name for row in rows if row.name not in present]
    labels = np.array([classes[i] for i in used], dtype=np.int64)
    unused = sorted(present.difference(row.name for row in rows))
    notes = findings(
        (missing, len(rows), f"rows of {path.name} name a picture that is not there; skipped"),
        (unused, len(present), f"pictures have no row in {path.name}; not used"),
    )
    files = PictureFiles(folder, [rows[i].name for i in used], labels)
    images = ReviewImages(files, [rows[i].categories for i in used], notes)
    if corrections is not None:
        images = _corrected(images, corrections, num_classes)
    check_every_class(images.labels, path, num_classes, len(missing))
    return images


def read_test(test_root: Path) -> ReviewImages:
    """Unlabelled pictures of a `test` folder, sorted by name, with their categories if known.

    Raises:
        DataError: If the folder is missing or empty, or its table cannot be used.
    """
    folder = test_root / TEST_PICTURES
    names = sorted(picture_names(folder, TEST_TABLE))
    table = next((p for p in (folder / TEST_TABLE, test_root / TEST_TABLE) if p.is_file()), None)
    rows = read_table(table) if table else []
    known = {row.name: row.categories for row in rows}
    bare = [name for name in names if name not in known] if table else []
    strangers = sorted(known.keys() - set(names))
    notes = findings(
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


def write_out_of_fold(path: Path, images: ReviewImages, held_out: HeldOut) -> None:
    """Write the held-out predictions of these pictures as a CSV file that people can read."""
    write_predictions(path, images.names, held_out)


def write_corrections(path: Path, images: ReviewImages, decisions: Decisions) -> None:
    """Write what a filter decided about these pictures, as `read_train` takes it back."""
    save_corrections(path, decided(decisions, images.names))


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
    test_folder = out / "test" / TEST_PICTURES
    link_pictures(train.files.folder, train.names, out / TRAIN_PICTURES)
    link_pictures(test.files.folder, test.names, test_folder)
    train_labels, test_labels = (LABEL_COLUMN, train.labels.tolist()), test.labels.tolist()
    write_table(out / TRAIN_TABLE, train.names, labels=train_labels, categories=train.categories)
    write_table(out / "test" / TEST_LABELS, test.names, labels=(LABEL_COLUMN, test_labels))
    if any(test.categories):
        write_table(test_folder / TEST_TABLE, test.names, categories=test.categories)


def cache_root() -> Path:
    """Folder of all picture caches; the platform gives one to all of an owner's sessions."""
    given = os.environ.get(ENV_CACHE)
    return Path(given) if given else Path.home() / ".cache" / "review-tagging"


def _corrected(images: ReviewImages, path: Path, num_classes: int) -> ReviewImages:
    decisions = read_corrections(path, num_classes)
    kept, labels, notes = apply_corrections(decisions, images.names, images.labels, path)
    part = images.subset(kept)
    return replace(part, files=replace(part.files, labels=labels), notes=images.notes + notes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m data_loader`; returns its exit code."""
    from model.exploration.command import run_command

    def read(dataset_path: Path, corrections: Path | None) -> ReviewImages:
        return read_train(dataset_path, corrections=corrections)

    given = sys.argv[1:] if arguments is None else arguments
    return run_command(given, read, CLASS_NAMES, cache_root())


if __name__ == "__main__":
    sys.exit(main())
