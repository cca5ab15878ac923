"""Leases: what is held as long as its holder lives, whatever kills it.

A lease is a lock (`flock`) on an open file, so the kernel gives it back. Python opens files
close-on-exec, so no program started by the holder can keep it. Nothing is counted, so nothing can
drift.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from nsml_shim.errors import NotEnoughMachine

DOOR = "door.lock"
"""Taken for the moment in which slots are tried, so that two who try do not hinder each other."""


class Lease:
    """Locks that are held; given back by `release`, by `with`, or by the end of the process."""

    def __init__(self, names: Sequence[str], descriptors: Sequence[int]) -> None:
        self.names = tuple(names)
        """What is held; for GPUs the values of `CUDA_VISIBLE_DEVICES`."""
        self._descriptors = list(descriptors)

    def release(self) -> None:
        """Give everything back; doing so twice has no effect."""
        while self._descriptors:
            os.close(self._descriptors.pop())

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


@dataclass(frozen=True)
class Slots:
    """Equal things of which a session takes some, such as the GPUs of a machine."""

    folder: Path
    """Holds one lock file per slot; never deleted, for a lock belongs to the file."""
    names: Sequence[str]
    """All slots, in the order in which they are handed out."""

    def acquire(
        self,
        count: int,
        *,
        may_i_go: Callable[[], bool] = lambda: True,
        poll: float = 0.2,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Lease | None:
        """Wait for `count` free slots and take them together; nothing is held while waiting.

        Args:
            count: How many; 0 waits only for its turn.
            may_i_go: Whether it is this caller's turn, for example the head of the queue.
            poll: Seconds between two looks.
            cancelled: Whether to give up.

        Returns:
            The lease, or None if cancelled.

        Raises:
            NotEnoughMachine: If there are fewer slots altogether.
        """
        if count > len(self.names):
            raise NotEnoughMachine(f"-g {count}", f"{len(self.names)} ({', '.join(self.names)})")
        self.folder.mkdir(parents=True, exist_ok=True)
        while not cancelled():
            if may_i_go() and (lease := self._try(count)):
                return lease
            time.sleep(poll)
        return None

    def free(self) -> list[str]:
        """Slots that nobody holds at this moment."""
        self.folder.mkdir(parents=True, exist_ok=True)
        door = hold(self.folder / DOOR)
        if door is None:
            return []  # somebody is choosing right now; ask again
        with door:
            return [name for name in self.names if not is_held(self._lock_of(name))]

    def _try(self, count: int) -> Lease | None:
        door = hold(self.folder / DOOR, patience=0)
        if door is None:
            return None
        with door:
            taken: dict[str, int] = {}
            for name in self.names:
                if len(taken) == count:
                    break
                descriptor = _lock(self._lock_of(name))
                if descriptor is not None:
                    taken[name] = descriptor
            lease = Lease(list(taken), list(taken.values()))
            if len(taken) == count:
                return lease
            lease.release()
        return None

    def _lock_of(self, name: str) -> Path:
        return self.folder / f"{quote(name, safe='')}.lock"


def hold(lock: Path, *, patience: float = 1.0) -> Lease | None:
    """Hold one lock file, for example as the supervisor of a session.

    Args:
        lock: The file; made if it is missing.
        patience: Seconds to go on trying, because a look by `is_held` takes the lock for a moment.

    Returns:
        The lease, or None if somebody else holds it.
    """
    end = time.monotonic() + patience
    while (descriptor := _lock(lock)) is None:
        if time.monotonic() >= end:
            return None
        time.sleep(0.01)
    return Lease((lock.name,), (descriptor,))


def is_held(lock: Path) -> bool:
    """Whether a living process holds `lock`; False if the file does not exist."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _lock(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
