"""The table of sessions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nsml_shim.names import SessionName
from nsml_shim.store.database import transaction

ALLOCATED, RUNNING, STOPPING, EXITED = "Allocated", "Running", "Stopping", "Exited"


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """What a session is to be, before it has a number."""

    owner: str
    dataset: str
    kind: str
    entry: str
    args: Sequence[str]
    interpreter: str
    memo: str = ""
    gpus: int = 1
    cpus: int = 2
    memory: int = 0
    """Bytes; 0 is no limit."""
    shm_size: int = 0
    """Bytes."""
    parent: str = ""
    """Session it was forked or submitted from."""
    checkpoint: str = ""
    """Checkpoint it starts from."""
    interactive: bool = False
    """Removed as soon as it has ended."""


@dataclass(frozen=True, kw_only=True)
class SessionRow(NewSession):
    """A session as the store knows it."""

    id: int
    number: int
    status: str
    cause: str
    exit_code: int | None
    summary: Mapping[str, Any]
    created_at: float
    started_at: float | None
    ended_at: float | None
    pid: int | None = None
    """Of its process, while it runs."""
    slots: Sequence[str] = ()
    """The GPUs (values of `CUDA_VISIBLE_DEVICES`) or CPU workers it was given."""

    @property
    def name(self) -> SessionName:
        """OWNER/DATASET/NUMBER."""
        return SessionName(self.owner, self.dataset, self.number)

    @property
    def has_ended(self) -> bool:
        """Whether its process is gone."""
        return self.status == EXITED


class Sessions:
    """Read and write the table of sessions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def create(self, new: NewSession, *, now: float) -> SessionRow:
        """Give the session its number and store it as Allocated."""
        with transaction(self._db):
            number = self._next_number(new.owner, new.dataset)
            identity = self._db.execute(
                """
                INSERT INTO sessions (owner, dataset, number, kind, status, entry, args, memo,
                    gpus, cpus, memory, shm_size, parent, checkpoint, interpreter, interactive,
                    created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                (
                    new.owner, new.dataset, number, new.kind, ALLOCATED, new.entry,
                    json.dumps(list(new.args)), new.memo, new.gpus, new.cpus, new.memory,
                    new.shm_size, new.parent, new.checkpoint, new.interpreter, new.interactive, now,
                ),
            ).lastrowid  # fmt: skip
        return self._one("id = ?", identity)

    def _next_number(self, owner: str, dataset: str) -> int:
        row = self._db.execute(
            """
            INSERT INTO counters (owner, dataset, last) VALUES (?, ?, 1)
            ON CONFLICT (owner, dataset) DO UPDATE SET last = last + 1
            RETURNING last
            """,
            (owner, dataset),
        ).fetchone()
        return int(row[0])

    def find(self, name: SessionName) -> SessionRow | None:
        """The session of that name, or None."""
        try:
            return self._one(
                "owner = ? AND dataset = ? AND number = ?", name.owner, name.dataset, name.number
            )
        except LookupError:
            return None

    def _one(self, where: str, *values: object) -> SessionRow:
        row = self._db.execute(f"SELECT * FROM sessions WHERE {where}", values).fetchone()
        if row is None:
            raise LookupError(where)
        return _rows([row])[0]

    def names(self) -> list[str]:
        """Names of all sessions."""
        rows = self._db.execute("SELECT owner, dataset, number FROM sessions ORDER BY id")
        return ["/".join(map(str, row)) for row in rows]

    def newest_first(self, *, owner: str | None = None, ended: bool = True) -> list[SessionRow]:
        """Sessions of one owner (or all), with or without those that have ended."""
        rows = self._db.execute(
            """
            SELECT * FROM sessions
            WHERE (:owner IS NULL OR owner = :owner) AND (:ended OR status != 'Exited')
            ORDER BY id DESC
            """,
            {"owner": owner, "ended": ended},
        )
        return _rows(rows)

    def waiting_before(self, session: SessionRow) -> list[SessionRow]:
        """Sessions submitted earlier that still wait for their GPUs."""
        rows = self._db.execute(
            "SELECT * FROM sessions WHERE status = 'Allocated' AND id < ? ORDER BY id",
            (session.id,),
        )
        return _rows(rows)

    def set_running(self, session: SessionRow, *, now: float) -> None:
        """Its process has been started."""
        self._db.execute(
            """
            UPDATE sessions SET status = 'Running', started_at = ?
            WHERE id = ? AND status = 'Allocated'
            """,
            (now, session.id),
        )

    def set_process(self, session: SessionRow, *, pid: int, slots: Sequence[str]) -> None:
        """Which process it is, and what it was given."""
        self._db.execute(
            "UPDATE sessions SET pid = ?, slots = ? WHERE id = ?",
            (pid, json.dumps(list(slots)), session.id),
        )

    def set_stopping(self, session: SessionRow) -> None:
        """Somebody asked it to stop."""
        self._db.execute(
            "UPDATE sessions SET status = 'Stopping' WHERE id = ? AND status != 'Exited'",
            (session.id,),
        )

    def set_exited(
        self, session: SessionRow, *, cause: str, exit_code: int | None, now: float
    ) -> None:
        """Its process is gone; the first cause that is recorded stays."""
        self._db.execute(
            """
            UPDATE sessions
            SET status = 'Exited', cause = ?, exit_code = ?, ended_at = ?, pid = NULL
            WHERE id = ? AND status != 'Exited'
            """,
            (cause, exit_code, now, session.id),
        )

    def set_summary(self, session: SessionRow, summary: Mapping[str, object]) -> None:
        """Its last report with summary=True."""
        self._db.execute(
            "UPDATE sessions SET summary = ? WHERE id = ?", (json.dumps(summary), session.id)
        )

    def set_memo(self, session: SessionRow, memo: str) -> None:
        """Its description."""
        self._db.execute("UPDATE sessions SET memo = ? WHERE id = ?", (memo, session.id))

    def remove(self, session: SessionRow) -> None:
        """Forget the session and its checkpoints; its number is not used again."""
        self._db.execute("DELETE FROM sessions WHERE id = ?", (session.id,))


def _rows(found: Iterable[sqlite3.Row]) -> list[SessionRow]:
    """Sessions as the table has them; a listing of thousands is made of these."""
    rows = list(found)
    texts = ",".join([f"[{row['args']},{row['summary']},{row['slots']}]" for row in rows])
    sessions: list[SessionRow] = []
    for row, (args, summary, slots) in zip(rows, json.loads(f"[{texts}]"), strict=True):
        session = object.__new__(SessionRow)
        # At once, because the constructor of a frozen class takes three times as long for a row.
        session.__dict__.update(zip(row.keys(), row, strict=True))
        session.__dict__.update(
            args=args, summary=summary, slots=slots, interactive=bool(row["interactive"])
        )
        sessions.append(session)
    return sessions
