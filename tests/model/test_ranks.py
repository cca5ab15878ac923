import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("loopback")
PROGRAM = Path(__file__).with_name("rank_program.py")
PATIENCE = 30.0
"""Seconds after which a process that should have ended counts as an orphan."""


def start(size: int, what: str, folder: Path, root: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    command = [sys.executable, str(PROGRAM), str(size), what, str(folder)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, text=True, stdout=pipe, stderr=pipe)


def wait_for_pid(folder: Path, rank: int) -> int:
    path, end = folder / f"pid{rank}", time.monotonic() + PATIENCE
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"rank {rank} did not start"
        time.sleep(0.05)
    return int(path.read_text())


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    end = time.monotonic() + PATIENCE
    while alive(pid):
        assert time.monotonic() < end, f"process {pid} is an orphan"
        time.sleep(0.05)


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


def test_ranks_share_sums_decisions_statistics_and_the_number_of_threads(tmp_path, root):
    process = start(2, "sum", tmp_path, root)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, "done\n"), stderr
    assert {(tmp_path / f"out{rank}").read_text() for rank in (0, 1)} == {"3.0 True [0.5, 0.5] 3"}
    assert list((tmp_path / "tmp").iterdir()) == []


@needs_proc
def test_a_rank_that_raises_ends_the_run_with_its_traceback(tmp_path, root):
    process = start(3, "raise", tmp_path, root)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ZeroDivisionError: planted in rank 1" in stderr
    assert "Error: rank 1 ended with exit code 1" in stderr
    assert "rank 2 ended" not in stderr
    for rank in (1, 2):
        wait_until_gone(wait_for_pid(tmp_path, rank))


@needs_proc
def test_a_rank_killed_by_the_kernel_ends_the_run_and_is_named(tmp_path, root):
    process = start(2, "loop", tmp_path, root)
    child = wait_for_pid(tmp_path, 1)
    time.sleep(0.2)
    killed = time.monotonic()
    os.kill(child, signal.SIGKILL)
    _, stderr = process.communicate(timeout=60)
    assert time.monotonic() - killed < 5
    assert process.returncode == 1
    assert "Error: rank 1 was killed by signal 9 (SIGKILL)" in stderr


@needs_proc
def test_killing_rank_0_leaves_no_orphan(tmp_path, root):
    process = start(2, "apart", tmp_path, root)
    child = wait_for_pid(tmp_path, 1)
    process.kill()
    process.communicate(timeout=60)
    wait_until_gone(child)


def test_a_rank_that_dies_before_the_meeting_ends_the_run(tmp_path, root):
    process = start(2, "early", tmp_path, root)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Error: rank 1 ended with exit code 7" in stderr


def test_ranks_that_cannot_reach_each_other_are_refused_with_the_way_out(tmp_path, root):
    offline = ["unshare", "--user", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*offline, "true"]).returncode:
        pytest.skip("this machine lets nobody take the network away from a process")
    code = (
        "from pathlib import Path\nfrom model.ranks import Launch, lead\n"
        "with lead(Launch(2, ['false']), lambda folder: None, 'cpu'):\n    pass\n"
    )
    done = subprocess.run(
        [*offline, sys.executable, "-c", code], cwd=root, capture_output=True, text=True
    )
    assert "TrainingError: 2 ranks talk to each other through the loopback" in done.stderr
    assert "nsml run -g 1" in done.stderr
