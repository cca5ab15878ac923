"""The files of a dataset under the names they were pushed with: list them, fetch them back."""

from __future__ import annotations

import os
from pathlib import Path

from nsml_shim.datasets.catalog import DATASET_FILE, EVALUATOR, LOADER, Dataset


def files_of(dataset: Dataset, *, hidden: bool) -> dict[Path, Path]:
    """Pushed name of every file, and where it lies, sorted by name.

    Args:
        dataset: Which version.
        hidden: Whether labels, evaluator and settings belong to it; only its author may see them.
    """
    found = _below(dataset.root / "run", Path())
    # Every view carries the loader; once is enough.
    for view, part in (("submit", "test"), ("trial", "test_submit")):
        found |= _below(dataset.root / view / "test", Path(part))
    if hidden:
        for part in ("test", "test_submit"):
            found |= _below(dataset.root / "hidden" / part, Path(part))
        found[Path(EVALUATOR)] = dataset.root / "hidden" / EVALUATOR
        found[Path(DATASET_FILE)] = dataset.root / DATASET_FILE
        found.setdefault(Path(LOADER), dataset.root / "submit" / LOADER)
    return {name: found[name] for name in sorted(found) if found[name].is_file()}


def _below(folder: Path, prefix: Path) -> dict[Path, Path]:
    return {
        prefix / Path(parent, name).relative_to(folder): Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
    }
