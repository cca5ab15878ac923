"""Submissions from the command to the board, in a real sandbox."""

import json
import re
from pathlib import Path

import pytest

from nsml_shim.errors import NoSandbox
from nsml_shim.sessions.sandbox import find_sandbox

BEFORE_PAUSED = "nsml.bind(save=save, load=load, infer=infer)\n"


def usable(name: str) -> bool:
    try:
        find_sandbox(name)
    except NoSandbox:
        return False
    return True


@pytest.fixture(params=["bubblewrap", "landlock"])
def sandbox(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to isolate a submission that works on this machine."""
    if not usable(request.param):
        pytest.skip(f"{request.param} does not work on this machine")
    monkeypatch.setenv("NSML_SANDBOX", request.param)
    return request.param


@pytest.fixture
def trained(nsml, toy):
    """A function that pushes the dataset, trains the guest and returns the session's name."""

    def train(*words: str) -> str:
        nsml("dataset", "push", "toy", str(toy))
        name = nsml("run", "-d", "toy", *words).stdout.split()[1]
        nsml("logs", "-f", name)
        return name

    return train


def change(guest: Path, old: str, new: str) -> None:
    code = (guest / "main.py").read_text()
    assert old in code
    (guest / "main.py").write_text(code.replace(old, new))


def test_a_submission_ends_in_a_score_and_a_row_on_the_board(nsml, trained, sandbox):
    done = nsml("submit", trained("-a", "--answer 1"), "best")
    assert done.stdout.splitlines()[-2:] == ["Score: 0.75", "Done"]
    assert "load nsml model takes" in done.stdout
    board = nsml("dataset", "board", "toy").stdout.splitlines()
    assert board[0].split() == ["Owner", "Score", "Submitted", "Session", "Model", "Args", "Count"]
    assert board[2].split()[:2] == ["team", "0.75"]


@pytest.mark.parametrize(
    "words",
    [["team/toy/1", "best"], ["team/toy/1/best"], ["--last"]],
    ids=["two words", "one word", "last"],
)
def test_the_checkpoint_can_be_named_in_three_ways(nsml, trained, words: list[str]):
    trained()
    assert "Score: 0.75" in nsml("submit", *words).stdout


def test_the_board_keeps_the_best_of_each_team_and_counts(nsml, trained):
    good, bad = trained("-a", "--answer 1"), trained("-a", "--answer 0")
    for session in (bad, good, bad):
        nsml("submit", session, "best")
    (row,) = json.loads(nsml("dataset", "board", "toy", "-j").stdout)
    assert (row["score"], row["source"], row["count"]) == (0.75, good, 3)


def test_a_dry_run_scores_the_small_split_off_the_board_with_a_readable_log(nsml, trained):
    session = trained()
    done = nsml("submit", "-t", session, "best")
    assert "Score on the dry run's small split, off the board: 0.5" in done.stdout
    assert json.loads(nsml("dataset", "board", "toy", "-j").stdout) == []
    assert "Infer test set" in nsml("logs", "team/toy/2").stdout


def test_what_a_submission_wrote_is_shown_to_nobody(nsml, trained):
    nsml("submit", trained(), "best")
    for words in (["logs", "team/toy/2"], ["model", "ls", "team/toy/2"], ["fork", "team/toy/2"]):
        assert "Only nsml rm is valid for submit sessions" in nsml(*words, code=1).stderr
    nsml("rm", "team/toy/2")


def test_the_second_submission_within_the_interval_is_refused(nsml, toy, trained):
    settings = toy / "dataset.toml"
    settings.write_text(settings.read_text().replace("interval = 0", "interval = 3600"))
    session = trained()
    nsml("submit", session, "best")
    refused = nsml("submit", session, "best", code=1).stderr
    assert re.search(r"Rate limit exceeded: remained time: (60m00s|59m\d\ds)", refused)
    nsml("submit", "-t", session, "best")  # dry runs are free


def test_wait_queues_a_submission_until_it_is_allowed(nsml, toy, trained):
    settings = toy / "dataset.toml"
    settings.write_text(settings.read_text().replace("interval = 0", "interval = 4"))
    session = trained()
    nsml("submit", session, "best")
    done = nsml("submit", "--wait", session, "best")
    assert "Score: 0.75" in done.stdout


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('model["answer"], epochs = open', "1 / 0; open", "Error occurred while loading model"),
        ("return [model", "1 / 0; return [model", "Fail to get prediction result: team/toy/1/best"),
        ("return [model[\"answer\"] for", "return [\"\" for", "evaluation.py refused"),
        ("if args.pause:", "if args.mode == 'test': raise SystemExit(4)\nif args.pause:", "stopped right after running"),
    ],
)  # fmt: skip
def test_a_broken_submission_is_told_at_which_step(nsml, trained, guest, old, new, told):
    change(guest, old, new)
    session = trained()
    done = nsml("submit", session, "best", code=1)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    trial = nsml("submit", "-t", session, "best", code=1)
    assert (
        "ZeroDivisionError" in trial.stderr or "evaluation.py" in told or "exited" in trial.stderr
    )
    assert nsml("dataset", "board", "toy").stdout.count("\n") == 2


