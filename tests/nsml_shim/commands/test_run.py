"""A session from `nsml run` to its last row, typed as a user types."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nsml_shim import protocol
from nsml_shim.sessions.sandbox import why_unusable


def rows(nsml) -> dict[str, dict]:
    """What `nsml ps -a -j` says, by session name."""
    return {row["name"]: row for row in json.loads(nsml("ps", "-a", "-j").stdout)}


def wait_until(true, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def write(guest: Path, code: str) -> None:
    (guest / "main.py").write_text(code, encoding="utf-8")


def run_to_end(nsml, *words: str) -> tuple[str, dict]:
    """Run without a dataset; returns the log and the row."""
    name = nsml("run", *words).stdout.split()[-3]
    log = nsml("logs", "-f", name).stdout
    return log, rows(nsml)[name]


def test_a_run_trains_reports_and_saves(nsml, toy):
    nsml("dataset", "push", "toy", str(toy))
    assert nsml("run", "-d", "toy").stdout == "Session team/toy/1 is started\n"
    log = nsml("logs", "-f", "team/toy/1").stdout
    assert log.splitlines()[-2:] == ["epochs so far: 2", "User session exited"]
    row = rows(nsml)["team/toy/1"]
    assert (row["status"], row["cause"], row["exit_code"]) == ("Exited", "finished", 0)
    assert row["summary"] == {"train/loss": 0.5, "step": 2}
    listed = nsml("model", "ls", "team/toy/1").stdout.splitlines()
    assert listed[0].split() == ["Checkpoint", "Last", "Modified", "Elapsed", "Summary", "Size"]
    assert listed[2].startswith("best")
    assert "train/loss=0.5, step=2" in listed[2]


def test_the_session_sees_training_data_but_no_test_data(nsml, toy, guest):
    nsml("dataset", "push", "toy", str(toy))
    write(guest, "import nsml, os; print(sorted(os.listdir(nsml.DATASET_PATH)))")
    nsml("run", "-d", "toy")
    assert "['data_loader.py', 'train']" in nsml("logs", "-f", "team/toy/1").stdout


def test_arguments_reach_the_script_unchanged(nsml, guest):
    write(guest, "import sys; print(sys.argv[1:])")
    log, row = run_to_end(nsml, "-a--lr=0.02 --conf '--opt x.json --dist True' --t '[(5, 5)]'")
    expected = ["--lr=0.02", "--conf", "--opt x.json --dist True", "--t", "[(5, 5)]"]
    assert str(expected) in log
    assert row["args"] == expected


def test_the_code_is_frozen_when_the_session_starts(nsml, guest, home):
    write(guest, "import os, time\nwhile not os.path.exists('go'): time.sleep(0.05)\nimport side")
    (guest / "side.py").write_text("print('old')")
    nsml("run")
    (guest / "side.py").write_text("print('new')")
    folder = protocol.session_folder(home / "sessions", "team/None/1")
    wait_until(folder.work.is_dir)
    (folder.work / "go").touch()
    assert "old" in nsml("logs", "-f", "team/None/1").stdout


def test_what_the_session_writes_changes_neither_the_upload_nor_the_users_folder(nsml, guest, home):
    (guest / "notes.txt").write_text("mine")
    write(guest, "open('notes.txt', 'w').write('changed'); open('made', 'w').write('new')")
    run_to_end(nsml)
    folder = protocol.session_folder(home / "sessions", "team/None/1")
    texts = [(place / "notes.txt").read_text() for place in (guest, folder.code, folder.work)]
    assert texts == ["mine", "mine", "changed"]
    assert (folder.work / "made").read_text() == "new"
    assert not (guest / "made").exists()


def test_an_entry_in_a_sub_folder_makes_that_folder_the_root(nsml, guest):
    (guest / "examples").mkdir()
    (guest / "examples" / "train.py").write_text("import os; print(sorted(os.listdir()))")
    log, _ = run_to_end(nsml, "-e=examples/train.py")
    assert "['train.py']" in log


@pytest.mark.parametrize(
    ("code", "cause", "exit_code"),
    [
        ("raise SystemExit(3)", "exited with code 3", 3),
        ("1 / 0", "exited with code 1", 1),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL", -9),
    ],
)
def test_every_end_has_a_cause(nsml, guest, code: str, cause: str, exit_code: int):
    write(guest, code)
    log, row = run_to_end(nsml)
    assert (row["cause"], row["exit_code"]) == (cause, exit_code)
    assert ("ZeroDivisionError" in log) == ("1 / 0" in code)


def test_a_session_that_takes_too_much_memory_is_ended_with_both_figures(nsml, guest):
    write(guest, "import time; x = bytearray(300 * 2**20); time.sleep(60)")
    _, row = run_to_end(nsml, "--memory", "100M")
    told = re.match(r"out of memory: it used (\S+) GiB, its limit is (\S+) GiB", row["cause"])
    assert told, row["cause"]
    assert 0.1 < float(told[1]) < 0.4
    assert told[2] == "0.10"


def test_stop_ends_the_session_and_all_it_started(nsml, guest, tmp_path):
    pid_file = tmp_path / "pids"
    write(
        guest,
        "import os, subprocess, time\n"
        # setsid: a process that leaves its group is found all the same
        "child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        f"open({str(pid_file)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(300)\n",
    )
    nsml("run")
    wait_until(lambda: pid_file.exists() and len(pid_file.read_text().split()) == 2)
    assert nsml("stop", "team/None/1").stdout == "Session team/None/1 is stopped\n"
    assert rows(nsml)["team/None/1"]["cause"] == "stopped by team"
    for pid in pid_file.read_text().split():
        assert not Path("/proc", pid).exists()
    assert "it has ended: stopped by team" in nsml("stop", "team/None/1", code=1).stderr


def supervisor_of(folder: protocol.SessionFolder) -> int:
    """Process id of a session's supervisor."""
    for process in Path("/proc").glob("[0-9]*"):
        words = (process / "cmdline").read_bytes().split(b"\0")
        if b"nsml_shim.commands.supervise" in words and (
            os.readlink(process / "cwd") == str(folder.root)
        ):
            return int(process.name)
    raise AssertionError("no supervisor")


