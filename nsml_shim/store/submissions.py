"""The table of submissions, the rate limit and the leaderboard."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nsml_shim.errors import RateLimitExceeded
from nsml_shim.store.database import transaction

PENDING, SCORED, FAILED = "PENDING", "SCORED", "FAILED"


@dataclass(frozen=True, kw_only=True)
class NewSubmission:
    """One checkpoint that asks for a score."""

    owner: str
    dataset: str
    version: int
    """Of the dataset."""
    source: str
    """Session whose checkpoint is scored."""
    checkpoint: str
    args: Sequence[str]
    trial: bool
    """`submit -t`: neither counted nor on the board."""


@dataclass(frozen=True, kw_only=True)
class SubmissionRow(NewSubmission):
    """A submission as the store knows it."""

    id: int
    session_id: int | None
    status: str
    score: float | None
    score_text: str
    error: str
    submitted_at: float
    finished_at: float | None


@dataclass(frozen=True)
class BoardRow:
    """One line of the leaderboard."""

    owner: str
    score: float
    score_text: str
    submitted_at: float
    source: str
    checkpoint: str
    args: Sequence[str]
    count: int
    """Scored submissions of this owner."""


class Submissions:
    """Read and write the table of submissions."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def admit(
        self,
        new: NewSubmission,
        *,
        interval: float,
        now: float,
        is_alive: Callable[[SubmissionRow], bool],
    ) -> SubmissionRow:
        """Store the submission as PENDING, unless the owner's last one is too recent.

        The check and the insert are one transaction, so two terminals cannot both slip through.

        Args:
            new: What is to be scored.
            interval: Seconds that must lie between two scored submissions of an owner.
            now: Seconds since the epoch.
            is_alive: Whether a PENDING submission is still being worked on; one that is not has
                failed, and failures are free.

        Raises:
            RateLimitExceeded: If it comes too early.
        """
        with transaction(self._db):
            if not new.trial:
                self._check_rate(new, interval=interval, now=now, is_alive=is_alive)
            identity = self._db.execute(
                """
                INSERT INTO submissions (owner, dataset, version, source, checkpoint, args, trial,
                    status, submitted_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'PENDING', ?)
                """,
                (
                    new.owner, new.dataset, new.version, new.source, new.checkpoint,
                    json.dumps(list(new.args)), new.trial, now,
                ),
            ).lastrowid  # fmt: skip
        assert identity is not None
        return self.get(identity)

    def _check_rate(
        self,
        new: NewSubmission,
        *,
        interval: float,
        now: float,
        is_alive: Callable[[SubmissionRow], bool],
    ) -> None:
        rows = self._db.execute(
            """
            SELECT * FROM submissions
            WHERE owner = ? AND dataset = ? AND NOT trial AND status != 'FAILED'
              AND submitted_at > ?
            ORDER BY submitted_at DESC
            """,
            (new.owner, new.dataset, now - interval),
        ).fetchall()
        for row in map(_row, rows):
            if row.status == SCORED or is_alive(row):
                remaining = row.submitted_at + interval - now
                raise RateLimitExceeded(remaining, interval, new.dataset)

    def get(self, identity: int) -> SubmissionRow:
        """The submission with that id."""
        return _row(
            self._db.execute("SELECT * FROM submissions WHERE id = ?", (identity,)).fetchone()
        )

    def of_session(self, session_id: int) -> SubmissionRow | None:
        """The submission that a submit session works for, or None."""
        row = self._db.execute(
            "SELECT * FROM submissions WHERE session_id = ?", (session_id,)
        ).fetchone()
        return _row(row) if row else None

    def attach(self, submission: SubmissionRow, session_id: int) -> None:
        """Name the submit session that works for the submission."""
        self._db.execute(
            "UPDATE submissions SET session_id = ? WHERE id = ?", (session_id, submission.id)
        )

    def finish(self, submission: SubmissionRow, *, score_text: str, now: float) -> None:
        """Record the score, exactly as the evaluator printed it."""
        self._db.execute(
            """
            UPDATE submissions SET status = 'SCORED', score = ?, score_text = ?, finished_at = ?
            WHERE id = ? AND status = 'PENDING'
            """,
            (float(score_text), score_text, now, submission.id),
        )

    def pass_unscored(self, submission: SubmissionRow, *, now: float) -> None:
        """Record a dry run that predicted well on data without labels."""
        self._db.execute(
            "UPDATE submissions SET status = 'SCORED', finished_at = ? WHERE id = ?",
            (now, submission.id),
        )

    def fail(self, submission: SubmissionRow, *, error: str, now: float) -> None:
        """Record why there is no score; a failed submission costs the team nothing."""
        self._db.execute(
            """
            UPDATE submissions SET status = 'FAILED', error = ?, finished_at = ?
            WHERE id = ? AND status = 'PENDING'
            """,
            (error, now, submission.id),
        )

    def remove_dataset(self, dataset: str) -> None:
        """Forget every submission to a dataset: a later one of that name starts afresh."""
        self._db.execute("DELETE FROM submissions WHERE dataset = ?", (dataset,))

    def board(self, dataset: str, *, ascending: bool) -> list[BoardRow]:
        """Best scored submission of each owner, best first; ties go to the earlier one."""
        rows = self._db.execute(
            """
            WITH scored AS (
                SELECT *, CASE WHEN :ascending THEN score ELSE -score END AS place
                FROM submissions
                WHERE dataset = :dataset AND status = 'SCORED' AND NOT trial
            ), ranked AS (
                SELECT *, count(*) OVER (PARTITION BY owner) AS tries,
                    row_number() OVER (
                        PARTITION BY owner ORDER BY place, submitted_at, id) AS own_place
                FROM scored
            )
            SELECT owner, score, score_text, submitted_at, source, checkpoint, args, tries AS count
            FROM ranked WHERE own_place = 1 ORDER BY place, submitted_at, id
            """,
            {"dataset": dataset, "ascending": ascending},
        )
        return [BoardRow(**{**dict(row), "args": json.loads(row["args"])}) for row in rows]


def _row(row: sqlite3.Row) -> SubmissionRow:
    values = dict(row)
    values["args"] = json.loads(values["args"])
    values["trial"] = bool(values["trial"])
    return SubmissionRow(**values)
