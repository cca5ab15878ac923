"""Two files: pictures end to end, and an index of records that says where each one lies.

    pixels    payload, payload ...
    index     MAGIC, record, record ...

A writer holds a lock on the index (the kernel lets go of it when a process dies), puts its payloads
behind the last one that the index knows, makes sure that they are on the disk, and only then adds
their records. So whatever kills a writer, the index never speaks of a payload that is not there;
what a dead writer left behind the known end is overwritten. A record that is torn, which its
checksum shows, ends the index, and the next writer cuts it off. Readers take no lock.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.pixels.cache.entry import Coding, Entry
from model.pixels.faults import Damage, Fault

MAGIC = b"review-tagging picture cache 1\n".ljust(64)
KEY_BYTES = 16
RECORD = np.dtype(
    [
        ("key", f"V{KEY_BYTES}"),
        ("offset", "<u8"),
        ("length", "<u8"),
        ("full_width", "<u4"),
        ("full_height", "<u4"),
        ("width", "<u4"),
        ("height", "<u4"),
        ("coding", "u1"),
        ("truncated", "u1"),
        ("reason_length", "<u2"),
        ("spare", "<u4"),
        ("check", "<u8"),
    ]
)
"""One picture; the words of its fault lie behind its payload."""
WORDS = RECORD.itemsize // 8
MIX, SEED = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x5DEECE66D)
"""Of the checksum; an empty record must not pass."""
NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0)
"""A private mapping larger than the memory is refused without it; Python 3.10 lacks the name."""

REASON_LIMIT = 1000
"""Bytes that are kept of the words of a fault."""

Records = NDArray[np.void]


class Store:
    """Entries by key, in a folder that any number of processes read and write at the same time."""

    def __init__(self, folder: Path) -> None:
        """Open or make the store; a folder that cannot be written is read.

        Raises:
            OSError: If it can neither be written nor read.
        """
        self.folder = folder
        with suppress(OSError):  # opening tells whether it is there
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self._index = os.open(folder / "index", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self._pixels = os.open(folder / "pixels", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            self.writable = True
        except OSError:
            self._index = os.open(folder / "index", os.O_RDONLY | os.O_CLOEXEC)
            self._pixels = os.open(folder / "pixels", os.O_RDONLY | os.O_CLOEXEC)
            self.writable = False
        self._lock = threading.Lock()
        self._places: dict[bytes, tuple[Records, int]] = {}
        self._count = 0
        self._end = 0
        self._view = memoryview(b"")
        self.refresh()

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """Bytes of all payloads."""
        return self._end

    def close(self) -> None:
        """Close the files; payloads handed out stay good."""
        os.close(self._index)
        os.close(self._pixels)

    def refresh(self) -> None:
        """Take note of what other processes have added."""
        with self._lock:
            self._refresh()

    def get(self, key: bytes) -> Entry | None:
        """The entry of a key as far as this process knows; its payload is a part of the map."""
        place = self._places.get(key)
        if place is None:
            return None
        records, row = place
        _, offset, length, full_width, full_height, width, height, *rest = records[row].item()
        coding, truncated, reason_length, _, _ = rest
        view = self._mapped(offset + length + reason_length)
        payload = view[offset : offset + length]
        fault = None
        if reason_length:
            reason = bytes(view[offset + length : offset + length + reason_length]).decode()
            fault = Fault(Damage.TRUNCATED if truncated else Damage.UNREADABLE, reason)
        return Entry(Coding(coding), payload, (full_width, full_height), (width, height), fault)

    def add(self, entries: Sequence[tuple[bytes, Entry]], *, limit: int | None = None) -> bool:
        """Keep entries; those that another process has kept in the meantime are left out.

        Args:
            entries: Keys and entries.
            limit: Bytes that the payloads may take up in all.

        Returns:
            Whether there was room.

        Raises:
            OSError: If the disk refuses.
        """
        with self._lock:
            fcntl.flock(self._index, fcntl.LOCK_EX)
            try:
                self._refresh()
                self._cut_off_torn_records()
                new = [(key, entry) for key, entry in entries if key not in self._places]
                records, blob = _packed(new, self._end)
                if limit is not None and self._end + len(blob) > limit:
                    return False
                if new:
                    _write_all(self._pixels, blob, self._end)
                    os.fdatasync(self._pixels)
                    _write_all(self._index, records.tobytes(), _position(self._count))
                    os.fdatasync(self._index)
                    self._note(records)
            finally:
                fcntl.flock(self._index, fcntl.LOCK_UN)
        return True

    def _refresh(self) -> None:
        new = (os.fstat(self._index).st_size - _position(self._count)) // RECORD.itemsize
        if new <= 0:
            return
        data = os.pread(self._index, new * RECORD.itemsize, _position(self._count))
        records = np.frombuffer(data, RECORD, count=len(data) // RECORD.itemsize)
        ends = records["offset"] + records["length"] + records["reason_length"]
        good = (_checksums(records) == records["check"]) & (ends <= os.fstat(self._pixels).st_size)
        self._note(records[: len(records) if good.all() else int(np.argmin(good))])

    def _note(self, records: Records) -> None:
        if not len(records):
            return
        keys = records["key"].tobytes()
        for i in range(len(records)):
            self._places[keys[i * KEY_BYTES : (i + 1) * KEY_BYTES]] = records, i
        self._count += len(records)
        ends = records["offset"] + records["length"] + records["reason_length"]
        self._end = max(self._end, int(ends.max()))

    def _cut_off_torn_records(self) -> None:
        size, good = os.fstat(self._index).st_size, _position(self._count)
        if size < len(MAGIC):
            _write_all(self._index, MAGIC, 0)
        elif size > good:
            os.ftruncate(self._index, good)

    def _mapped(self, end: int) -> memoryview:
        """The pictures' file, at least up to `end`."""
        view = self._view
        if end > len(view):
            # Private and writable, because torch asks for memory that it could write.
            flags = mmap.MAP_PRIVATE | NO_RESERVE
            size = os.fstat(self._pixels).st_size
            view = memoryview(mmap.mmap(self._pixels, size, flags=flags))
            self._view = view
        return view


