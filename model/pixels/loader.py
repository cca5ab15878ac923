"""Picture files to batches of pixels, decoded ahead by threads."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL, Batch, Framing
from model.pixels.ahead import stream
from model.pixels.cache.pictures import PictureCache
from model.pixels.decode import decode_into
from model.pixels.faults import Damage, Fault, FaultTally
from model.pixels.pool import BatchMemory


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
    check_request(files, order, batch_size, workers)
    memory = BatchMemory(min(batch_size, max(1, len(order))), framing.size)
    desk = _Desk(files, framing, memory)
    return stream(desk, order, batch_size=batch_size, workers=workers)


def check_request(
    files: PictureFiles, order: NDArray[np.int64], batch_size: int, workers: int
) -> None:
    """Raise if a stream of batches cannot be had; see `stream_batches`.

    Raises:
        ValueError: If an argument lies outside its range.
    """
    if batch_size < 1 or workers < 0:
        raise ValueError(f"batch_size is {batch_size}, workers {workers}; at least 1 and 0.")
    if order.size and not (order.min() >= 0 and order.max() < len(files.names)):
        raise ValueError(
            f"order holds {order.min()}..{order.max()}, but there are {len(files.names)} pictures; "
            f"give positions in 0..{len(files.names) - 1}."
        )


def blank_batch(files: PictureFiles, indices: NDArray[np.int64], images: torch.Tensor) -> Batch:
    """A batch of these pictures, int [B], all taken for readable; `images` are its pixels."""
    return Batch(
        images=images,
        labels=torch.from_numpy(files.labels[indices]),
        indices=torch.from_numpy(indices.astype(np.int64)),
        readable=torch.ones(len(indices), dtype=torch.bool),
    )


def read_slots(
    files: PictureFiles, batch: Batch, slots: range, read: Callable[[int, int], Fault | None]
) -> None:
    """Read the pictures of these slots; each slot belongs to one thread, so none waits.

    Args:
        files: The pictures; faults are noted in their tally.
        batch: Labels and marks of what is unreadable are changed.
        slots: Positions in the batch.
        read: Called as read(slot, index); returns what is wrong with the file.

    Raises:
        LoadingError: If a picture failed though its file may be fine.
    """
    # Arrays, because threads may not write into tensors that were made in inference mode.
    labels, readable = batch.labels.numpy(), batch.readable.numpy()
    for slot, index in zip(slots, batch.indices[slots.start : slots.stop].tolist(), strict=True):
        try:
            fault = read(slot, index)
        except Exception as error:
            path = files.folder / files.names[index]
            raise LoadingError(f"loading {path} failed: {error}") from error
        if fault:
            files.tally.note(files.names[index], fault)
        if fault and fault.damage is Damage.UNREADABLE:
            labels[slot] = UNKNOWN_LABEL
            readable[slot] = False


@dataclass(frozen=True, eq=False)
class _Desk:
    """What every batch of a stream is made with."""

    files: PictureFiles
    framing: Framing
    memory: BatchMemory

    def blank(self, indices: NDArray[np.int64]) -> Batch:
        """A batch whose `images` are still to be filled."""
        return blank_batch(self.files, indices, self.memory.take(len(indices)))

    def fill(self, batch: Batch, slots: range) -> None:
        """Decode the pictures of these `slots`."""
        read_slots(self.files, batch, slots, partial(self._read, batch.images.numpy()))

    def _read(self, images: NDArray[np.uint8], slot: int, index: int) -> Fault | None:
        return self.files.read_into(index, self.framing, images[slot])

    def finish(self, batch: Batch) -> Batch:
        """Nothing is left to do."""
        return batch

    def leave(self) -> None:
        """Let nothing be lost that was made on the way."""
        if self.files.cache is not None:
            self.files.cache.flush()
