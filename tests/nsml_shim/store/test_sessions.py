import multiprocessing
import sqlite3
from dataclasses import fields, replace
from pathlib import Path

import pytest

from nsml_shim.names import SessionName
from nsml_shim.store import database
from nsml_shim.store.sessions import NewSession, SessionRow, Sessions


def new(dataset: str = "toy") -> NewSession:
    return NewSession(
        owner="team", dataset=dataset, kind="normal", entry="main.py", args=["--lr", "0.1"],
        interpreter="python",
    )  # fmt: skip


def create_ten(path: Path) -> None:
    sessions = Sessions(database.connect(path))
    for _ in range(10):
        sessions.create(new(), now=0)


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(database.connect(tmp_path / "platform.db"))


def test_numbers_count_up_from_one_per_owner_and_dataset(sessions: Sessions):
    names = [str(sessions.create(new(d), now=0).name) for d in ("toy", "toy", "other")]
    assert names == ["team/toy/1", "team/toy/2", "team/other/1"]


def test_a_number_is_not_used_again_after_its_session_was_removed(sessions: Sessions):
    sessions.remove(sessions.create(new(), now=0))
    assert sessions.create(new(), now=0).number == 2


def test_several_processes_never_get_the_same_number(tmp_path: Path):
    path = tmp_path / "platform.db"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=create_ten, args=(path,)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    rows = Sessions(database.connect(path)).newest_first()
    assert sorted(row.number for row in rows) == list(range(1, 31))


def test_a_session_reads_back_as_it_was_stored(sessions: Sessions):
    row = sessions.create(new(), now=12.5)
    found = sessions.find(SessionName("team", "toy", 1))
    assert found is not None
    assert found == row
    assert (found.args, found.status, found.created_at) == (["--lr", "0.1"], "Allocated", 12.5)


def test_a_session_read_back_is_as_its_constructor_makes_it(sessions: Sessions):
    row = sessions.create(new(), now=12.5)
    sessions.set_process(row, pid=7, slots=["0", "1"])
    sessions.set_summary(row, {"loss": 0.5})
    (found,) = sessions.newest_first()
    assert vars(found).keys() == {field.name for field in fields(SessionRow)}
    assert found == replace(row, pid=7, slots=["0", "1"], summary={"loss": 0.5})
    assert found.interactive is False


def test_the_first_cause_of_an_end_stays(sessions: Sessions):
    row = sessions.create(new(), now=0)
    sessions.set_exited(row, cause="stopped by team", exit_code=-15, now=1)
    sessions.set_exited(row, cause="lost", exit_code=None, now=2)
    found = sessions.find(row.name)
    assert found is not None
    assert (found.status, found.cause, found.exit_code) == ("Exited", "stopped by team", -15)


def test_a_session_that_has_ended_never_runs_again(sessions: Sessions):
    row = sessions.create(new(), now=0)
    sessions.set_exited(row, cause="stopped by team", exit_code=None, now=1)
    sessions.set_running(row, now=2)
    found = sessions.find(row.name)
    assert found is not None
    assert found.has_ended


def test_only_earlier_sessions_that_still_wait_are_before_one_in_the_queue(sessions: Sessions):
    first, second, third = (sessions.create(new(), now=0) for _ in range(3))
    sessions.set_running(first, now=1)
    assert [row.number for row in sessions.waiting_before(third)] == [second.number]


def test_a_file_of_a_newer_platform_is_refused(tmp_path: Path):
    path = tmp_path / "platform.db"
    database.connect(path).execute("PRAGMA user_version = 99")
    with pytest.raises(RuntimeError, match="newer platform"):
        database.connect(path)


def test_a_store_of_the_first_version_is_migrated_with_its_rows(tmp_path: Path):
    """The columns of version 1, as they were released."""
    path = tmp_path / "platform.db"
    Sessions(database.connect(path)).create(new(), now=5)
    with sqlite3.connect(path) as db:
        for column in ("pid", "slots"):
            db.execute(f"ALTER TABLE sessions DROP COLUMN {column}")
        db.execute("PRAGMA user_version = 1")
    sessions = Sessions(database.connect(path))
    row = sessions.find(SessionName("team", "toy", 1))
    assert row is not None
    assert (row.pid, row.slots, row.created_at) == (None, [], 5)
    sessions.set_process(row, pid=7, slots=["0", "1"])
    row = sessions.find(row.name)
    assert row is not None
    assert (row.pid, row.slots) == (7, ["0", "1"])
    sessions.set_exited(row, cause="finished", exit_code=0, now=6)
    row = sessions.find(row.name)
    assert row is not None
    assert row.pid is None
