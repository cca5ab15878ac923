import sqlite3
from pathlib import Path

import pytest

from nsml_shim.errors import RateLimitExceeded
from nsml_shim.store import database
from nsml_shim.store.submissions import NewSubmission, SubmissionRow, Submissions

NOON = 1_700_000_000.0
MINUTE, HOUR = 60.0, 3600.0


@pytest.fixture
def submissions(tmp_path: Path) -> Submissions:
    return Submissions(database.connect(tmp_path / "platform.db"))


def new(owner: str = "team", *, trial: bool = False) -> NewSubmission:
    return NewSubmission(
        owner=owner,
        dataset="toy",
        version=1,
        source=f"{owner}/toy/1",
        checkpoint="best",
        args=["--lr", "0.1"],
        trial=trial,
    )


def admit(
    submissions: Submissions,
    at: float,
    owner: str = "team",
    *,
    trial: bool = False,
    alive: bool = True,
) -> SubmissionRow:
    return submissions.admit(
        new(owner, trial=trial), interval=HOUR, now=at, is_alive=lambda _: alive
    )


def score(submissions: Submissions, text: str, owner: str, at: float) -> None:
    submissions.finish(admit(submissions, at, owner), score_text=text, now=at + 1)


def test_a_second_submission_within_the_hour_is_refused_with_the_time_left(submissions):
    submissions.finish(admit(submissions, NOON), score_text="0.5", now=NOON + 5)
    with pytest.raises(RateLimitExceeded, match=r"remained time: 1m00s .*every 60 minutes"):
        admit(submissions, NOON + 59 * MINUTE)
    admit(submissions, NOON + 60 * MINUTE)


def test_a_submission_still_being_scored_counts(submissions):
    admit(submissions, NOON)
    with pytest.raises(RateLimitExceeded):
        admit(submissions, NOON + MINUTE)


def test_a_failed_submission_is_free(submissions):
    submissions.fail(admit(submissions, NOON), error="boom", now=NOON + 1)
    admit(submissions, NOON + MINUTE)


def test_a_submission_whose_supervisor_died_is_free(submissions):
    admit(submissions, NOON)
    admit(submissions, NOON + MINUTE, alive=False)


def test_dry_runs_and_other_teams_do_not_count(submissions):
    admit(submissions, NOON, trial=True)
    admit(submissions, NOON, "rivals")
    admit(submissions, NOON + 1)
    admit(submissions, NOON + 2, trial=True)


def test_the_rate_limit_is_decided_inside_one_transaction(tmp_path: Path):
    first = Submissions(database.connect(tmp_path / "platform.db"))
    second = Submissions(database.connect(tmp_path / "platform.db"))
    refused: list[str] = []

    def look(_: SubmissionRow) -> bool:
        # While one terminal decides, the other one cannot write.
        other = database.connect(tmp_path / "platform.db")
        other.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("DELETE FROM submissions")
        refused.append("looked")
        return True

    first.admit(new(), interval=HOUR, now=NOON, is_alive=look)
    with pytest.raises(RateLimitExceeded):
        second.admit(new(), interval=HOUR, now=NOON + 1, is_alive=look)
    assert refused == ["looked"]


def test_the_board_shows_the_best_of_each_team_and_how_often_it_tried(submissions):
    score(submissions, "0.50", "team", NOON)
    score(submissions, "0.75", "team", NOON + HOUR)
    score(submissions, "0.60", "team", NOON + 2 * HOUR)
    score(submissions, "0.70", "rivals", NOON)
    board = submissions.board("toy", ascending=False)
    assert [(row.owner, row.score_text, row.count) for row in board] == [
        ("team", "0.75", 3),
        ("rivals", "0.70", 1),
    ]
    assert [row.owner for row in submissions.board("toy", ascending=True)] == ["team", "rivals"]
    assert submissions.board("toy", ascending=True)[0].score_text == "0.50"


def test_of_equal_scores_the_earlier_one_stands_first(submissions):
    score(submissions, "0.7", "late", NOON + 1)
    score(submissions, "0.7", "early", NOON)
    assert [row.owner for row in submissions.board("toy", ascending=False)] == ["early", "late"]


def test_dry_runs_and_failures_never_reach_the_board(submissions):
    submissions.finish(admit(submissions, NOON, trial=True), score_text="0.9", now=NOON)
    submissions.fail(admit(submissions, NOON), error="boom", now=NOON)
    assert submissions.board("toy", ascending=False) == []
