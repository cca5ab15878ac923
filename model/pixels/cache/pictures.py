"""The cache as the loader sees it: pictures by file, made where they are missing, and kept."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.batch import GREY, Box, Framing
from model.pixels.cache.crop import crop
from model.pixels.cache.entry import Coding, Entry
from model.pixels.cache.kinds import CacheKind
from model.pixels.cache.shrink import make_entry
from model.pixels.cache.store import KEY_BYTES, Store
from model.pixels.decode import BYTE_LIMIT, MACHINE_ERRORS, checked, decode_into
from model.pixels.faults import Fault

KEPT_TOGETHER = 64
"""Pictures that are written at once: one wait for the disk serves all."""


class CacheDamaged(RuntimeError):
    """A kept copy is not what was written."""


@dataclass(frozen=True)
class Shrunk:
    """A framing of the full picture, asked about its smaller copy."""

    framing: Framing
    full_size: tuple[int, int]
    copy_size: tuple[int, int]

    @property
    def size(self) -> int:
        """Side of the network input, pixels."""
        return self.framing.size

    @property
    def pads(self) -> bool:
        """Whether a box may reach over the picture's edges."""
        return self.framing.pads

    def box(self, width: int, height: int, index: int) -> Box:
        """The full picture's box, in pixels of the copy."""
        return shrunk_box(self.framing, self.full_size, width, height, index)


def shrunk_box(
    framing: Framing, full_size: tuple[int, int], width: int, height: int, index: int
) -> Box:
    """The box of a picture of `full_size`, in pixels of its copy of `width` x `height`."""
    full_width, full_height = full_size
    box = framing.box(full_width, full_height, index)
    left, top, right, bottom = checked(box, full_size, framing.pads)
    # Multiplied first, so that an edge of the picture is one of the copy, not a hair beside it.
    return (
        left * width / full_width,
        top * height / full_height,
        right * width / full_width,
        bottom * height / full_height,
    )


class PictureCache:
    """Copies of the pictures of one dataset, kept on the disk and shared with whoever wants them.

    A picture that is missing is made, kept, and read back like any other, so that the pixels do not
    depend on what was there before. Where the disk refuses, they are made anew each time, with the
    same pixels. May be used by several threads.
    """

    def __init__(self, folder: Path, store: Store, kind: CacheKind) -> None:
        """Use a store for the pictures of a folder.

        Args:
            folder: Where the pictures' own files lie.
            store: Where the copies of this kind lie.
            kind: Their size and form.
        """
        self.folder = folder
        self.store = store
        self.kind = kind
        self.full = not store.writable
        """Whether nothing more can be kept."""
        self.limit: int | None = None
        """Bytes that the copies may take up in all; None if only the disk limits them."""
        self._keys: dict[str, bytes] = {}
        self._waiting: dict[bytes, Entry] = {}
        self._lock = threading.Lock()

    def read_into(
        self, name: str, framing: Framing, index: int, out: NDArray[np.uint8]
    ) -> Fault | None:
        """Write the part of a picture that `framing` asks for into `out`, as `decode_into` does.

        The framing is asked with the size of the full picture, so that boxes do not depend on the
        cache.

        Args:
            name: File name of the picture.
            framing: Which box to take, and the side S of the output.
            index: Identifies the example to `framing`.
            out: RGB, uint8 [S, S, 3]; all of it is written.

        Returns:
            What is wrong with the file; None if nothing is.

        Raises:
            ValueError: If `framing` returns a box that cannot be.
            CacheDamaged: If a kept copy is not what was written.
            OSError: If the machine, not the file, is at fault (too many open files).
        """
        entry = self.entry(name)
        if entry is None:
            return decode_into(self.folder / name, framing, index, out)
        if entry.coding is Coding.JPEG:
            shrunk = Shrunk(framing, entry.full_size, entry.size)
            if decode_into(entry.payload, shrunk, index, out) is None or entry.fault:
                return entry.fault
            raise CacheDamaged(f"its copy in {self.store.folder} is damaged; remove that folder")
        if entry.coding is Coding.RAW:
            width, height = entry.size
            box = shrunk_box(framing, entry.full_size, width, height, index)
            pixels = np.frombuffer(entry.payload, np.uint8).reshape(height, width, 3)
            crop(pixels, box, framing.size, out)
        else:
            out[:] = GREY
        return entry.fault

    def entry(self, name: str) -> Entry | None:
        """The copy of a picture, made if need be; None if its file cannot be read at all."""
        key = self._key(name)
        if key is None:
            return None
        return self.store.get(key) or self._waiting.get(key) or self._made(self.folder / name, key)

    def holds(self, name: str) -> bool:
        """Whether the copy of a picture is kept already."""
        key = self._key(name)
        return key is not None and self.store.get(key) is not None

    def peek(self, name: str) -> Entry | None:
        """Like `entry`, but nothing is kept; None also where making it fails."""
        key = file_key(self.folder / name)
        if key is None:
            return None
        try:
            return self.store.get(key) or make_entry(self.folder / name, self.kind)
        except OSError:
            return None

    def flush(self) -> None:
        """Keep what waits for company."""
        with self._lock:
            self._keep()

    def _key(self, name: str) -> bytes | None:
        """What names the picture's content; looked up once."""
        key = self._keys.get(name) or file_key(self.folder / name)
        if key is not None:
            self._keys[name] = key
        return key

    def _made(self, path: Path, key: bytes) -> Entry | None:
        try:
            entry = make_entry(path, self.kind)
        except OSError as error:
            if error.errno in MACHINE_ERRORS:
                raise
            return None
        if not self.full:
            with self._lock:
                self._waiting[key] = entry
                if len(self._waiting) >= KEPT_TOGETHER:
                    self._keep()
        return entry

    def _keep(self) -> None:
        try:
            kept = self.full or self.store.add(list(self._waiting.items()), limit=self.limit)
        except OSError:  # no room, or the disk is gone: from now on every picture is made anew
            kept = False
        self.full = self.full or not kept
        self._waiting = {}


def file_key(path: Path) -> bytes | None:
    """What names a picture's content as long as nobody forges times: name, size, time of change.

    Args:
        path: The file.

    Returns:
        KEY_BYTES bytes; None if it is no regular file that can be read in one piece.

    Raises:
        OSError: If the machine, not the file, is at fault.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        if error.errno in MACHINE_ERRORS:
            raise
        return None
    if not stat.S_ISREG(status.st_mode) or not 0 < status.st_size <= BYTE_LIMIT:
        return None
    words = f"{path.name}\0{status.st_size}\0{status.st_mtime_ns}".encode(errors="surrogateescape")
    return hashlib.blake2b(words, digest_size=KEY_BYTES).digest()
