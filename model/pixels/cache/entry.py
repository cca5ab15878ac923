"""What the cache keeps of one picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from model.pixels.faults import Fault


class Coding(IntEnum):
    """How an entry's pixels are written."""

    NOTHING = 0
    """There are none: the file is unreadable."""
    JPEG = 1
    RAW = 2
    """RGB, row by row."""


@dataclass(frozen=True)
class Entry:
    """What the cache keeps of one picture."""

    coding: Coding
    payload: bytes | memoryview
    """The pixels, written as `coding` says."""
    full_size: tuple[int, int]
    """Width and height of the upright picture in its file, pixels."""
    size: tuple[int, int]
    """Width and height of the copy, pixels."""
    fault: Fault | None = None
    """What is wrong with the file."""
