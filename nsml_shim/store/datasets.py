"""The table of datasets."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetRow:
    """A dataset as `nsml dataset ls` shows it."""

    name: str
    version: int
    """Counts up with every push that changed something."""
    author: str
    description: str
    tags: str
    size: int
    """Bytes, of all files."""
    modified_at: float


class Datasets:
    """Read and write the table of datasets."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, row: DatasetRow) -> None:
        """Store the dataset; a later version replaces an earlier one."""
        self._db.execute(
            "INSERT OR REPLACE INTO datasets VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                row.name, row.version, row.author, row.description, row.tags, row.size,
                row.modified_at,
            ),
        )  # fmt: skip

    def find(self, name: str) -> DatasetRow | None:
        """The dataset of that name, or None."""
        row = self._db.execute("SELECT * FROM datasets WHERE name = ?", (name,)).fetchone()
        return DatasetRow(*row) if row else None

    def all(self) -> list[DatasetRow]:
        """All datasets by name."""
        rows = self._db.execute("SELECT * FROM datasets ORDER BY name")
        return [DatasetRow(*row) for row in rows]

    def remove(self, name: str) -> None:
        """Forget the dataset."""
        self._db.execute("DELETE FROM datasets WHERE name = ?", (name,))
