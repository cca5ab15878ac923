"""Picture files to batches, decoded ahead by threads.

Threads and not processes: Pillow lets go of the interpreter lock while it decodes and resizes, and
threads write straight into the batch. Nothing random happens here, so any number of threads gives
the same bytes.
"""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL, Batch, Framing
from model.pixels.cache.pictures import PictureCache
from model.pixels.decode import decode_into
from model.pixels.faults import Damage, Fault, FaultTally
from model.pixels.pool import BatchMemory

PREFETCHED_BATCHES = 2
"""Batches that are being decoded while the consumer works on another one."""

PICTURES_PER_TASK = 8
"""Upper bound of what a thread takes at once: amortises the hand-over, yet lets threads share."""


@dataclass(frozen=True, eq=False)
class PictureFiles:
    """Where the pictures lie, what class each was given, and what turned out wrong with them."""

    folder: Path
    names: list[str]
    """File name of each picture inside `folder`, N."""
    labels: NDArray[np.int64]
    """Given class of each picture, [N]; UNKNOWN_LABEL where there is none."""
    tally: FaultTally = field(default_factory=FaultTally)
    """Faults met so far, by file name."""
    cache: PictureCache | None = None
    """Where smaller copies are kept; None reads the files themselves."""

    def read_into(self, index: int, framing: Framing, out: NDArray[np.uint8]) -> Fault | None:
        """Write what `framing` asks for of one picture into `out`; see `decode_into`."""
        name = self.names[index]
        if self.cache is not None:
            return self.cache.read_into(name, framing, index, out)
        return decode_into(self.folder / name, framing, index, out)


class LoadingError(RuntimeError):
    """Loading a picture failed for a reason that does not lie in its file; the message names it."""


def stream_batches(
    files: PictureFiles,
    order: NDArray[np.int64],
    *,
    batch_size: int,
    framing: Framing,
    workers: int,
) -> Generator[Batch, None, None]:
    """Batches of the pictures that `order` names, in exactly that order.

    Memory stays flat: besides the batch handed out, at most PREFETCHED_BATCHES exist. Closing the
    iterator, or dropping it, ends its threads. Batches are in page-locked memory where CUDA is
    available.

    Args:
        files: The pictures.
        order: Positions in `files`, int [M]; may repeat some and leave out others.
        batch_size: Pictures in a batch, at least 1; the last batch may hold fewer.
        framing: Which part of each picture to take, asked with its position in `files`.
        workers: Decoding threads; 0 decodes in the consumer's own thread.

    Raises:
        ValueError: If an argument lies outside its range.
        LoadingError: While iterating, if a picture failed though its file may be fine.
    """
    if batch_size < 1 or workers < 0:
        raise ValueError(f"batch_size is {batch_size}, workers {workers}; at least 1 and 0.")
    if order.size and not (order.min() >= 0 and order.max() < len(files.names)):
        raise ValueError(
            f"order holds {order.min()}..{order.max()}, but there are {len(files.names)} pictures; "
            f"give positions in 0..{len(files.names) - 1}."
        )
    parts = (order[start : start + batch_size] for start in range(0, len(order), batch_size))
    desk = _Desk(files, framing, BatchMemory(min(batch_size, max(1, len(order))), framing.size))
    if workers == 0:
        return _decoded_here(desk, parts)
    # Small enough tasks that all threads work on the batch that is needed next.
    pictures_per_task = min(max(batch_size // (2 * workers), 1), PICTURES_PER_TASK)
    return _decoded_ahead(desk, parts, workers, pictures_per_task)


@dataclass(frozen=True, eq=False)
class _Desk:
    """What every batch of a stream is made with."""

    files: PictureFiles
    framing: Framing
    memory: BatchMemory

    def blank(self, indices: NDArray[np.int64]) -> Batch:
        """A batch whose `images` are still to be filled."""
        return Batch(
            images=self.memory.take(len(indices)),
            labels=torch.from_numpy(self.files.labels[indices]),
            indices=torch.from_numpy(indices.astype(np.int64)),
            readable=torch.ones(len(indices), dtype=torch.bool),
        )

    def fill(self, batch: Batch, slots: range) -> None:
        """Decode the pictures of these `slots`; each slot belongs to one thread, so none waits."""
        images, files = batch.images.numpy(), self.files
        for slot, index in zip(
            slots, batch.indices[slots.start : slots.stop].tolist(), strict=True
        ):
            try:
                fault = files.read_into(index, self.framing, images[slot])
            except Exception as error:
                path = files.folder / files.names[index]
                raise LoadingError(f"loading {path} failed: {error}") from error
            if fault:
                files.tally.note(files.names[index], fault)
            if fault and fault.damage is Damage.UNREADABLE:
                batch.labels[slot] = UNKNOWN_LABEL
                batch.readable[slot] = False

    def leave(self) -> None:
        """Let nothing be lost that was made on the way."""
        if self.files.cache is not None:
            self.files.cache.flush()


def _decoded_here(desk: _Desk, parts: Iterator[NDArray[np.int64]]) -> Generator[Batch, None, None]:
    try:
        for indices in parts:
            batch = desk.blank(indices)
            desk.fill(batch, range(len(indices)))
            yield batch
    finally:
        desk.leave()


def _decoded_ahead(
    desk: _Desk, parts: Iterator[NDArray[np.int64]], workers: int, pictures_per_task: int
) -> Generator[Batch, None, None]:
    threads = ThreadPoolExecutor(workers, thread_name_prefix="decode")
    ahead: deque[tuple[Batch, list[Future[None]]]] = deque()
    try:
        for indices in parts:
            batch = desk.blank(indices)
            slots = range(len(indices))
            tasks = [
                threads.submit(desk.fill, batch, slots[i : i + pictures_per_task])
                for i in range(0, len(slots), pictures_per_task)
            ]
            ahead.append((batch, tasks))
            if len(ahead) > PREFETCHED_BATCHES:
                yield _finished(*ahead.popleft())
        while ahead:
            yield _finished(*ahead.popleft())
    finally:
        threads.shutdown(wait=True, cancel_futures=True)
        desk.leave()


def _finished(batch: Batch, tasks: list[Future[None]]) -> Batch:
    for task in tasks:
        task.result()
    return batch
