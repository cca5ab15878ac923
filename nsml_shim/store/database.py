"""Open the platform's SQLite file and run transactions on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = Path(__file__).with_name("schema.sql")
STEPS = {
    1: (
        "ALTER TABLE sessions ADD COLUMN pid INTEGER",
        "ALTER TABLE sessions ADD COLUMN slots TEXT NOT NULL DEFAULT '[]'",
    ),
}
"""What leads from each older schema to the next one."""
VERSION = 2
"""Of the schema; kept in SQLite's user_version."""
BUSY_SECONDS = 30.0
"""How long a writer waits for another one."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, create or migrate its tables; safe when several processes do so at once.

    Raises:
        RuntimeError: If a newer platform wrote the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # isolation_level=None: no transactions but those below, none is opened behind our back.
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA foreign_keys = ON")
    if _version(db) != VERSION:
        _migrate(db, path)
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """One writer at a time from the first read on; everything or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _migrate(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    with transaction(db):
        found = _version(db)  # again: another process may have been first
        if found > VERSION:
            raise RuntimeError(
                f"{path} was written by a newer platform (schema {found}, this one knows "
                f"{VERSION}). Update nsml_shim, or set NSML_HOME to another folder."
            )
        if found == 0:
            steps = SCHEMA.read_text(encoding="utf-8").split(";\n")
        else:
            steps = [step for version in range(found, VERSION) for step in STEPS[version]]
        for statement in steps:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
