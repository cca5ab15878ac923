"""Batches that threads fill ahead of whoever takes them.

Threads and not processes: decoding and resizing let go of the interpreter lock, and threads write
straight into the batch. Nothing random happens here, so any number of threads gives the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from model.batch import Batch

PREFETCHED_BATCHES = 2
"""Batches that are being decoded while the consumer works on another one."""

PICTURES_PER_TASK = 8
"""Upper bound of what a thread takes at once: amortises the hand-over, yet lets threads share."""

Draft = TypeVar("Draft")
"""A batch that is being filled."""


class Desk(Protocol[Draft]):
    """Where batches are made."""

    def blank(self, indices: NDArray[np.int64]) -> Draft:
        """Begin a batch of these pictures, int [B]; in the consumer's thread."""
        ...

    def fill(self, draft: Draft, slots: range, /) -> None:
        """Read the pictures of these slots; in any thread, each slot once."""
        ...

    def finish(self, draft: Draft, /) -> Batch:
        """End a batch whose slots are filled; in the consumer's thread, in order."""
        ...

    def leave(self) -> None:
        """Called after the last batch, or when nobody wants any more."""
        ...


def stream(
    desk: Desk[Draft], order: NDArray[np.int64], *, batch_size: int, workers: int
) -> Generator[Batch, None, None]:
    """Batches of the pictures that `order` names, in exactly that order.

    Besides the batch handed out, at most PREFETCHED_BATCHES exist. Closing the iterator, or
    dropping it, ends its threads.

    Args:
        desk: Makes them.
        order: Pictures, int [M].
        batch_size: Pictures in a batch, at least 1; the last batch may hold fewer.
        workers: Threads; 0 fills in the consumer's own thread.
    """
    parts = (order[start : start + batch_size] for start in range(0, len(order), batch_size))
    if workers == 0:
        return _filled_here(desk, parts)
    # Small enough tasks that all threads work on the batch that is needed next.
    pictures_per_task = min(max(batch_size // (2 * workers), 1), PICTURES_PER_TASK)
    return _filled_ahead(desk, parts, workers, pictures_per_task)


def _filled_here(
    desk: Desk[Draft], parts: Iterator[NDArray[np.int64]]
) -> Generator[Batch, None, None]:
    try:
        for indices in parts:
            draft = desk.blank(indices)
            desk.fill(draft, range(len(indices)))
            yield desk.finish(draft)
    finally:
        desk.leave()


def _filled_ahead(
    desk: Desk[Draft], parts: Iterator[NDArray[np.int64]], workers: int, pictures_per_task: int
) -> Generator[Batch, None, None]:
    threads = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    ahead: deque[tuple[Draft, list[Future[None]]]] = deque()

    def finished() -> Batch:
        draft, tasks = ahead.popleft()
        for task in tasks:
            task.result()
        return desk.finish(draft)

    try:
        for indices in parts:
            draft = desk.blank(indices)
            slots = range(len(indices))
            tasks = [
                threads.submit(desk.fill, draft, slots[i : i + pictures_per_task])
                for i in range(0, len(slots), pictures_per_task)
            ]
            ahead.append((draft, tasks))
            if len(ahead) > PREFETCHED_BATCHES:
                yield finished()
        while ahead:
            yield finished()
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
        desk.leave()
