"""Build a virtual environment with uv, or with pip where there is no uv; never silent for long."""

from __future__ import annotations

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from nsml_shim.errors import EnvironmentFailed
from nsml_shim.sessions.processes import kill_tree

QUIET = 4.0
"""Seconds without a word from the tool after which the waiting itself is reported."""
TAIL = 12
"""Lines of the tool's output that an error repeats."""

LISTING = "requirements.txt"
"""File inside the environment with everything it was asked to hold."""

Echo = Callable[[str], None]


def python_of(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / "bin" / "python"


def install(
    requirements: Sequence[str],
    *,
    options: Sequence[str] = (),
    folder: Path,
    echo: Echo,
    time_limit: float,
) -> None:
    """Install requirements into the virtual environment in `folder`, which is made if need be.

    Args:
        requirements: Requirements (PEP 508).
        options: Lines in the format of requirements.txt that say where to look.
        folder: The environment; what was in it stays, unless the requirements forbid it.
        echo: Receives what the tools say, line by line.
        time_limit: Seconds for everything together.

    Raises:
        EnvironmentFailed: If a requirement is malformed or cannot be installed.
    """
    check(requirements)
    end = time.monotonic() + time_limit
    uv = find_uv()
    steps: list[list[str]] = []
    if not folder.exists():
        folder.mkdir(parents=True)
        echo(f"Building an environment with {'uv' if uv else 'pip'}: {', '.join(requirements)}")
        steps.append(_venv_step(uv, folder))
    listing = folder / LISTING
    listing.write_text("\n".join((*options, *requirements, "")), encoding="utf-8")
    steps.append(_install_step(uv, folder))
    for step in steps:
        status, tail = _stream(step, tool_environment(os.environ, uv=bool(uv)), echo, end)
        if status:
            raise EnvironmentFailed(_explain(requirements, status, tail))


def _venv_step(uv: Sequence[str] | None, folder: Path) -> list[str]:
    if uv:
        return [*uv, "venv", "--allow-existing", "--python", sys.executable, str(folder)]
    without = ["--without-pip"] if _pip_version() >= (22, 3) else []
    return [sys.executable, "-m", "venv", *without, str(folder)]


def _install_step(uv: Sequence[str] | None, folder: Path) -> list[str]:
    """Our own pip fills the environment if it can (since 22.3), else one inside does.

    That saves installing pip first, which some distributions cannot even do.
    """
    python, listing = str(python_of(folder)), str(folder / LISTING)
    if uv:
        alone = no_index(tool_environment(os.environ, uv=True))
        return [*uv, "pip", "install", *alone, "--python", python, "-r", listing]
    words = ["install", "--progress-bar", "off", "-r", listing]
    if _pip_version() >= (22, 3):
        return [sys.executable, "-m", "pip", "--python", python, *words]
    return [python, "-m", "pip", *words]


def _pip_version() -> tuple[int, ...]:
    from importlib import metadata  # which most starts of a session do without

    try:
        version = metadata.version("pip")
    except metadata.PackageNotFoundError:
        return ()
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def find_uv() -> list[str] | None:
    """Command line of uv: on the PATH, beside this interpreter, or None."""
    found = shutil.which("uv") or shutil.which("uv", path=os.path.dirname(sys.executable))
    return [found] if found else None


def tool_environment(environ: Mapping[str, str], *, uv: bool) -> dict[str, str]:
    """Variables for the tool: where one of uv and pip is told where to look, the other is as well.

    pip separates several values by spaces, uv find-links by commas. What pip reads from its
    configuration files is passed to uv, too.
    """
    # A session's own search path must not leak into an environment that is to stand alone.
    tool = {name: value for name, value in environ.items() if name not in _LEAKING}
    tool["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    if not uv:
        pairs = [(ours, theirs, ",", " ") for theirs, ours in _SAME_MEANING.items()]
    else:
        tool = {**_pip_configuration(tool), **tool}
        # Guests wrote for pip, to which all indexes are alike; uv would stop at the first that
        # knows a name, and find no torch beside the index of PyTorch's CUDA builds, say.
        tool.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
        pairs = [
            (theirs, ours, " ", "," if "LINKS" in ours else " ")
            for theirs, ours in _SAME_MEANING.items()
        ]
    for source, target, split, join in pairs:
        if source in tool and target not in tool:
            values = [value for value in re.split(rf"[{split}\s]+", tool[source]) if value]
            tool[target] = join.join(values)
    return tool


def no_index(tool: Mapping[str, str]) -> list[str]:
    """Option for uv, which has no variable for it, where pip is told to ask no index."""
    said = tool.get(_NO_INDEX, "").lower()
    return ["--no-index"] if said in ("1", "true", "yes", "on") else []


_NO_INDEX = "PIP_NO_INDEX"
_LEAKING = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"}
_SAME_MEANING = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}


def _pip_configuration(environ: Mapping[str, str]) -> dict[str, str]:
    """What pip's configuration files say about where to look, as variables."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if run.returncode:
        return {}  # no pip here, so nobody configured it
    found: dict[str, str] = {}
    for option, text in re.findall(
        r"^(?:global|install)\.([\w-]+)='(.*)'$", run.stdout, re.MULTILINE
    ):
        variable = f"PIP_{option.upper().replace('-', '_')}"
        if variable in _SAME_MEANING or variable == _NO_INDEX:
            found[variable] = text.replace("\\n", " ").strip()
    return found


def check(requirements: Sequence[str]) -> None:
    """Refuse text that no tool would understand.

    Raises:
        EnvironmentFailed: Names the first such text.
    """
    from packaging.requirements import InvalidRequirement, Requirement

    for text in requirements:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            if re.match(r"(\w+\+)?\w+://", text):
                continue  # a bare address; the tools accept it
            reason = str(error).splitlines()[0]
            raise EnvironmentFailed(
                f"{text!r} in setup.py or requirements.txt is no requirement: {reason}. "
                "Write it like torch>=2.0 or pillow==10.4.0."
            ) from error


def _stream(
    command: Sequence[str], environ: Mapping[str, str], echo: Echo, end: float
) -> tuple[int, list[str]]:
    """Run a tool and pass on what it says; returns its status and its last lines."""
    tool = subprocess.Popen(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_pump, args=(tool, lines), daemon=True).start()
    tail: deque[str] = deque(maxlen=TAIL)
    began = time.monotonic()
    try:
        while (line := _next(lines, began, echo)) is not None:
            if line.strip():
                tail.append(line.rstrip())
                echo(line.rstrip())
            if time.monotonic() > end:
                tail.append("It took longer than it may and was stopped.")
                return 124, list(tail)
        return tool.wait(), list(tail)
    finally:
        if tool.poll() is None:
            kill_tree(tool.pid, grace=2.0)
            tool.wait()


def _pump(tool: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    assert tool.stdout is not None
    with tool.stdout as output:
        for line in output:
            lines.put(line)
    lines.put(None)


def _next(lines: queue.SimpleQueue[str | None], began: float, echo: Echo) -> str | None:
    """The next line, None at the end, or "" after a while in which only the waiting was told."""
    try:
        return lines.get(timeout=QUIET)
    except queue.Empty:
        echo(f"… still working ({time.monotonic() - began:.0f} s)")
        return ""


def _explain(requirements: Sequence[str], status: int, tail: Sequence[str]) -> str:
    said = "\n".join(tail)
    plain = re.sub(r"[-_.]+", "-", said).lower()
    names = {
        text: re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", text)[0]).lower() for text in requirements
    }
    guilty = [text for text, name in names.items() if re.search(rf"\b{re.escape(name)}\b", plain)]
    return (
        f"The session environment could not be built: {', '.join(guilty or requirements)} "
        f"cannot be installed (status {status}).\n{said}\n"
        "Correct setup.py or requirements.txt, or pass --no-build to use this interpreter as it is."
    )
