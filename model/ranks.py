"""Several processes that train one network: starting them, joining them, ending them.

Rank 0 is the process the user started. It starts the others with its own command line and a few
environment variables; they meet through a file in a temporary folder. All ranks are on one machine.

A rank that dies takes the run with it: rank 0 watches its children, and a child that loses its
parent is killed by the kernel (Linux) or notices by itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed, nn

from model.devices import has_loopback
from model.errors import RankDied, TrainingError

ENV_FOLDER = "RANKS_FOLDER"
"""Where the ranks of a run meet; its presence makes a process a child rank."""
ENV_PARENT = "RANKS_PARENT"
"""Process id of rank 0."""
COLLECTIVE_TIMEOUT = timedelta(minutes=10)
"""How long a rank waits for the others; a rank that hangs without dying ends the run after it."""
WATCH_INTERVAL = 0.1
"""Seconds between two looks at the children."""
GRACE = 5.0
"""Seconds in which the cause of a broken connection must show itself."""


@dataclass(frozen=True)
class RankGroup:
    """The processes that train together, seen from one of them."""

    rank: int = 0
    """Number of this process, 0..size-1."""
    size: int = 1
    """Processes in the group."""

    @property
    def is_first(self) -> bool:
        """Whether this is rank 0, which alone reports and saves."""
        return self.rank == 0

    def sum(self, tensor: torch.Tensor) -> torch.Tensor:
        """Add up a tensor over all ranks, in place.

        Raises:
            RankDied: If another rank is gone.
        """
        if self.size > 1:
            with _connection():
                distributed.all_reduce(tensor)
        return tensor

    def decide(self, flag: bool, device: torch.device) -> bool:
        """Rank 0's answer to a question, on every rank."""
        if self.size == 1:
            return flag
        answer = torch.tensor([int(flag)], device=device)
        with _connection():
            distributed.broadcast(answer, src=0)
        return bool(answer.item())

    def average_statistics(self, network: nn.Module) -> None:
        """Give every rank the mean of all ranks' norm statistics."""
        statistics = [value for value in network.buffers() if value.is_floating_point()]
        if self.size == 1 or not statistics:
            return
        message = torch.cat([value.reshape(-1) for value in statistics])
        self.sum(message).div_(self.size)
        parts = message.split([value.numel() for value in statistics])
        for value, part in zip(statistics, parts, strict=True):
            value.copy_(part.view_as(value))


SOLO = RankGroup()
"""Training alone."""


@dataclass(frozen=True)
class Launch:
    """How to start the other ranks."""

    size: int
    """Processes in all, this one included."""
    command: Sequence[str]
    """Command line of the other ranks."""
    environment: Callable[[int], Mapping[str, str]] = lambda _rank: {}
    """Further variables of a rank, for whoever else must know that it is one."""


@contextmanager
def lead(launch: Launch, prepare: Callable[[Path], None], device_type: str) -> Iterator[RankGroup]:
    """Start the other ranks and be rank 0 as long as the block runs.

    Args:
        launch: How many ranks and how they start.
        prepare: Writes what they begin with into a folder, see `joined`.
        device_type: "cuda" lets the ranks talk through NCCL, everything else through gloo.

    Raises:
        TrainingError: If the ranks could not reach each other on this machine.
        RankDied: If a rank ends with an error while this one waits for it at the end. Within the
            block the whole process ends, see `_Watch`.
    """
    if launch.size == 1:
        yield SOLO
        return
    if device_type != "cuda" and not has_loopback():
        raise TrainingError(
            f"{launch.size} ranks talk to each other through the loopback interface; it is down. "
            "Bring it up (`ip link set lo up`), or train on one rank (`nsml run -g 1`)."
        )
    folder = Path(tempfile.mkdtemp(prefix="ranks-"))
    try:
        prepare(folder)
        watch = _Watch([_start(launch, rank, folder) for rank in range(1, launch.size)], folder)
        try:
            _connect(folder, 0, launch.size, device_type)
            # Everybody has read it by now, and a killed rank 0 should not leave it behind.
            _empty(folder)
            yield RankGroup(0, launch.size)
            distributed.destroy_process_group()
            watch.wait_for_all()
        except RankDied:
            watch.wait_for_cause()
            raise
        finally:
            watch.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def is_child() -> bool:
    """Whether rank 0 of some run started this process."""
    return ENV_FOLDER in os.environ


