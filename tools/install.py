"""Set up `.venv`: interpreter, locked versions, the platform. `make setup` calls it.

Standard library only, and readable by older Pythons far enough to say which one is needed. A second
call compares one fingerprint and returns at once, without a network; an interrupted one goes on.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

OLDEST, NEWEST_SOUGHT = 10, 20
"""Minor versions of Python 3: the oldest that works, and where the search on PATH begins."""
HEARTBEAT = 4.0
"""Seconds between two signs of life where the output is no terminal."""
LAST_LINES = 25
"""Lines of a failed tool's output that are shown."""
FIRST_START = "import pandas, PIL, safetensors, sklearn, timm, torch, torchvision"
"""Imported once: proves that the installation works, and spares the first run the compiling."""


class SetupFailed(Exception):
    """The message says what happened and what to do next."""


def main() -> int:
    """Bring `.venv` to the state that the checkout asks for.

    Returns:
        0, or 1 after a message on standard error.
    """
    root = Path(__file__).resolve().parents[1]
    try:
        require_python()
        with one_at_a_time(root):
            set_up(root, root / ".venv")
    except SetupFailed as failure:
        print(f"\nSetup stopped: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. `make setup` goes on where this stopped.", file=sys.stderr)
        return 130
    return 0


def require_python() -> None:
    """Go on with a newer Python from PATH where this one is too old.

    Raises:
        SetupFailed: If there is none, or it lacks `ensurepip`.
    """
    if sys.version_info < (3, OLDEST):
        for minor in range(NEWEST_SOUGHT, OLDEST - 1, -1):
            newer = shutil.which(f"python3.{minor}")
            if newer:
                os.execv(newer, [newer, *sys.argv])
        raise SetupFailed(
            f"this is Python {sys.version.split()[0]}, the project needs 3.{OLDEST} or newer. "
            f"Install one, or name it: make setup PYTHON=/path/to/python3.{OLDEST}"
        )
    if importlib.util.find_spec("ensurepip") is None:
        raise SetupFailed(
            f"{sys.executable} cannot make virtual environments, its module ensurepip is missing. "
            "On Debian and Ubuntu: apt-get install python3-venv"
        )


@contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Hold the checkout's setup lock; the kernel releases it whatever ends this process.

    The tools inherit it, so that one which outlives a killed setup is waited for.
    """
    with (root / "requirements.lock").open("rb") as lock:
        os.set_inheritable(lock.fileno(), True)
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                print("Another setup of this checkout is running; waiting for it.", flush=True)
                time.sleep(HEARTBEAT)
        yield


def set_up(root: Path, env: Path) -> None:
    """Do whatever is missing, and leave the fingerprint last.

    Raises:
        SetupFailed: If a step fails.
    """
    wanted, stamp = fingerprint(root), env / "installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    started = time.monotonic()
    print(f"Setting up {env} (once; about 7 GB, most of it PyTorch)", flush=True)
    python = ready_interpreter(env)
    uv = [str(python), "-m", "uv", "pip", "install", "--python", str(python)]
    surroundings = installer_environment(python)
    version = locked_version(root, "uv")
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", f"uv=={version}"]
    step(f"uv {version}", pip, surroundings)
    step("locked versions", [*uv, "-r", str(root / "requirements.lock")], surroundings)
    # setuptools is locked too: without isolation nothing is fetched, so this also works offline.
    platform = ["--no-deps", "--no-build-isolation", "-e", str(root / "nsml_shim")]
    step("nsml", [*uv, *platform], surroundings)
    step("first start", [str(python), "-c", FIRST_START], surroundings)
    stamp.write_text(wanted)
    print(f"Ready after {time.monotonic() - started:.0f} s.", flush=True)


def fingerprint(root: Path) -> str:
    """Digest of all that decides what lies in `.venv`, its own place included."""
    inputs = ("requirements.lock", "nsml_shim/pyproject.toml", "tools/install.py")
    contents = [(root / name).read_bytes() for name in inputs]
    return hashlib.sha256(b"\0".join([os.fsencode(root), *contents])).hexdigest()


def ready_interpreter(env: Path) -> Path:
    """Interpreter of `env`, which is made anew if it is missing, was moved or stopped half-way.

    Raises:
        SetupFailed: If it cannot be made.
    """
    python, place = env / "bin" / "python", env / "place"
    moved = place.is_file() and place.read_bytes() != os.fsencode(env)
    if moved or not answers([str(python), "-c", "import pip"]):
        step("virtual environment", [sys.executable, "-m", "venv", "--clear", str(env)], os.environ)
    place.write_bytes(os.fsencode(env))
    return python


def answers(command: Sequence[str]) -> bool:
    """Whether a command can be run and succeeds."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def locked_version(root: Path, package: str) -> str:
    """Version that requirements.lock names for `package`."""
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}==(\S+)", lock, re.MULTILINE)
    if not found:
        raise SetupFailed(f"requirements.lock names no version of {package}. Run `make lock`.")
    return found.group(1)


