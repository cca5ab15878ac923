"""`nsml gpustat`: what a session makes of its GPUs (or of its CPU workers)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nsml_shim.commands.fork import refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import SessionRefused, ShimError
from nsml_shim.names import SessionName
from nsml_shim.sessions import processes
from nsml_shim.sessions.machine import machine_slots

QUERY = "index,uuid,name,utilization.gpu,memory.used,memory.total"
INTERVAL = 0.5
"""Seconds over which the use of CPUs is measured."""
MIB = 1 << 20


@dataclass(frozen=True)
class Use:
    """One line of the table: a GPU, or all CPU workers of a session together."""

    device: str
    name: str
    utilization: str
    """Per cent; `[N/A]` where the driver does not tell, as for a part of a GPU."""
    memory_used: int
    """Bytes."""
    memory_total: int
    """Bytes; for CPU workers the limit of the session, 0 without one."""


def gpustat(platform: Platform, name: SessionName) -> list[Use]:
    """What a running session uses at this moment.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission, or does not run.
        ShimError: If the GPU's driver does not answer.
    """
    row = platform.find_session(name)
    refuse_submission("gpustat", row)
    if row.pid is None:
        raise SessionRefused("gpustat", str(name), f"it is not running: {row.cause or row.status}")
    if row.gpus and machine_slots().kind == "gpu":
        return gpu_use(_query(), row.slots)
    members = [row.pid, *processes.descendants(row.pid)]
    before, started = _cpu_seconds(members), time.monotonic()
    time.sleep(INTERVAL)
    share = (_cpu_seconds(members) - before) / (time.monotonic() - started)
    workers = ", ".join(row.slots) or "cpu"
    used = processes.resident_bytes(members)
    return [Use(workers, "CPU workers", f"{max(0.0, 100 * share):.0f} %", used, row.memory)]


def gpu_use(answer: str, slots: Sequence[str]) -> list[Use]:
    """The lines of `nvidia-smi --query-gpu` that belong to these slots.

    Args:
        answer: Comma-separated lines with the columns of `QUERY`, memory in MiB.
        slots: Numbers or UUIDs, as in `CUDA_VISIBLE_DEVICES`.
    """
    found: list[Use] = []
    for line in answer.splitlines():
        index, uuid, name, utilization, used, total = (field.strip() for field in line.split(","))
        if index in slots or uuid in slots:
            found.append(Use(index, name, utilization, _mebibytes(used), _mebibytes(total)))
    known = {use.device for use in found}
    # A MIG instance is a slot of its own that the query does not know.
    parts = [slot for slot in slots if slot.startswith("MIG-")]
    return found + [Use(slot, "MIG instance", "[N/A]", 0, 0) for slot in parts if slot not in known]


def _query() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        raise ShimError("nvidia-smi is not installed, so nothing is known about the GPUs' use.")
    run = subprocess.run(
        [program, f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    if run.returncode:
        raise ShimError(f"nvidia-smi does not answer: {(run.stderr or run.stdout).strip()}")
    return run.stdout


def _mebibytes(text: str) -> int:
    return int(float(text) * MIB) if text.replace(".", "", 1).isdecimal() else 0


def _cpu_seconds(pids: Sequence[int]) -> float:
    """CPU time of some processes together, seconds; those that have ended count nothing.

    Source: proc_pid_stat(5): utime and stime are fields 14 and 15.
    """
    total = 0
    for pid in pids:
        try:
            text = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        fields = text.rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
