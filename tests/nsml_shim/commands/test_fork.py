"""A session goes on from a checkpoint of another one."""

import json


def end(nsml, name: str) -> str:
    return nsml("logs", "-f", name).stdout


def test_a_fork_loads_the_checkpoint_and_goes_on(nsml, toy):
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy", "-a", "--answer 7")
    assert "epochs so far: 2" in end(nsml, "team/toy/1")
    assert nsml("fork", "-c", "best", "team/toy/1").stdout == "Session team/toy/2 is started\n"
    assert "epochs so far: 4" in end(nsml, "team/toy/2")
    (fork, _) = json.loads(nsml("ps", "-a", "-j").stdout)
    assert fork["type"] == "normal/fork"
    assert fork["args"] == ["--answer", "7"]
    assert fork["description"] == "fork of team/toy/1 from best"


def test_a_fork_without_a_checkpoint_takes_the_newest(nsml, toy, guest):
    code = (guest / "main.py").read_text()
    (guest / "main.py").write_text(code.replace('nsml.save("best")', "nsml.save(epoch)"))
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy")
    end(nsml, "team/toy/1")
    nsml("fork", "team/toy/1")
    assert "epochs so far: 4" in end(nsml, "team/toy/2")
    nsml("fork", "team/toy/1", "-c", "0")
    assert "epochs so far: 3" in end(nsml, "team/toy/3")


def test_a_fork_runs_the_code_of_its_source_whatever_the_folder_holds_now(nsml, toy, guest):
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy")
    end(nsml, "team/toy/1")
    (guest / "main.py").write_text("raise SystemExit('changed since')")
    nsml("fork", "team/toy/1")
    assert "epochs so far: 4" in end(nsml, "team/toy/2")


def test_a_fork_of_a_session_that_saved_nothing_is_refused(nsml, guest):
    (guest / "main.py").write_text("print('hi')")
    nsml("run")
    end(nsml, "team/None/1")
    assert "no checkpoint" in nsml("fork", "team/None/1", code=1).stderr