def test_training_data_labels_and_store_are_out_of_sight(nsml, trained, guest, home, toy, sandbox):
    """The guest looks everywhere for a label, and tells what it found in its predictions."""
    spy = (
        "def infer(root, **kwargs):\n"
        "    import os, socket\n"
        "    found = []\n"
        f"    for top in ({str(home)!r}, {str(toy)!r}, '/data', os.path.dirname(root), '/app'):\n"
        "        for folder, _, names in os.walk(top):\n"
        "            found += [n for n in names if n in ('test_label', 'platform.db', 'train_label')]\n"
        f"    for path in ({str(home / 'platform.db')!r}, {str(home)!r} + '/datasets/toy/v1/hidden/test/test_label', {str(toy / 'test' / 'test_label')!r}):\n"
        "        try:\n"
        "            found.append(open(path, 'rb').read()[:4])\n"
        "        except OSError:\n"
        "            pass\n"
        "    try:\n"
        "        open(os.path.join(root, 'mark'), 'w')\n"
        "        found.append('wrote into the data')\n"
        "    except OSError:\n"
        "        pass\n"
        "    raise RuntimeError(f'found {found}')\n"
    )
    change(guest, BEFORE_PAUSED, spy + BEFORE_PAUSED)
    told = nsml("submit", "-t", trained(), "best", code=1).stderr
    assert "RuntimeError: found []" in told


def test_an_old_evaluator_finds_the_labels_at_its_hard_coded_path(nsml, toy, trained, guest):
    if not usable("bubblewrap"):
        pytest.skip("only bubblewrap can show a path that does not exist")
    (toy / "evaluation.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--prediction')\n"
        "guess = open(p.parse_args().prediction).read().split()\n"
        "truth = open('/data/toy/test/test_label').read().split()\n"
        "assert truth == open('data/toy/test/test_label').read().split()\n"
        "print(len(guess) == len(truth))\nprint(sum(a == b for a, b in zip(guess, truth)))\n"
    )
    assert "Score: 3" in nsml("submit", trained(), "best").stdout


def test_a_built_in_metric_needs_no_evaluator(nsml, toy, trained):
    (toy / "evaluation.py").unlink()
    (toy / "dataset.toml").write_text('metric = "accuracy"\nsubmit_interval = 0\n')
    assert "Score: 0.75" in nsml("submit", trained(), "best").stdout


def test_an_ascending_board_puts_the_lowest_first(nsml, toy, trained):
    settings = toy / "dataset.toml"
    settings.write_text(settings.read_text() + 'order = "ascending"\n')
    for answer in "10":
        nsml("submit", trained("-a", f"--answer {answer}"), "best")
    (row,) = json.loads(nsml("dataset", "board", "toy", "-j").stdout)
    assert row["score"] == 0.25


