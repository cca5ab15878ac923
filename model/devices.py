"""On what a training or an inference runs: device, precision, threads."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from model.config import AUTO, BFLOAT16


@dataclass(frozen=True)
class Compute:
    """Device and arithmetic of one process."""

    device: torch.device
    """Where network and batches live."""
    training: torch.dtype
    """Type of the forward pass in training: bfloat16 or float32; weights stay float32."""
    inference: torch.dtype
    """Type of the forward pass in validation and prediction."""

    def autocast(self, dtype: torch.dtype) -> AbstractContextManager[object]:
        """Context in which matrix products and convolutions run in `dtype`."""
        reduced = dtype is torch.bfloat16
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=reduced)

    def __str__(self) -> str:
        words = {torch.bfloat16: "bf16", torch.float32: "fp32"}
        return (
            f"{self.device}, {words[self.training]} training, {words[self.inference]} inference, "
            "channels last"
        )


def choose_compute(precision: str, network: nn.Module, device: torch.device) -> Compute:
    """Look up the arithmetic that is fastest on this device for this network.

    Looked up and not measured, for a measurement could end differently after an interruption, and
    training would not go on bit for bit; `benchmarks.precision` measures whether the rule is right.
    bf16 wins for inference wherever the device has fast bf16 products. Training of depthwise
    networks is the exception: on CPUs their bf16 step is 1.3-2.4 times slower than fp32.

    Args:
        precision: "auto", "bf16" or "fp32" of the recipe.
        network: Decides by its kind of convolution.
        device: Where it will run.

    Source: measured on two cores with AMX, torch 2.15, nets from resnet10t to efficientnet_b1;
        the table is in docs/performance.md.
    """
    if precision != AUTO:
        dtype = torch.bfloat16 if precision == BFLOAT16 else torch.float32
        return Compute(device, dtype, dtype)
    if not has_fast_bfloat16(device):
        return Compute(device, torch.float32, torch.float32)
    slow_backward = device.type == "cpu" and has_depthwise_convolution(network)
    training = torch.float32 if slow_backward else torch.bfloat16
    return Compute(device, training, torch.bfloat16)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bf16 matrices faster than float32 ones."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    can = torch.cpu.get_capabilities()
    return bool(can.get("amx_bf16") or can.get("avx512_bf16"))


def has_depthwise_convolution(network: nn.Module) -> bool:
    """Whether a convolution works on each channel alone."""
    return any(
        isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1
        for layer in network.modules()
    )


def choose_device(local_rank: int = 0) -> torch.device:
    """The GPU of this rank, or the CPU of a machine without one."""
    if torch.cuda.is_available():
        return torch.device("cuda", local_rank)
    return torch.device("cpu")


def prepare_device(device: torch.device, *, ranks: int) -> int:
    """Set up this process for repeatable work; once, before the first tensor is on the device.

    Args:
        device: Where the process works.
        ranks: Processes that share this machine's cores.

    Returns:
        Threads this process computes with. Never more than it was started with (OMP_NUM_THREADS),
        and never dependent on the load, for the number of threads decides how sums are rounded.
    """
    threads = max(1, min(torch.get_num_threads(), usable_cores() // ranks))
    torch.set_num_threads(threads)
    if device.type == "cpu":
        keep_freed_memory()
    if device.type == "cuda":
        # cuBLAS reads this when it starts; without it equal seeds may give unequal weights.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = False
        torch.use_deterministic_algorithms(True, warn_only=True)
    return threads


def keep_freed_memory() -> None:
    """Let the C library keep large blocks that are freed, for the next step asks for them again.

    By default it hands them back to the system, which has to fill every page with zeros when they
    return: a seventh of the time of a small network. Does nothing where there is no glibc.

    Source: `man 3 mallopt`; the numbers of its two parameters are those of glibc's malloc.h.
    """
    if sys.platform != "linux":
        return
    trim_threshold, mmap_threshold = -1, -3
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(mmap_threshold, 2**30)
        mallopt(trim_threshold, 2**31 - 1)


def usable_cores(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Cores this process may really use: its affinity, cut down by a container's quota; >= 1."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    quota = cgroup_quota(cgroup)
    return max(1, cores if quota is None else min(cores, int(quota)))


def loader_workers(asked: int, *, ranks: int) -> int:
    """Decoding threads of one rank; -1 asks for its share of the cores."""
    return asked if asked >= 0 else max(1, usable_cores() // ranks)


def has_loopback() -> bool:
    """Whether two processes of this machine can connect to each other."""
    # Binding to the address works even where the interface is down; only a connection tells.
    with socket.socket() as server, socket.socket() as client:
        client.settimeout(1.0)
        try:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            client.connect(server.getsockname())
        except OSError:
            return False
    return True


def cgroup_quota(cgroup: Path) -> float | None:
    """Processor time a container may use per time, in cores; None without a limit."""
    try:
        if (cgroup / "cpu.max").exists():
            quota, period = (cgroup / "cpu.max").read_text().split()
        else:
            quota = (cgroup / "cpu" / "cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu" / "cpu.cfs_period_us").read_text().strip()
    except FileNotFoundError:
        return None
    if quota in ("max", "-1"):
        return None
    return int(quota) / int(period)