def installer_environment(python: Path) -> dict[str, str]:
    """Variables for uv: it does not read pip's settings, so the user's registry is handed on."""
    told = {"UV_HTTP_TIMEOUT": "300"}
    if any(name.startswith("UV_") and "INDEX" in name for name in os.environ):
        return {**told, **os.environ}
    asked = [str(python), "-m", "pip", "config", "list"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    for key, value in re.findall(r"^\S+\.(index-url|cert)='(.*)'$", listed, re.MULTILINE):
        told["UV_DEFAULT_INDEX" if key == "index-url" else "SSL_CERT_FILE"] = value
    return {**told, **os.environ}


def step(title: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run one tool, showing that it lives.

    Raises:
        SetupFailed: If it fails; the message holds its last lines.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            close_fds=False,
        )
        try:
            watch(title, process, output, started)
        finally:
            process.kill()
            process.wait()
        lines = written_lines(output)
    if process.returncode:
        tail = "\n".join(f"    {line}" for line in lines[-LAST_LINES:])
        raise SetupFailed(
            f"the step {title!r} failed with code {process.returncode}:\n{tail}\n"
            "When the cause is gone (no registry in reach? no space left?), run the same command "
            "again: it goes on from here."
        )
    show(f"  {title}: done, {time.monotonic() - started:.1f} s", end="\n")


def watch(title: str, process: subprocess.Popen[bytes], output: IO[str], started: float) -> None:
    """Until `process` ends, tell how long it has run, what it wrote and what it said last."""
    pause = 0.5 if sys.stdout.isatty() else HEARTBEAT
    end = "" if sys.stdout.isatty() else "\n"
    while True:
        try:
            process.wait(pause)
            return
        except subprocess.TimeoutExpired:
            said = (written_lines(output) or [""])[-1].strip()
            parts = [f"{time.monotonic() - started:.0f} s", bytes_written(process.pid), said]
            show(f"  {title}: " + ", ".join(filter(None, parts)), end=end)


def written_lines(output: IO[str]) -> list[str]:
    """Lines that the tool has written so far; `pread` leaves the tool's own position alone."""
    size = os.fstat(output.fileno()).st_size
    return os.pread(output.fileno(), size, 0).decode("utf-8", errors="replace").splitlines()


def bytes_written(pid: int) -> str:
    """What a process has written so far, for people; nothing where the system does not count it."""
    try:
        counted = Path(f"/proc/{pid}/io").read_text()
    except OSError:
        return ""
    found = re.search(r"^wchar: (\d+)", counted, re.MULTILINE)
    megabytes = int(found.group(1)) // 1_000_000 if found else 0
    return f"{megabytes} MB written" if megabytes else ""


def show(line: str, end: str) -> None:
    """Print a line of progress; on a terminal it takes the place of the one before."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        line = f"\r\033[K{line[:width]}"
    print(line, end=end, flush=True)


if __name__ == "__main__":
    sys.exit(main())
