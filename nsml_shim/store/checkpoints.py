"""The table of checkpoints, copied by the supervisor from what sessions saved."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from nsml_shim.protocol import CheckpointRecord
from nsml_shim.store.database import transaction


@dataclass(frozen=True)
class CheckpointRow:
    """A checkpoint as the store knows it."""

    name: str
    saved_at: float
    elapsed: float
    """Seconds since the checkpoint before."""
    summary: Mapping[str, Any]
    """The last values reported before the save."""
    size: int
    """Bytes."""


class Checkpoints:
    """Read and write the table of checkpoints."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, session_id: int, records: Iterable[CheckpointRecord]) -> None:
        """Store the records; one of the same name is replaced."""
        with transaction(self._db):
            self._db.executemany(
                "INSERT OR REPLACE INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (session_id, r.name, r.saved_at, r.elapsed, json.dumps(r.summary), r.size)
                    for r in records
                ],
            )

    def of(self, session_id: int) -> list[CheckpointRow]:
        """Checkpoints of a session, oldest first."""
        rows = self._db.execute(
            """
            SELECT name, saved_at, elapsed, summary, size FROM checkpoints
            WHERE session_id = ? ORDER BY saved_at, name
            """,
            (session_id,),
        )
        return [CheckpointRow(r[0], r[1], r[2], json.loads(r[3]), r[4]) for r in rows]

    def totals(self) -> dict[int, tuple[int, int]]:
        """Number and bytes of the checkpoints of every session that has any, by session id."""
        rows = self._db.execute(
            "SELECT session_id, count(*), sum(size) FROM checkpoints GROUP BY session_id"
        )
        return {row[0]: (row[1], row[2]) for row in rows}

    def remove(self, session_id: int, name: str) -> None:
        """Forget one checkpoint."""
        self._db.execute(
            "DELETE FROM checkpoints WHERE session_id = ? AND name = ?", (session_id, name)
        )
