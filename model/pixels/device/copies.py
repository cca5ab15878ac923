"""The uncompressed copies of a picture cache on the device, if all of them fit there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from model.pixels.cache.entry import Coding, Entry
from model.pixels.cache.pictures import PictureCache
from model.pixels.cache.plan import in_words
from model.pixels.faults import Fault

FREE_SHARE = 0.5
"""Share of the free memory of a device that copies may take up; the rest is the network's."""
NEARLY_ALL = 0.99
"""Share of the copies that must have been made; the others are made while they are sent."""
PORTION = 512
"""Pictures that are sent at once."""


@dataclass(frozen=True)
class Resident:
    """Where on the device a picture's copy lies."""

    start: int
    """Its first pixel in the row of all."""
    size: tuple[int, int]
    """Width and height of the copy, pixels."""
    full_size: tuple[int, int]
    """Width and height of the upright picture in its file, pixels."""
    fault: Fault | None
    """What is wrong with the file."""


class DeviceCopies:
    """Copies that are sent to the device once, and serve everyone who reads this cache.

    Whether they are there changes no pixel: others are sent with their batch, and cropped alike.
    """

    def __init__(
        self,
        cache: PictureCache,
        device: torch.device,
        say: Callable[[str], None],
        *,
        room: Callable[[torch.device], int] | None = None,
    ) -> None:
        """Nothing is sent yet.

        Args:
            cache: Of uncompressed copies.
            device: Where they shall lie; "cuda" without a number is the thread's current one.
            say: Gets a line about the decision.
            room: Bytes that they may take up; by default FREE_SHARE of what is free.
        """
        self.cache = cache
        self.device = device
        self.row: torch.Tensor | None = None
        """RGB of all pixels, uint8 [P, 3]; None while they are not there."""
        self._say = say
        self._room = room or _room
        self._residents: dict[str, Resident] = {}
        self._refused = False

    def get(self, name: str) -> Resident | None:
        """Where the copy of a picture lies; None if it is not on the device."""
        return self._residents.get(name)

    def settle(self, names: Sequence[str]) -> None:
        """Send the copies of these pictures, once nearly all have been made, and if they fit."""
        if self.row is not None or self._refused:
            return
        if sum(map(self.cache.holds, names)) < NEARLY_ALL * len(names):
            return
        entries = {name: entry for name in names if (entry := _raw(self.cache, name)) is not None}
        size = sum(len(entry.payload) for entry in entries.values())
        room = self._room(self.device)
        if size > room:
            self._refuse(f"they need {in_words(size)} of its memory, {in_words(room)} are allowed")
            return
        try:
            row = torch.empty(size, dtype=torch.uint8, device=self.device)
        except torch.OutOfMemoryError:
            self._refuse(f"it has no {in_words(size)} in one piece")
            return
        self._residents = _sent(entries, row)
        self.row = row.view(-1, 3)
        self._say(f"Raw copies: {in_words(size)} of {len(entries)} pictures now lie on the device")

    def _refuse(self, reason: str) -> None:
        self._refused = True
        self._say(f"Raw copies are sent to the device batch by batch: {reason}")


def _sent(entries: dict[str, Entry], row: torch.Tensor) -> dict[str, Resident]:
    """Copy all payloads into `row`, uint8 [3 * P], and tell where they lie."""
    names, residents, done = list(entries), dict[str, Resident](), 0
    for first in range(0, len(names), PORTION):
        portion = {name: entries[name] for name in names[first : first + PORTION]}
        parts = [np.frombuffer(entry.payload, np.uint8) for entry in portion.values()]
        pixels = np.concatenate(parts)
        # Waits for the copy, so that any stream finds the pixels there.
        row[done : done + len(pixels)].copy_(torch.from_numpy(pixels))
        for name, entry in portion.items():
            residents[name] = Resident(done // 3, entry.size, entry.full_size, entry.fault)
            done += 3 * math.prod(entry.size)
    return residents


def _raw(cache: PictureCache, name: str) -> Entry | None:
    """A copy that has pixels."""
    entry = cache.entry(name)
    return entry if entry is not None and entry.coding is Coding.RAW else None


def _room(device: torch.device) -> int:
    """Bytes of a GPU's memory that copies may take up."""
    free, _ = torch.cuda.mem_get_info(device)
    return int(free * FREE_SHARE)