def test_a_submission_may_load_checkpoints_of_other_sessions(nsml, trained, guest):
    """Ensembles do: they load their members before paused, also in the submission."""
    trained("-a", "--answer 0")
    change(guest, BEFORE_PAUSED, BEFORE_PAUSED + "nsml.load('best', session='team/toy/1')\n")
    change(guest, "def infer(root, **kwargs):\n", "first = {}\ndef infer(root, **kwargs):\n    model['answer'] = first['answer']\n")  # fmt: skip
    change(guest, "if args.pause:", "first.update(model)\nif args.pause:")
    assert "Score: 0.25" in nsml("submit", trained("-a", "--answer 1"), "best").stdout


def test_inference_beyond_the_time_limit_is_ended(nsml, toy, trained, guest, monkeypatch):
    settings = toy / "dataset.toml"
    settings.write_text(settings.read_text() + "time_limit = 1\n")
    change(guest, "return [model", "import time; time.sleep(60); return [model")
    done = nsml("submit", trained(), "best", code=1)
    assert "Session does not respond" in done.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["team/toy/1", "bset"], "Did you mean 'best'?"),
        (["team/toy/9", "best"], "Did you mean team/toy/1?"),
        (["team/toy/1"], "`nsml model ls team/toy/1` lists them"),
        ([], "either a session and a checkpoint, or --last"),
        (["team/toy", "best"], "OWNER/DATASET/NUMBER"),
    ],
)
def test_a_mistake_is_told_in_words(nsml, trained, words: list[str], told: str):
    trained()
    done = nsml("submit", *words, code=1)
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_without_a_sandbox_a_submission_is_refused_unless_the_owner_allows_it(
    nsml, toy, trained, tmp_path
):
    session = trained()
    refused = nsml("submit", session, "best", code=1, NSML_SANDBOX="chroot").stderr
    assert "There is no sandbox 'chroot'" in refused
    assert nsml("ps", "-a").stdout.count("submit of") == 0


@pytest.mark.parametrize("kind", ["symbolic link to the labels", "pipe", "folder"])
def test_a_prediction_that_is_no_plain_file_is_refused(nsml, trained, guest, home, sandbox, kind):
    """A guest could know where the labels lie, and leave the platform a link to them."""
    labels = home / "datasets" / "toy" / "v1" / "hidden" / "test" / "test_label"
    code = {
        "symbolic link to the labels": f"os.symlink({str(labels)!r}, path)",
        "pipe": "os.mkfifo(path)",
        "folder": "os.mkdir(path); open(path + '/x', 'w').write('1')",
    }[kind]
    trick = (
        "def infer(root, **kwargs):\n"
        "    import json\n"
        "    path = json.loads(os.environ['NSML_INSTRUCTION'])['prediction']\n"
        f"    {code}\n"
        "    os._exit(0)\n"
    )
    change(guest, BEFORE_PAUSED, trick + BEFORE_PAUSED)
    done = nsml("submit", trained(), "best", code=1)
    assert "The session left no prediction file" in done.stderr
    assert json.loads(nsml("dataset", "board", "toy", "-j").stdout) == []


def test_a_submission_cannot_touch_the_rest_of_its_session_folder(nsml, trained, guest, sandbox):
    trick = (
        "def infer(root, **kwargs):\n"
        "    folder = os.path.dirname(os.environ['NSML_SESSION_FOLDER'])\n"
        "    done = []\n"
        "    for name in ('log', 'exit', 'stop', 'supervisor.lock', 'code/main.py'):\n"
        "        try:\n"
        "            open(os.path.join(folder, name), 'a').write('x')\n"
        "            done.append(name)\n"
        "        except OSError:\n"
        "            pass\n"
        "    raise RuntimeError(f'wrote {done}')\n"
    )
    change(guest, BEFORE_PAUSED, trick + BEFORE_PAUSED)
    assert "RuntimeError: wrote []" in nsml("submit", "-t", trained(), "best", code=1).stderr
