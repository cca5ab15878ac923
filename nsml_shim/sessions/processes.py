"""Processes of a session: find all of them, end all of them, weigh them.

A guest may start anything, also processes that leave its group and its session. With the supervisor
as *subreaper* those stay its descendants even when their own parent is gone, so none is ever lost.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from nsml_shim.errors import InvalidOption

PR_SET_CHILD_SUBREAPER = 36
POLL = 0.02
"""Seconds between two looks at processes that were told to end."""
KILL_PATIENCE = 5.0
"""Seconds that killed processes get to vanish; only one stuck in the kernel needs longer."""

_PROC = Path("/proc")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def become_subreaper() -> bool:
    """Adopt descendants whose parent dies; False where the system cannot do it (not Linux)."""
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def descendants(pid: int) -> list[int]:
    """Living children of `pid`, their children and so on; zombies do not count."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents().items():
        children.setdefault(parent, []).append(child)
    found, queue = list[int](), [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return [child for child in found if is_alive(child)]


def is_alive(pid: int) -> bool:
    """Whether `pid` runs; a zombie, which only waits to be collected, does not."""
    if _PROC.is_dir():
        fields = _stat(pid)
        return bool(fields) and fields[0] not in ("Z", "X")
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def kill_tree(pid: int, grace: float, *, orphans_of: int | None = None) -> list[int]:
    """End a process with everything it started: ask, wait, then force.

    The exit status of `pid` stays for its parent to collect.

    Args:
        pid: Root of the tree; it may have ended already.
        grace: Seconds between SIGTERM and SIGKILL.
        orphans_of: A subreaper whose other descendants belong to the tree as well; a supervisor
            that does nothing but watch one session passes its own id.

    Returns:
        Processes that are still there; only ones stuck inside the kernel can be.
    """
    asked: dict[int, str] = {}
    for member in _tree(pid, orphans_of):
        asked[member] = _started(member)
        _signal(member, signal.SIGTERM)
    end = time.monotonic() + grace
    while time.monotonic() < end and _remaining(pid, orphans_of, asked):
        time.sleep(POLL)
    end = time.monotonic() + KILL_PATIENCE
    while remaining := _remaining(pid, orphans_of, asked):
        if time.monotonic() >= end:
            return remaining
        for member in remaining:
            asked.setdefault(member, _started(member))
            _signal(member, signal.SIGKILL)
        time.sleep(POLL)
    return []


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory of some processes together, bytes; pages they share are counted once (PSS).

    Where the kernel does not tell PSS, pages that are shared count for each process.
    """
    return sum(_proportional(pid) or _resident(pid) for pid in pids)


def parse_memory(text: str, option: str = "--memory") -> int:
    """Bytes of `24G`, `512m`, `50GB`, `1.5GiB` or `24000000000`; units are powers of 1024.

    Raises:
        InvalidOption: If the text has another shape, or means nothing at all.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:I?B)?", text.strip().upper())
    size = int(float(match[1]) * _UNITS[match[2]]) if match else 0
    if size <= 0:
        raise InvalidOption(option, text, "a size such as 24G, 512M or a number of bytes")
    return size


def _tree(pid: int, orphans_of: int | None) -> list[int]:
    """Members of the tree, without this process; the root first."""
    members = [pid, *_group(pid), *descendants(pid)]
    if orphans_of is not None:
        members += descendants(orphans_of)
    return [
        member for member in dict.fromkeys(members) if member != os.getpid() and is_alive(member)
    ]


def _group(pid: int) -> list[int]:
    """Members of the process group that `pid` leads: also those it started and outlived."""
    if pid == os.getpgrp():
        return []
    if not _PROC.is_dir():
        return []
    return [member for member in _parents() if (_stat(member) or ("", "", ""))[2] == str(pid)]


def _remaining(pid: int, orphans_of: int | None, asked: dict[int, str]) -> list[int]:
    # A process asked before may have lost its parent since, so it is looked up by its own identity.
    known = [member for member, start in asked.items() if _is_same(member, start)]
    fresh = [member for member in _tree(pid, orphans_of) if member not in asked]
    _collect(member for member in asked if member != pid)
    return known + fresh


def _is_same(pid: int, started: str) -> bool:
    return is_alive(pid) and _started(pid) == started


def _collect(pids: Iterable[int]) -> None:
    """Take the exit status of adopted children, so that no zombies pile up."""
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _parents() -> dict[int, int]:
    """Parent of every process."""
    if not _PROC.is_dir():
        run = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, check=True)
        pairs = (line.split() for line in run.stdout.splitlines())
        return {int(child): int(parent) for child, parent in pairs}
    numbers = (int(name) for name in os.listdir(_PROC) if name.isdecimal())
    return {pid: int(fields[1]) for pid in numbers if (fields := _stat(pid))}


def _started(pid: int) -> str:
    """Tells two processes of the same number apart; "" where the system does not say."""
    fields = _stat(pid)
    return fields[19] if fields else ""


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; empty if there is no such process.

    Source: proc_pid_stat(5): state, ppid, pgrp, ... , starttime is the twentieth from here.
    """
    text = _read(_PROC / str(pid) / "stat")
    # The name of the program may hold spaces and brackets.
    return text.rpartition(")")[2].split()


def _proportional(pid: int) -> int:
    found = re.search(r"^Pss:\s+(\d+) kB", _read(_PROC / str(pid) / "smaps_rollup"), re.MULTILINE)
    return int(found[1]) << 10 if found else 0


def _resident(pid: int) -> int:
    fields = _read(_PROC / str(pid) / "statm").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if len(fields) > 1 else 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # the process ended meanwhile, or belongs to somebody else