@pytest.mark.parametrize("sandbox", ["bubblewrap", "landlock"])
def test_a_killed_supervisor_takes_its_session_along_and_the_session_counts_as_lost(
    nsml, guest, home, tmp_path, sandbox
):
    if why_unusable(sandbox):
        pytest.skip(f"{sandbox} does not work on this machine")
    pid_file = tmp_path / "pid"
    write(
        guest,
        f"import os, time; open({str(pid_file)!r}, 'w').write(str(os.getpid())); time.sleep(300)",
    )
    nsml("run", NSML_SANDBOX=sandbox)
    wait_until(lambda: pid_file.exists() and pid_file.read_text() != "")
    os.kill(
        supervisor_of(protocol.session_folder(home / "sessions", "team/None/1")), signal.SIGKILL
    )
    wait_until(lambda: not Path("/proc", pid_file.read_text()).exists())
    row = rows(nsml)["team/None/1"]
    assert row["status"] == "Exited"
    assert row["cause"].startswith("lost")
    nsml("logs", "-f", "team/None/1")  # ends instead of waiting forever
    assert nsml("ps").stdout.count("\n") == 2


def test_sessions_wait_for_their_workers_in_the_order_of_submission(nsml, guest, tmp_path):
    order, go = tmp_path / "order", tmp_path / "go"
    write(
        guest,
        "import os, sys, time\n"
        f"open({str(order)!r}, 'a').write(sys.argv[1] + ' ')\n"
        f"while not os.path.exists({str(go)!r}): time.sleep(0.05)\n",
    )
    everything = str(max(2, os.cpu_count() or 1))
    nsml("run", "-g", "1", "-a", "first")
    wait_until(order.exists)
    nsml("run", "-g", everything, "-a", "second")
    nsml("run", "-g", "1", "-a", "third")  # a worker is free for it, but it came later
    time.sleep(1)
    waiting = {name: row["status"] for name, row in rows(nsml).items()}
    assert waiting == {
        "team/None/1": "Running",
        "team/None/2": "Allocated",
        "team/None/3": "Allocated",
    }
    assert "Not created yet" in nsml("ps").stdout
    go.touch()
    nsml("logs", "-f", "team/None/3")
    assert order.read_text().split() == ["first", "second", "third"]


