"""What this machine has to give: GPUs as `CUDA_VISIBLE_DEVICES` names them, or CPU workers.

Nothing of CUDA is loaded: the driver's files and `nvidia-smi` are read.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

FEWEST_CPU_WORKERS = 2
"""A machine with one core still takes `-g 2`, slowly, so that data-parallel code can be tried."""


@dataclass(frozen=True)
class MachineSlots:
    """What sessions share; one name per GPU, MIG instance or CPU worker."""

    kind: Literal["gpu", "cpu"]
    names: tuple[str, ...]
    """For GPUs: values of `CUDA_VISIBLE_DEVICES`, numbers being in PCI order
    (`CUDA_DEVICE_ORDER=PCI_BUS_ID`)."""


@dataclass(frozen=True)
class Gpu:
    """One GPU as the driver knows it."""

    index: str
    """Its number in PCI order."""
    uuid: str
    """`GPU-…`."""
    instances: tuple[str, ...] = ()
    """UUIDs of its MIG instances; where there are some, CUDA can use nothing but them."""


def machine_slots(
    environ: Mapping[str, str] | None = None, *, proc: Path = Path("/proc")
) -> MachineSlots:
    """The GPUs this process may use, or CPU workers where there are none.

    Args:
        environ: Variables that may hold `CUDA_VISIBLE_DEVICES` and `PATH`; default: this process's.
        proc: Where procfs is mounted.
    """
    environ = os.environ if environ is None else environ
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None and visible.strip() in ("", "-1", "NoDevFiles"):
        gpus: tuple[str, ...] = ()
    else:
        gpus = _usable(_gpus(environ, proc), visible)
    if gpus:
        return MachineSlots("gpu", gpus)
    workers = max(usable_cores(proc=proc), FEWEST_CPU_WORKERS)
    return MachineSlots("cpu", tuple(f"cpu{number}" for number in range(workers)))


def usable_cores(*, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores this process may use: its affinity, cut by the CPU quota of its control groups."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _cpu_quota(proc, cgroups)
    return max(1, min(cores or 1, int(quota) if quota else cores or 1))


def _usable(gpus: Sequence[Gpu], visible: str | None) -> tuple[str, ...]:
    """Slot names, each device once and under one name however it was spelled.

    CUDA ignores everything from the first entry on that names no device.
    """
    if visible is None:
        return tuple(name for gpu in gpus for name in (gpu.instances or (gpu.index,)))
    names: list[str] = []
    for wanted in visible.split(","):
        found = _named(gpus, wanted.strip())
        if not found:
            break
        names += [name for name in found if name not in names]
    return tuple(names)


def _named(gpus: Sequence[Gpu], wanted: str) -> tuple[str, ...]:
    for gpu in gpus:
        for instance in gpu.instances:
            if wanted.startswith("MIG-") and instance.startswith(wanted):
                return (instance,)
        if wanted == gpu.index or (wanted.startswith("GPU-") and gpu.uuid.startswith(wanted)):
            return gpu.instances[:1] or (gpu.index,)
    return ()


def _gpus(environ: Mapping[str, str], proc: Path) -> list[Gpu]:
    driver = proc / "driver" / "nvidia"
    listed = sorted((driver / "gpus").glob("*/information"))
    partitioned = any((driver / "capabilities").glob("gpu*/mig/gi*"))
    smi = shutil.which("nvidia-smi", path=environ.get("PATH"))
    if smi and (partitioned or not listed):
        return _gpus_by_smi(smi)
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in listed]
    uuids = [re.search(r"GPU UUID:\s*(\S+)", text) for text in texts]
    return [Gpu(str(index), uuid[1] if uuid else "") for index, uuid in enumerate(uuids)]


def _gpus_by_smi(smi: str) -> list[Gpu]:
    try:
        run = subprocess.run(
            [smi, "-L"], capture_output=True, text=True, timeout=20, check=False, env=os.environ
        )
    except (OSError, subprocess.TimeoutExpired):
        return []  # a driver that does not answer has no GPU to give
    if run.returncode:
        return []
    gpus: list[Gpu] = []
    for line in run.stdout.splitlines():
        if whole := re.match(r"GPU (\d+):.*\(UUID: (GPU-[^)]+)\)", line):
            gpus.append(Gpu(whole[1], whole[2]))
        elif (part := re.search(r"\(UUID: (MIG-[^)]+)\)", line)) and gpus:
            last = gpus[-1]
            gpus[-1] = Gpu(last.index, last.uuid, (*last.instances, part[1]))
    return gpus


def _cpu_quota(proc: Path, cgroups: Path) -> float | None:
    """Cores' worth of time per second that the tightest group on the way up allows."""
    quotas: list[float] = []
    for line in _read(proc / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            folder, read = cgroups, _quota_v2
        elif "cpu" in controllers.split(","):
            folder = next((f for f in (cgroups / controllers, cgroups / "cpu") if f.is_dir()), None)
            read = _quota_v1
        else:
            continue
        if folder is None:
            continue
        # Inside a container the path may be the host's, so the mount's own root counts as well.
        steps = Path(path.lstrip("/"))
        for group in (folder / steps, *(folder / parent for parent in steps.parents)):
            quotas += read(group)
    return min(quotas, default=None)


def _quota_v2(group: Path) -> list[float]:
    fields = _read(group / "cpu.max").split()
    return [int(fields[0]) / int(fields[1])] if len(fields) == 2 and fields[0] != "max" else []


def _quota_v1(group: Path) -> list[float]:
    quota, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
    return [int(quota) / int(period)] if quota and period and int(quota) > 0 else []


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
