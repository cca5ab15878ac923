"""The main walk with the real submission: generate, push, run, submit, board, fork."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nsml_shim.sessions.sandbox import why_unusable

ROOT = Path(__file__).resolve().parents[1]
QUICK = "--recipe smoke --seed 3 --set epochs=2 --set narrow_width=8 --set batch_size=16"

Nsml = Callable[..., str]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name trips careless quoting."""
    return tmp_path_factory.mktemp("main walk ü 한글")


@pytest.fixture(scope="module")
def nsml(place: Path) -> Iterator[Nsml]:
    """Type a command in the checkout; its standard output comes back."""

    def type_command(*words: str) -> str:
        env = {**os.environ, "NSML_HOME": str(place / "home"), "NSML_TEAM": "team"}
        done = subprocess.run(
            [sys.executable, "-m", "nsml_shim", *words],
            cwd=ROOT,
            env={key: value for key, value in env.items() if key != "OMP_NUM_THREADS"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"nsml {words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    yield type_command
    for row in json.loads(type_command("ps", "-j")):
        type_command("rm", "-f", row["name"])


@pytest.fixture(scope="module")
def session(nsml: Nsml, place: Path, request: pytest.FixtureRequest) -> str:
    """A session that trained on two ranks on a small generated dataset."""
    if why_unusable("bubblewrap"):  # which would give the session a loopback of its own
        request.getfixturevalue("loopback")
    data = place / "data"
    subprocess.run(
        [sys.executable, ROOT / "datasets/review_img/generate.py", data, "--images", "120"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    nsml("dataset", "push", "review_img", str(data))
    started = nsml("run", "-d", "review_img", "-g", "2", "-a", QUICK)
    name = started.split()[1]
    assert started.splitlines()[-1] == f"Session {name} is started"
    assert "epoch 2/2" in nsml("logs", "-f", name)
    return name


def scored(output: str) -> float:
    match = re.search(r"^Score: (\S+)\nDone$", output, re.MULTILINE)
    assert match, output
    return float(match[1])


def test_two_ranks_train_report_and_save(nsml: Nsml, session: str):
    (row,) = [row for row in json.loads(nsml("ps", "-a", "-j")) if row["name"] == session]
    assert row["cause"] == "finished"
    expected = {"train/loss", "valid/loss", "valid/gmean_f1", "lr", "images_per_second"}
    assert expected | {f"valid/f1_{k}" for k in range(5)} <= set(row["summary"])
    models = json.loads(nsml("model", "ls", "-j", session))
    assert {model["checkpoint"] for model in models} == {"best", "last"}


def test_the_best_checkpoint_is_scored_and_stands_on_the_board(nsml: Nsml, session: str):
    score = scored(nsml("submit", session, "best"))
    assert 0 <= score <= 1
    (row,) = json.loads(nsml("dataset", "board", "-j", "review_img"))
    assert (row["owner"], row["source"], row["score"]) == ("team", session, score)


def test_a_dry_run_scores_the_small_split(nsml: Nsml, session: str):
    assert "off the board" in nsml("submit", "-t", f"{session}/best")


def test_the_majority_class_alone_scores_zero(place: Path, session: str):
    labels = place / "data" / "test" / "test_label"
    with labels.open(encoding="utf-8") as file:
        names = [row["image_name"] for row in csv.DictReader(file)]
    prediction = place / "majority.csv"
    prediction.write_text("image_name,y_pred\n" + "".join(f"{name},4\n" for name in names))
    command = [sys.executable, ROOT / "datasets/review_img/evaluation.py"]
    command += ["--prediction", prediction, "--test_label_path", labels]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) == 0.0


def weights(place: Path, session: str, checkpoint: str) -> dict[str, bytes]:
    """Every tensor file of a checkpoint, byte by byte."""
    folder = place / "home" / "sessions" / session / "checkpoints"
    record = json.loads((folder / f"{checkpoint}.json").read_text())
    return {
        path.name: path.read_bytes()
        for path in (folder / record["folder"] / "model").iterdir()
        if path.suffix == ".safetensors"
    }


def kill_after_first_save(place: Path, nsml: Nsml, name: str) -> None:
    """kill -9 for the training processes as soon as the first epoch is saved."""
    folder = place / "home" / "sessions" / name
    deadline = time.monotonic() + 120
    while not (folder / "checkpoints" / "last.json").exists():
        assert time.monotonic() < deadline, nsml("logs", name)
        time.sleep(0.01)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes().split(b"\0")
            is_python = (process / "cmdline").read_bytes().startswith(os.fsencode(sys.executable))
        except OSError:
            continue
        supervisor = b"nsml_shim.commands.supervise" in (process / "cmdline").read_bytes()
        if f"NSML_SESSION_NAME={name}".encode() in variables and is_python and not supervisor:
            os.kill(int(process.name), signal.SIGKILL)


def test_a_fork_of_a_killed_session_ends_with_the_weights_of_one_that_was_not(
    nsml: Nsml, session: str, place: Path
):
    started = nsml("run", "-d", "review_img", "-g", "2", "-a", QUICK)
    killed = started.split()[1]
    kill_after_first_save(place, nsml, killed)
    nsml("logs", "-f", killed)
    (row,) = [row for row in json.loads(nsml("ps", "-a", "-j")) if row["name"] == killed]
    assert row["exit_code"] != 0
    fork = nsml("fork", "-c", "last", killed).split()[1]
    assert "Continuing smoke after epoch 1 of 2" in nsml("logs", "-f", fork)
    assert weights(place, fork, "last") == weights(place, session, "last")