def test_a_waiting_session_can_be_stopped(nsml, guest):
    write(guest, "import time; time.sleep(300)")
    everything = str(max(2, os.cpu_count() or 1))
    nsml("run", "-g", everything)
    wait_until(lambda: rows(nsml)["team/None/1"]["status"] == "Running")
    nsml("run", "-g", everything)
    nsml("stop", "team/None/2")
    assert rows(nsml)["team/None/2"]["cause"] == "stopped by team"
    nsml("stop", "team/None/1")


def test_an_interactive_session_streams_its_log_and_is_gone_afterwards(nsml, guest):
    write(guest, "print('hello')")
    assert "hello\nUser session exited\n" in nsml("run", "-i").stdout
    assert rows(nsml) == {}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-e", "train.py"], "has no entry script 'train.py'"),
        (["-d", "tyo"], "Did you mean 'toy'?"),
        (["-g", "999"], "No machine available that meets ALL your request"),
        (["-a", "--name 'half"], "words in matching quotes"),
        (["--memory", "much"], "a size such as 24G"),
    ],
)
def test_a_mistake_is_told_in_words_and_starts_nothing(nsml, toy, words: list[str], told: str):
    nsml("dataset", "push", "toy", str(toy))
    done = nsml("run", *words, code=1)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert rows(nsml) == {}


def test_without_a_gpu_scripts_hear_that_there_is_none_and_ours_how_many_workers(nsml, guest):
    write(guest, "import nsml, os; print(nsml.GPU_NUM, os.environ['NSML_WORKERS'])")
    done = nsml("run", "-g", "2", CUDA_VISIBLE_DEVICES="")
    assert "No GPU on this machine: -g 2 gives the session 2 CPU workers." in done.stderr
    assert "0 2" in nsml("logs", "-f", "team/None/1").stdout


def test_remove_frees_what_no_other_session_shares(nsml, guest):
    (guest / "big.bin").write_bytes(os.urandom(100_000))
    write(guest, "print('hi')")
    for number in (1, 2):
        nsml("run")
        nsml("logs", "-f", f"team/None/{number}")
    first = nsml("rm", "team/None/1").stdout
    second = nsml("rm", "team/None/*").stdout
    assert "Session team/None/1 is removed" in first
    # The working copy goes with its own session, the shared upload only with the last one.
    freed = [float(text.splitlines()[-1].split()[0]) for text in (first, second)]
    assert 100 < freed[0] < 150
    assert 200 < freed[1] < 250
    assert rows(nsml) == {}


def test_remove_refuses_a_running_session_unless_forced(nsml, guest):
    write(guest, "import time; time.sleep(300)")
    nsml("run")
    assert "Please stop the session first" in nsml("rm", "team/None/1", code=1).stderr
    nsml("rm", "-f", "team/None/1")
    assert rows(nsml) == {}


def test_another_owners_session_is_out_of_reach(nsml, guest):
    write(guest, "print('hi')")
    nsml("run")
    done = nsml("rm", "-f", "team/None/1", code=1, NSML_TEAM="rivals")
    assert "You cannot use this command for the other's session" in done.stderr


def test_a_wrong_session_name_gets_a_suggestion(nsml, guest):
    write(guest, "print('hi')")
    nsml("run")
    assert "Did you mean team/None/1?" in nsml("logs", "team/Noone/1", code=1).stderr


