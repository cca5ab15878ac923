"""Batches whose pictures are cut out and resized on the device.

Threads fetch the pixels; what lies on the device already is only pointed at. What has no pixels to
send (a broken file, a disk that refuses) goes the processor's way and is sent as a finished square.

B pictures of a batch, S side of the network input.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import Batch, Box, Framing
from model.pixels.ahead import stream
from model.pixels.cache.entry import Coding
from model.pixels.cache.pictures import shrunk_box
from model.pixels.device.copies import DeviceCopies
from model.pixels.device.crop import Places, crop_batch
from model.pixels.faults import Fault
from model.pixels.loader import PictureFiles, blank_batch, check_request, read_slots


def stream_copies(
    files: PictureFiles,
    copies: DeviceCopies,
    order: NDArray[np.int64],
    *,
    batch_size: int,
    framing: Framing,
    workers: int,
) -> Generator[Batch, None, None]:
    """Batches as of `stream_batches`, from uncompressed copies, with `images` on the device.

    Args:
        files: The pictures.
        copies: Of the cache of these files.
        order: Positions in `files`, int [M].
        batch_size: Pictures in a batch, at least 1.
        framing: Which part of each picture to take, asked with its position in `files`.
        workers: Threads that fetch copies; 0 fetches in the consumer's own thread.

    Raises:
        ValueError: If an argument lies outside its range.
        LoadingError: While iterating, if a picture failed though its file may be fine.
    """
    check_request(files, order, batch_size, workers)
    copies.settle(files.names)
    desk = _CopyDesk(files, framing, copies)
    return stream(desk, order, batch_size=batch_size, workers=workers)


@dataclass(frozen=True, eq=False)
class Piece:
    """What a batch needs of one picture."""

    box: Box
    """In pixels of what is sent or lies there."""
    size: tuple[int, int]
    """Width and height of it, pixels."""
    start: int = 0
    """First pixel in the row of the resident copies; of no meaning if pixels are sent."""
    pixels: NDArray[np.uint8] | None = None
    """RGB to send, row by row, uint8; None if the copy is resident."""


@dataclass(frozen=True, eq=False)
class Draft:
    """A batch without pixels, and what its pixels come from."""

    batch: Batch
    pieces: dict[int, Piece] = field(default_factory=dict[int, Piece])
    """By slot."""
    parcels: dict[int, torch.Tensor] = field(default_factory=dict[int, torch.Tensor])
    """Pixels to send of several neighbours, by their first slot; uint8, page-locked for a GPU."""


@dataclass(frozen=True, eq=False)
class _CopyDesk:
    """What every batch of a stream is made with."""

    files: PictureFiles
    framing: Framing
    copies: DeviceCopies

    def blank(self, indices: NDArray[np.int64]) -> Draft:
        """A batch that has no pixels yet."""
        return Draft(blank_batch(self.files, indices, torch.empty(0, dtype=torch.uint8)))

    def fill(self, draft: Draft, slots: range) -> None:
        """Fetch the copies of these `slots`, and put together what has to be sent."""
        read_slots(self.files, draft.batch, slots, partial(self._place, draft))
        pack(draft, slots, self.copies.device)

    def _place(self, draft: Draft, slot: int, index: int) -> Fault | None:
        name = self.files.names[index]
        resident = self.copies.get(name)
        if resident is not None:
            box = shrunk_box(self.framing, resident.full_size, *resident.size, index)
            draft.pieces[slot] = Piece(box, resident.size, start=resident.start)
            return resident.fault
        entry = self.copies.cache.entry(name)
        if entry is None or entry.coding is not Coding.RAW:
            return place_square(draft, slot, index, files=self.files, framing=self.framing)
        box = shrunk_box(self.framing, entry.full_size, *entry.size, index)
        pixels = np.frombuffer(entry.payload, np.uint8)
        draft.pieces[slot] = Piece(box, entry.size, pixels=pixels)
        return entry.fault

    def finish(self, draft: Draft) -> Batch:
        """Send what has to be sent, and cut out the boxes."""
        return finished(draft, self.copies.row, self.framing.size, self.copies.device)

    def leave(self) -> None:
        """Let nothing be lost that was made on the way."""
        self.copies.cache.flush()


def place_square(
    draft: Draft, slot: int, index: int, *, files: PictureFiles, framing: Framing
) -> Fault | None:
    """Let the processor do all: what is sent is the finished square; returns what is wrong."""
    size = framing.size
    square = np.empty((size, size, 3), dtype=np.uint8)
    fault = files.read_into(index, framing, square)
    box = 0.0, 0.0, float(size), float(size)
    draft.pieces[slot] = Piece(box, (size, size), pixels=square.reshape(-1))
    return fault


def pack(draft: Draft, slots: range, device: torch.device) -> None:
    """Put the pixels of these slots that have to be sent into one parcel."""
    pieces = [draft.pieces[slot] for slot in slots if slot in draft.pieces]
    sent = [piece.pixels for piece in pieces if piece.pixels is not None]
    if not sent:
        return
    pinned = device.type == "cuda"
    parcel = torch.empty(sum(map(len, sent)), dtype=torch.uint8, pin_memory=pinned)
    np.concatenate(sent, out=parcel.numpy())
    draft.parcels[slots.start] = parcel


def finished(
    draft: Draft, residents: torch.Tensor | None, size: int, device: torch.device
) -> Batch:
    """The batch with its pixels, uint8 [B, S, S, 3], on the device.

    Args:
        draft: Slots without a piece are left undefined.
        residents: The row of the resident copies, uint8 [P, 3].
        size: S.
        device: Where the pixels go.
    """
    resident = [slot for slot, item in sorted(draft.pieces.items()) if item.pixels is None]
    sent = [slot for slot, item in sorted(draft.pieces.items()) if item.pixels is not None]
    count = len(draft.batch.indices)
    images = torch.empty((count, size, size, 3), dtype=torch.uint8, device=device)
    for slots, row in ((resident, residents), (sent, _row(draft, device))):
        if not slots or row is None:
            continue
        pieces = [draft.pieces[slot] for slot in slots]
        squares = crop_batch(row, places_of(pieces), size)
        if len(slots) == count:
            images = squares
        else:
            images.index_copy_(0, torch.tensor(slots).to(device, non_blocking=True), squares)
    return replace(draft.batch, images=images)


def places_of(pieces: list[Piece]) -> Places:
    """Where pieces lie that are all resident, or all sent one after the other."""
    widths, heights = np.array([piece.size for piece in pieces], dtype=np.int64).T
    if pieces[0].pixels is None:
        starts = np.array([piece.start for piece in pieces], dtype=np.int64)
    else:
        starts = np.cumsum([0, *(math.prod(piece.size) for piece in pieces[:-1])])
    return Places(starts, widths, heights, np.array([piece.box for piece in pieces]))


def _row(draft: Draft, device: torch.device) -> torch.Tensor | None:
    """The pixels that have to be sent, in the order of their slots, uint8 [P, 3] on the device."""
    parcels = [parcel for _, parcel in sorted(draft.parcels.items())]
    if not parcels:
        return None
    row = torch.empty(sum(map(len, parcels)), dtype=torch.uint8, device=device)
    begin = 0
    for parcel in parcels:
        row[begin : begin + len(parcel)].copy_(parcel, non_blocking=True)
        begin += len(parcel)
    return row.view(-1, 3)