def _packed(entries: Sequence[tuple[bytes, Entry]], start: int) -> tuple[Records, bytes]:
    """Records and payloads of entries that begin at `start`."""
    records = np.zeros(len(entries), RECORD)
    parts: list[bytes | memoryview] = []
    for row, (key, entry) in enumerate(entries):
        fault = entry.fault
        reason = _short(fault.reason) if fault else b""
        truncated = fault is not None and fault.damage is Damage.TRUNCATED
        sizes = *entry.full_size, *entry.size
        records[row] = (
            *(np.void(key), start, len(entry.payload), *sizes),
            *(entry.coding, truncated, len(reason), 0, 0),
        )
        parts += [entry.payload, reason]
        start += len(entry.payload) + len(reason)
    records["check"] = _checksums(records)
    return records, b"".join(parts)


def _short(reason: str) -> bytes:
    """The words of a fault, at least one byte, at most REASON_LIMIT, no character cut in two."""
    return (reason or "damaged").encode()[:REASON_LIMIT].decode(errors="ignore").encode()


def _checksums(records: Records) -> NDArray[np.uint64]:
    """Of every word of each record but the last, which holds it."""
    words = np.frombuffer(records.tobytes(), np.uint64).reshape(-1, WORDS)[:, :-1]
    total = np.full(len(words), SEED)
    with np.errstate(over="ignore"):
        for column in words.T:
            total = (total ^ column) * MIX
            total ^= total >> np.uint64(29)
    return total


def _position(count: int) -> int:
    """Where in the index the record after `count` others begins."""
    return len(MAGIC) + count * RECORD.itemsize


def _write_all(descriptor: int, data: bytes, position: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, position)
        view, position = view[written:], position + written