def test_code_and_data_lie_where_nsml_had_them(nsml, toy, guest):
    if why_unusable("bubblewrap"):
        pytest.skip("only bubblewrap can show paths that do not exist")
    nsml("dataset", "push", "toy", str(toy))
    write(
        guest,
        "import nsml, os\n"
        "print(os.getcwd(), os.path.abspath(__file__), nsml.DATASET_PATH)\n"
        "print(open('/data/toy/train/train_data').read().split())\n"
        "try:\n    open('/data/toy/new', 'w')\nexcept OSError as error:\n    print(error.strerror)\n",
    )
    nsml("run", "-d", "toy")
    log = nsml("logs", "-f", "team/toy/1").stdout
    assert "/app /app/main.py /data/toy\n['a', 'b']\nRead-only file system\n" in log


def test_labels_and_store_are_out_of_a_training_sessions_sight(nsml, toy, guest, home):
    if why_unusable("bubblewrap"):
        pytest.skip("only bubblewrap can hide a folder from a session with the user's own rights")
    nsml("dataset", "push", "toy", str(toy))
    write(
        guest,
        "import os\n"
        f"found = [n for _, _, names in os.walk({str(home)!r}) for n in names]\n"
        "print({'test_label', 'platform.db'} & set(found))\n",
    )
    nsml("run", "-d", "toy")
    assert "set()" in nsml("logs", "-f", "team/toy/1").stdout


def test_without_bubblewrap_the_paths_come_from_variables_with_one_warning(nsml, toy):
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy", NSML_SANDBOX="landlock")
    log = nsml("logs", "-f", "team/toy/1").stdout
    assert log.count("NSML Warning) bubblewrap does not work here") == 1
    assert "epochs so far: 2" in log


def test_a_session_has_a_loopback_even_where_the_machine_has_none(nsml, guest, home):
    """Two ranks of a training talk through it, also offline."""
    if why_unusable("bubblewrap") or os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("taking the network away needs root, unshare and bubblewrap")
    write(
        guest,
        "import socket\n"
        "server = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(server.getsockname(), timeout=5)\nprint('connected')\n",
    )
    offline = ["unshare", "-n", sys.executable, "-m", "nsml_shim", "run"]
    env = {**os.environ, "NSML_HOME": str(home), "NSML_TEAM": "team"}
    subprocess.run(offline, cwd=guest, env=env, check=True, capture_output=True, timeout=60)
    assert "connected" in nsml("logs", "-f", "team/None/1").stdout


def test_what_one_session_caches_the_next_one_finds(nsml, toy, guest):
    nsml("dataset", "push", "toy", str(toy))
    write(
        guest,
        "import nsml\n"
        "def preprocess(output_path, **kwargs):\n"
        "    print('computed')\n"
        "    open(output_path[0], 'w').write('result')\n"
        "nsml.cache(preprocess, output_path=['./processed'])\n"
        "print(open('processed').read())\n",
    )
    logs: list[str] = []
    for number in (1, 2):
        nsml("run", "-d", "toy")
        logs.append(nsml("logs", "-f", f"team/toy/{number}").stdout)
    assert ["computed" in log for log in logs] == [True, False]
    assert all("result" in log for log in logs)


def test_the_user_can_switch_the_old_names_off(nsml, guest):
    write(guest, "import collections; print('back:', hasattr(collections, 'Mapping'))")
    for number, variables in enumerate(({}, {"NSML_COMPAT": "0"}), start=1):
        nsml("run", **variables)
        shown = "back: True" if not variables else "back: False"
        assert shown in nsml("logs", "-f", f"team/None/{number}").stdout


@pytest.mark.skipif(
    not __file__.isascii() and sys.version_info < (3, 13),
    reason="in the C locale this Python reads no .pth file that names a folder such as this one",
)
def test_files_opened_without_an_encoding_are_utf_8_whatever_the_users_locale(nsml, guest):
    write(guest, "open('x', 'w').write('한글'); print(open('x', 'rb').read() == '한글'.encode())")
    nsml("run", LC_ALL="C", LANG="C", PYTHONUTF8="0")
    assert "True" in nsml("logs", "-f", "team/None/1").stdout
