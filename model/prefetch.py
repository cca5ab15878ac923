"""The next batch's pixels on their way to the GPU while the network computes on this one's."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from functools import cache

import torch

from model.batch import Batch


def prefetched(batches: Iterable[Batch], device: torch.device) -> Generator[Batch, None, None]:
    """The same batches in the same order, their pixels on `device`.

    On a GPU the copy of a batch runs on a stream of its own, beside the work on the batch before
    it; whatever `batches` itself computes on that GPU runs there too. The batch is handed out at
    once, and the consumer's stream waits for the copy, not the consumer. Beside the batches that
    the consumer still holds, one lies on the device. Labels, indices and marks stay on the host,
    where they are needed; they are so small that their copies wait for nothing.

    On the processor the batches pass through, and none is taken before it is asked for.

    Args:
        batches: Pixels in page-locked memory are copied while the processor goes on.
        device: Where the network computes.
    """
    if device.type != "cuda":
        yield from batches
        return
    source, lane = iter(batches), _lane(device)
    coming = _sent(source, device, lane)
    while coming is not None:
        batch, arrived = coming
        coming = _sent(source, device, lane)
        consumer = torch.cuda.current_stream(device)
        consumer.wait_event(arrived)
        # The memory belongs to the lane, which would write the next pixels into it as soon as the
        # tensor is gone here, though the consumer's work on it may still be queued.
        batch.images.record_stream(consumer)
        yield batch


@cache
def _lane(device: torch.device) -> torch.cuda.Stream:
    """The stream of the copies; one for each device, because freed memory is kept by stream."""
    return torch.cuda.Stream(device)


def _sent(
    source: Iterator[Batch], device: torch.device, lane: torch.cuda.Stream
) -> tuple[Batch, torch.cuda.Event] | None:
    """The next batch and the moment its pixels will have arrived; None after the last one."""
    with torch.cuda.stream(lane):
        batch = next(source, None)
        if batch is None:
            return None
        # Torch's allocator of page-locked memory notes the copy's stream, so that the host's side
        # is not used again before the copy has ended.
        images = batch.images.to(device, non_blocking=True)
        arrived = torch.cuda.Event()
        arrived.record(lane)
    return replace(batch, images=images), arrived
