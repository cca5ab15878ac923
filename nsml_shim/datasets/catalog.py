"""Where the parts of a pushed dataset lie, and what its owner decided about it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from nsml_shim.errors import BadDataset, InvalidOption
from nsml_shim.protocol import write_atomic
from nsml_shim.settings import read_toml

DATASET_FILE = "dataset.toml"
CHANGES_FILE = "changes.json"
"""Beside the versions: what `nsml dataset push` and `change` set; it wins over dataset.toml."""
LOADER = "data_loader.py"
EVALUATOR = "evaluation.py"
METRICS = ("custom", "accuracy", "mse", "f1")
ORDERS = ("descending", "ascending")
MOST_TAGS, LONGEST_TAG = 7, 50


@dataclass(frozen=True, kw_only=True)
class DatasetSettings:
    """What dataset.toml says; keys it does not know are the owner's own notes."""

    description: str = ""
    tags: str = ""
    """Words beginning with #, as shown by `nsml dataset ls`."""
    metric: str = "custom"
    """"custom" (the owner's evaluation.py), or built in: accuracy, mse, f1."""
    order: str = "descending"
    """"descending": the highest score is the best; "ascending": the lowest."""
    submit_interval: float = 3600.0
    """Seconds between two scored submissions of a team; 0 is no limit."""
    time_limit: float = 3600.0
    """Seconds that inference may take."""
    model_limit: float = float("inf")
    """Largest checkpoint that can be saved, bytes."""
    private: bool = False
    """Nobody but its author and `users` sees it."""
    users: str = ""
    """Owners, separated by spaces, who may use it although it is private."""
    allow_unsandboxed: bool = False
    """Score submissions also on a machine where they cannot be isolated."""

    def __post_init__(self) -> None:
        """Reject what cannot be meant."""
        if self.metric not in METRICS:
            raise BadDataset(
                f"{DATASET_FILE}: metric is {self.metric!r}; expected one of {METRICS}."
            )
        if self.order not in ORDERS:
            raise BadDataset(f"{DATASET_FILE}: order is {self.order!r}; expected one of {ORDERS}.")
        tags = self.tags.split()
        if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
            raise BadDataset(
                f"{len(tags)} tags ({self.tags}); expected at most {MOST_TAGS}, of at most "
                f"{LONGEST_TAG} characters each."
            )

    def is_open_to(self, owner: str, *, author: str) -> bool:
        """Whether an owner may use the dataset."""
        return not self.private or owner == author or owner in self.users.split()


@dataclass(frozen=True)
class Dataset:
    """One version of a dataset, as it lies in the platform's home."""

    name: str
    version: int
    root: Path
    """Folder of this version."""
    settings: DatasetSettings

    @property
    def run_view(self) -> Path:
        """What a training session sees: the data without test pictures and labels."""
        return self.root / "run"

    @property
    def submit_view(self) -> Path:
        """What a submission sees: `test/` without labels, and the owner's loader."""
        return self.root / "submit"

    @property
    def trial_view(self) -> Path:
        """What `submit -t` sees: the same shape with the small `test_submit` data."""
        small = self.root / "trial"
        return small if small.is_dir() else self.submit_view

    @property
    def evaluator(self) -> Path | None:
        """The owner's evaluation.py, if there is one."""
        script = self.root / "hidden" / EVALUATOR
        return script if script.is_file() else None

    def labels(self, *, trial: bool) -> Path | None:
        """The hidden labels, a file or a folder; None if the owner gave none."""
        part = "test_submit" if trial and (self.root / "trial").is_dir() else "test"
        labels = self.root / "hidden" / part / "test_label"
        return labels if labels.exists() else None


def open_version(root: Path, name: str, version: int) -> Dataset:
    """The dataset `name` in version `version` below the folder of all datasets."""
    folder = root / name / f"v{version}"
    settings = read_settings(folder / DATASET_FILE, changes=read_changes(root / name))
    return Dataset(name, version, folder, settings)


def read_changes(folder: Path) -> dict[str, Any]:
    """What options set beside dataset.toml, for all versions below `folder`."""
    try:
        return json.loads((folder / CHANGES_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def write_changes(folder: Path, changes: Mapping[str, Any]) -> None:
    """Keep what options set."""
    write_atomic(folder / CHANGES_FILE, json.dumps(changes, indent=2).encode())


def join_tags(tags: Sequence[str]) -> str:
    """Words with a # in front, however they were typed: `toy`, `#toy`, `toy,mnist`."""
    words = [word for tag in tags for word in re.split(r"[\s,]+", tag) if word]
    return " ".join(f"#{word.lstrip('#')}" for word in words)


def read_settings(path: Path, *, changes: Mapping[str, Any] | None = None) -> DatasetSettings:
    """Settings from a dataset.toml; the defaults if there is none.

    Args:
        path: The file.
        changes: Values that win over those of the file.

    Raises:
        BadDataset: If the file is not TOML, or a value has the wrong type or meaning.
    """
    try:
        table = read_toml(path)
    except InvalidOption as error:
        raise BadDataset(str(error)) from error
    table |= changes or {}
    return DatasetSettings(**{key: _typed(path, key, table[key]) for key in _known(table)})


def _known(table: Mapping[str, Any]) -> list[str]:
    return [field.name for field in fields(DatasetSettings) if field.name in table]


def _typed(path: Path, key: str, value: Any) -> Any:
    default = getattr(DatasetSettings(), key)
    if key in ("tags", "users") and isinstance(value, list):
        return " ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(default, bool):
        good = isinstance(value, bool)
    elif isinstance(default, float):
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    else:
        good = isinstance(value, str)
    if not good:
        kinds = {"bool": "true or false", "float": "a number, 0 or more"}
        kind = kinds.get(type(default).__name__, "a string")
        raise BadDataset(f"{path}: {key} is {value!r}; expected {kind}.")
    return float(value) if isinstance(default, float) else value
