"""What every verb receives: the settings and the open store."""

from __future__ import annotations

import fnmatch
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nsml_shim import protocol
from nsml_shim.errors import NoSuchDataset, NoSuchSession, NotYours
from nsml_shim.names import NO_DATASET, SessionName
from nsml_shim.protocol import SessionFolder
from nsml_shim.sessions import leases
from nsml_shim.settings import Settings
from nsml_shim.store import database
from nsml_shim.store.checkpoints import Checkpoints
from nsml_shim.store.sessions import SessionRow, Sessions

if TYPE_CHECKING:
    # `nsml ps` needs none of these, and has to answer at once.
    from nsml_shim.datasets.catalog import Dataset
    from nsml_shim.store.datasets import DatasetRow, Datasets
    from nsml_shim.store.submissions import Submissions

START_SECONDS = 30.0
"""A session whose supervisor has not taken its lock after this long never will."""

LOST = "lost: its supervisor is gone (killed, or the machine was restarted)"

Echo = Callable[[str], None]


@dataclass(frozen=True)
class Platform:
    """The settings, the store, and where things lie."""

    settings: Settings
    clock: Callable[[], float] = time.time

    @cached_property
    def db(self) -> sqlite3.Connection:
        """The open store; created on first use."""
        return database.connect(self.settings.database)

    def close(self) -> None:
        """Close the store, if it was used."""
        if "db" in vars(self):
            self.db.close()

    @property
    def sessions(self) -> Sessions:
        """The table of sessions."""
        return Sessions(self.db)

    @property
    def checkpoints(self) -> Checkpoints:
        """The table of checkpoints."""
        return Checkpoints(self.db)

    @property
    def datasets(self) -> Datasets:
        """The table of datasets."""
        from nsml_shim.store.datasets import Datasets

        return Datasets(self.db)

    @property
    def submissions(self) -> Submissions:
        """The table of submissions."""
        from nsml_shim.store.submissions import Submissions

        return Submissions(self.db)

    def folder(self, name: SessionName | SessionRow) -> SessionFolder:
        """Folder of a session."""
        text = str(name.name if isinstance(name, SessionRow) else name)
        return protocol.session_folder(self.settings.sessions, text)

    def find_session(self, name: SessionName, *, own: bool = True) -> SessionRow:
        """The session of that name, with a status that is true now.

        Args:
            name: Which session.
            own: Whether it must belong to the acting owner.

        Raises:
            NoSuchSession: If there is none.
            NotYours: If it belongs to another owner.
        """
        row = self.sessions.find(name)
        if row is None:
            raise NoSuchSession(str(name), self.sessions.names())
        if own and row.owner != self.settings.owner:
            raise NotYours(str(name), self.settings.owner)
        return self.checked(row)

    def match_sessions(self, pattern: str) -> list[SessionRow]:
        """Own sessions whose name matches a pattern with `*` and `?`; a plain name must exist."""
        if not any(sign in pattern for sign in "*?["):
            return [self.find_session(SessionName.parse(pattern))]
        own = self.sessions.newest_first(owner=self.settings.owner)
        return [self.checked(row) for row in own if fnmatch.fnmatchcase(str(row.name), pattern)]

    def checked(self, row: SessionRow) -> SessionRow:
        """The session after a look at its supervisor: one that died left its session lost."""
        if row.has_ended or self.is_supervised(row):
            return row
        fresh = self.sessions.find(row.name)  # it may have ended between the two looks
        if fresh is None or fresh.has_ended:
            return fresh or row
        self.sessions.set_exited(row, cause=LOST, exit_code=None, now=self.clock())
        submission = self.submissions.of_session(row.id)
        if submission:
            self.submissions.fail(submission, error=LOST, now=self.clock())
        return self.sessions.find(row.name) or row

    def is_supervised(self, row: SessionRow) -> bool:
        """Whether somebody looks after the session: its supervisor, or the command starting it."""
        if leases.is_held(self.folder(row).lock):
            return True
        return row.started_at is None and self.clock() - row.created_at < START_SECONDS

    def find_dataset(self, name: str) -> Dataset:
        """The newest version of a dataset.

        Raises:
            NoSuchDataset: If nobody pushed it, or it is private and not meant for this owner.
        """
        row = self.datasets.find(name)
        if row is None or not self.may_use(row):
            known = [other.name for other in self.datasets.all() if self.may_use(other)]
            raise NoSuchDataset(name, known)
        return self._open(row)

    def may_use(self, row: DatasetRow) -> bool:
        """Whether the acting owner may see and use a dataset."""
        owner = self.settings.owner
        return row.author == owner or self._open(row).settings.is_open_to(owner, author=row.author)

    def _open(self, row: DatasetRow) -> Dataset:
        from nsml_shim.datasets import catalog

        return catalog.open_version(self.settings.datasets, row.name, row.version)

    def find_datasets(self, joined: str) -> list[Dataset]:
        """The datasets in the middle part of a session's name."""
        if joined == NO_DATASET:
            return []
        return [self.find_dataset(name) for name in joined.split(",")]
