"""`nsml dataset`: push, change and remove datasets, list their files, read their boards."""

from __future__ import annotations

import fnmatch
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nsml_shim.commands import copying
from nsml_shim.commands.platform import Platform
from nsml_shim.datasets import catalog
from nsml_shim.datasets import push as pushing
from nsml_shim.datasets.catalog import EVALUATOR, METRICS, Dataset, open_version
from nsml_shim.datasets.catalog import join_tags as join_tags
from nsml_shim.datasets.contents import files_of
from nsml_shim.datasets.push import Progress, Pushed
from nsml_shim.errors import BadDataset, InvalidName, InvalidOption, NoSuchDataset
from nsml_shim.names import check_dataset, check_owner
from nsml_shim.protocol import write_atomic
from nsml_shim.store.datasets import DatasetRow as DatasetRow
from nsml_shim.store.submissions import BoardRow

NAME_LIMIT = 20


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What the options of `push` and `change` ask for; None leaves a setting as it is."""

    leaderboard: str | None = None
    """A built-in metric, or the path of an evaluation.py."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Names and values of `DatasetSettings`; a value of None goes back to dataset.toml."""
    users: Sequence[str] = ()
    """Owners to let in although the dataset is private."""

    @property
    def evaluator(self) -> Path | None:
        """The script named by `leaderboard`, if it names one.

        Raises:
            InvalidOption: If it is neither a metric nor a file.
        """
        if self.leaderboard is None or self.leaderboard in METRICS:
            return None
        if not os.path.isfile(self.leaderboard):
            raise InvalidOption(
                "-l",
                self.leaderboard,
                f"one of {', '.join(METRICS)}, or a script such as ./{EVALUATOR}",
            )
        return Path(self.leaderboard)

    def applied_to(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """The settings after the changes."""
        after = {**before, **self.settings}
        if self.leaderboard is not None:
            after["metric"] = "custom" if self.evaluator else self.leaderboard
        if self.users:
            known = str(before.get("users", "")).split()
            after["users"] = " ".join(dict.fromkeys([*known, *map(check_owner, self.users)]))
        return {key: value for key, value in after.items() if value is not None}


def visible(platform: Platform) -> list[DatasetRow]:
    """Datasets that the acting owner may use, by name."""
    return [row for row in platform.datasets.all() if platform.may_use(row)]


def search(platform: Platform, pattern: str, *, author: str | None = None) -> list[DatasetRow]:
    """Datasets whose name matches a pattern with `*` and `?`, or holds a plain word."""
    wanted = pattern if any(sign in pattern for sign in "*?[") else f"*{pattern}*"
    return [
        row
        for row in visible(platform)
        if fnmatch.fnmatchcase(row.name, wanted) and author in (None, row.author)
    ]


def push(
    platform: Platform,
    name: str,
    source: Path,
    *,
    progress: Progress,
    changes: Changes | None = None,
) -> Pushed:
    """Store a folder as a dataset, or as the next version of one.

    Sessions that run keep the version they started with.

    Raises:
        InvalidName: If the name cannot be a dataset's.
        InvalidOption: If a metric is neither known nor a file.
        BadDataset: If the folder cannot be pushed, or another owner has a dataset of that name.
    """
    if "," in check_dataset(name) or len(name) > NAME_LIMIT:
        raise InvalidName("name", name, f"at most {NAME_LIMIT} characters, and no comma")
    known = platform.datasets.find(name)
    if known:
        _refuse_stranger(platform, known, "Choose another name.")
    root = platform.settings.datasets
    changes = changes or Changes()
    before = catalog.read_changes(root / name) if known else {}
    after = changes.applied_to(before)
    pushed = pushing.push(
        source,
        root / name,
        newest=known.version if known else 0,
        progress=progress,
        evaluator=changes.evaluator,
        changes=after,
    )
    if pushed.changed or after != before:
        catalog.write_changes(root / name, after)
        platform.datasets.put(_row(platform, open_version(root, name, pushed.version), pushed.size))
    return pushed


def change(platform: Platform, name: str, changes: Changes) -> None:
    """Change what the owner decided about a dataset; its data stay as they are.

    Raises:
        NoSuchDataset: If nobody pushed it.
        BadDataset: If it belongs to another owner, or a value cannot be meant.
        InvalidOption: If a metric is neither known nor a file.
    """
    dataset, row = _own(platform, name)
    folder = platform.settings.datasets / name
    after = changes.applied_to(catalog.read_changes(folder))
    catalog.read_settings(dataset.root / catalog.DATASET_FILE, changes=after)  # refuses nonsense
    if changes.evaluator:
        script = dataset.root / "hidden" / EVALUATOR
        script.parent.mkdir(exist_ok=True)
        write_atomic(script, changes.evaluator.read_bytes())
    catalog.write_changes(folder, after)
    platform.datasets.put(_row(platform, platform.find_dataset(name), row.size))


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


def board(platform: Platform, name: str, *, owner: str | None = None) -> list[BoardRow]:
    """Best submission of each owner (or of one), best first.

    Raises:
        NoSuchDataset: If nobody pushed it.
    """
    dataset = platform.find_dataset(name)
    rows = platform.submissions.board(name, ascending=dataset.settings.order == "ascending")
    return [row for row in rows if owner in (None, row.owner)]


def files(platform: Platform, name: str) -> dict[str, int]:
    """Names and bytes of a dataset's files; its author sees the hidden ones as well.

    Raises:
        NoSuchDataset: If nobody pushed it.
    """
    dataset = platform.find_dataset(name)
    row = platform.datasets.find(name)
    hidden = row is not None and row.author == platform.settings.owner
    found = files_of(dataset, hidden=hidden)
    return {name.as_posix(): path.stat().st_size for name, path in found.items()}


def pull(
    platform: Platform, name: str, into: Path, *, force: bool, told: Callable[[str], None]
) -> Path:
    """Copy a dataset as it was pushed to the new folder `into`/NAME, which is returned.

    Raises:
        NoSuchDataset: If nobody pushed it.
        BadDataset: If it belongs to another owner: only its author may take data home.
        InvalidOption: If the folder is there already.
    """
    dataset, _ = _own(platform, name)
    found = files_of(dataset, hidden=True)
    return copying.copy_files(found, into / name, force=force, told=told)


def remove(platform: Platform, name: str) -> None:
    """Forget a dataset with its data and its board.

    Raises:
        NoSuchDataset: If nobody pushed it.
        BadDataset: If it belongs to another owner, or a session is using it.
    """
    _own(platform, name)
    users = [
        str(row.name)
        for row in map(platform.checked, platform.sessions.newest_first(ended=False))
        if not row.has_ended and name in row.dataset.split(",")
    ]
    if users:
        raise BadDataset(
            f"{name} is being used by {', '.join(users)}. Stop them first: nsml stop {users[0]}"
        )
    platform.datasets.remove(name)
    platform.submissions.remove_dataset(name)
    folder = platform.settings.datasets / name
    doomed = folder.with_name(f".removed-{name}")
    shutil.rmtree(doomed, ignore_errors=True)  # left by a removal that was interrupted
    os.replace(folder, doomed)
    shutil.rmtree(doomed)


def _own(platform: Platform, name: str) -> tuple[Dataset, DatasetRow]:
    """A dataset that the acting owner may change."""
    dataset, row = platform.find_dataset(name), platform.datasets.find(name)
    if row is None:
        raise NoSuchDataset(name, [])  # removed between the two looks
    _refuse_stranger(platform, row, "Set NSML_TEAM to act as that owner.")
    return dataset, row


def _refuse_stranger(platform: Platform, row: DatasetRow, advice: str) -> None:
    if row.author != platform.settings.owner:
        raise BadDataset(
            f"{row.name} belongs to {row.author}; you are {platform.settings.owner}. {advice}"
        )
