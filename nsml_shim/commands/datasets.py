"""`nsml dataset ls`, `board` and `push`."""

from __future__ import annotations

from pathlib import Path

from nsml_shim.commands.platform import Platform
from nsml_shim.datasets import push as pushing
from nsml_shim.datasets.catalog import Dataset, open_version
from nsml_shim.datasets.push import Progress, Pushed
from nsml_shim.errors import BadDataset, InvalidName
from nsml_shim.names import check_dataset
from nsml_shim.store.datasets import DatasetRow
from nsml_shim.store.submissions import BoardRow

NAME_LIMIT = 20


def push(platform: Platform, name: str, source: Path, *, progress: Progress) -> Pushed:
    """Store a folder as a dataset, or as the next version of one.

    Sessions that run keep the version they started with.

    Raises:
        InvalidName: If the name cannot be a dataset's.
        BadDataset: If the folder cannot be pushed, or another owner has a dataset of that name.
    """
    if "," in check_dataset(name) or len(name) > NAME_LIMIT:
        raise InvalidName("name", name, f"at most {NAME_LIMIT} characters, and no comma")
    known = platform.datasets.find(name)
    if known and known.author != platform.settings.owner:
        raise BadDataset(
            f"{name} belongs to {known.author}; you are {platform.settings.owner}. "
            "Choose another name."
        )
    root = platform.settings.datasets
    newest = known.version if known else 0
    pushed = pushing.push(source, root / name, newest=newest, progress=progress)
    if pushed.changed:
        dataset = open_version(root, name, pushed.version)
        platform.datasets.put(_row(platform, dataset, pushed.size))
    return pushed


def _row(platform: Platform, dataset: Dataset, size: int) -> DatasetRow:
    return DatasetRow(
        name=dataset.name,
        version=dataset.version,
        author=platform.settings.owner,
        description=dataset.settings.description,
        tags=dataset.settings.tags,
        size=size,
        modified_at=platform.clock(),
    )


def board(platform: Platform, name: str) -> list[BoardRow]:
    """Best submission of each owner, best first.

    Raises:
        NoSuchDataset: If nobody pushed it.
    """
    dataset = platform.find_dataset(name)
    return platform.submissions.board(name, ascending=dataset.settings.order == "ascending")