def child_rank() -> int:
    """Number of this process within its run; 0 for a process that nobody started as a rank."""
    return int(os.environ["RANK"]) if is_child() else 0


def child_size() -> int:
    """Ranks of the run this process belongs to; 1 for a process that nobody started as a rank."""
    return int(os.environ["WORLD_SIZE"]) if is_child() else 1


@contextmanager
def joined(read: Callable[[Path], None], device_type: str) -> Iterator[RankGroup]:
    """Be one of the other ranks as long as the block runs.

    Args:
        read: Reads what rank 0's `prepare` wrote.
        device_type: As in `lead`.
    """
    folder, rank = Path(os.environ[ENV_FOLDER]), child_rank()
    die_with(int(os.environ[ENV_PARENT]))
    read(folder)
    try:
        _connect(folder, rank, child_size(), device_type)
        yield RankGroup(rank, child_size())
        distributed.destroy_process_group()
    except RankDied:
        # Another rank broke the connection. Rank 0 must find that one dead, and not this one.
        time.sleep(GRACE)
        raise


def die_with(parent: int) -> None:
    """End this process as soon as the process `parent`, which started it, has ended."""
    if sys.platform == "linux":
        import ctypes

        set_parent_death_signal = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL)
    else:
        threading.Thread(target=_watch_parent, args=(parent,), daemon=True).start()
    # It may have ended before the kernel was told.
    if os.getppid() != parent:
        os._exit(1)


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def _start(launch: Launch, rank: int, folder: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        # This process counts the cores of all ranks already; no library shall start more threads.
        "OMP_NUM_THREADS": str(torch.get_num_threads()),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(launch.size),
        ENV_FOLDER: str(folder),
        ENV_PARENT: str(os.getpid()),
        **launch.environment(rank),
    }
    return subprocess.Popen(list(launch.command), env=environment, stdin=subprocess.DEVNULL)


def _connect(folder: Path, rank: int, size: int, device_type: str) -> None:
    if device_type != "cuda":
        # gloo would otherwise look the host name up, which containers often cannot.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    with _connection():
        distributed.init_process_group(
            "nccl" if device_type == "cuda" else "gloo",
            store=distributed.FileStore(  # pyright: ignore[reportPrivateImportUsage]
                str(folder / "rendezvous"), size
            ),
            rank=rank,
            world_size=size,
            timeout=COLLECTIVE_TIMEOUT,
        )


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "rendezvous":
            path.unlink()


@contextmanager
def _connection() -> Iterator[None]:
    """Translate what torch raises when a peer is gone; it has no class of its own for that."""
    try:
        yield
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise RankDied(f"The connection to another rank broke: {first}") from error


class _Watch:
    """Looks after the child ranks from a thread of rank 0.

    If one dies, the main thread may be stuck inside a collective operation that no exception can
    reach; therefore the thread says what happened, kills the other ranks and ends the process.
    """

    def __init__(self, children: Sequence[subprocess.Popen[bytes]], folder: Path) -> None:
        self._children = children
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="rank watch", daemon=True)
        self._thread.start()

    def wait_for_all(self) -> None:
        """Return when every child has ended well; a failure ends the process."""
        for child in self._children:
            child.wait(timeout=COLLECTIVE_TIMEOUT.total_seconds())
            if child.returncode:
                self.wait_for_cause()

    def wait_for_cause(self) -> None:
        """Give a dead rank the time to be found, which ends the process."""
        self._thread.join(timeout=GRACE)

    def end(self) -> None:
        """Stop watching and leave no child behind."""
        self._ended.set()
        self._thread.join()
        self._kill_all()

    def _look(self) -> None:
        while not self._ended.wait(WATCH_INTERVAL):
            for rank, child in enumerate(self._children, start=1):
                if child.poll():
                    self._end_run(rank, child.returncode)

    def _end_run(self, rank: int, code: int) -> None:
        self._kill_all()
        shutil.rmtree(self._folder, ignore_errors=True)
        sys.stdout.flush()
        print(
            f"Error: rank {rank} {_describe(code)}; training cannot go on without it. "
            "Its own message stands above, if it left one.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(1)

    def _kill_all(self) -> None:
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.wait()


def _describe(code: int) -> str:
    if code < 0:
        return f"was killed by signal {-code} ({signal.Signals(-code).name})"
    return f"ended with exit code {code}"
