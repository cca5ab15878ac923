"""Whether a cache pays, how large it will be, and where it lies; said before it is built."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.pixels.cache.kinds import CacheKind
from model.pixels.cache.pictures import PictureCache
from model.pixels.cache.store import Store
from model.pixels.table import DataError

SAMPLE = 32
"""Pictures that are looked at to tell the size of the whole."""
FREE_SHARE = 0.5
"""Share of the free disk that a cache takes without being told that it may."""
WORTH_WHILE = 2.0
"""Pixels of the files per pixel of the copies from which a cache is made without being asked for:
below, decoding the copy takes about as long as decoding the file."""
GIGABYTE = 10**9


@dataclass(frozen=True)
class Survey:
    """What a sample of the pictures tells."""

    pictures: int
    """Pictures in all."""
    size: int
    """Expected bytes of all copies."""
    missing: int
    """Expected bytes of the copies that are still to be made."""
    shrinkage: float
    """Pixels of the files per pixel of the copies; 0 if no picture is readable."""

    @property
    def pays(self) -> bool:
        """Whether reading copies is much faster than reading the files."""
        return self.shrinkage >= WORTH_WHILE


def open_cache(pictures: Path, kind: CacheKind, root: Path) -> PictureCache:
    """The cache of a folder of pictures; nothing is made yet.

    Args:
        pictures: The folder. Datasets of the same path share a cache.
        kind: Form of the copies.
        root: Folder of all caches.

    Raises:
        DataError: If the folder can be neither written nor read.
    """
    place = pictures.resolve()
    digest = hashlib.blake2b(str(place).encode(errors="surrogateescape"), digest_size=4).hexdigest()
    folder = root / "pictures" / f"{place.name}-{digest}" / kind.settings
    try:
        return PictureCache(pictures, Store(folder), kind)
    except OSError as error:
        raise DataError(
            f"The picture cache {folder} cannot be used: {error.strerror or error}.",
            "It is a folder that can be written, with room for the copies of the pictures.",
            "Set NSML_CACHE_FOLDER to another folder, or train with --cache off.",
        ) from error


def survey(cache: PictureCache, names: list[str]) -> Survey:
    """Look at a few pictures; nothing is kept.

    Args:
        cache: The cache.
        names: File names of all pictures, at least one.
    """
    places = np.linspace(0, len(names) - 1, min(SAMPLE, len(names))).astype(int)
    held_before = len(cache.store)
    entries = [entry for i in places if (entry := cache.peek(names[i])) is not None]
    readable = [entry for entry in entries if entry.size[0]]
    per_picture = sum(len(entry.payload) for entry in entries) / max(1, len(entries))
    full = sum(entry.full_size[0] * entry.full_size[1] for entry in readable)
    copied = sum(entry.size[0] * entry.size[1] for entry in readable)
    missing = max(0, len(names) - held_before)
    return Survey(
        pictures=len(names),
        size=round(per_picture * len(names)),
        missing=round(per_picture * missing),
        shrinkage=full / copied if copied else 0.0,
    )


def room(cache: PictureCache, space: int | None) -> int:
    """Bytes that may still be added.

    Args:
        cache: The cache.
        space: Bytes that its copies may take up in all; None allows FREE_SHARE of the free disk.
    """
    free = shutil.disk_usage(cache.store.folder).free
    return round(free * FREE_SHARE) if space is None else min(space - cache.store.size, free)


def claim(cache: PictureCache, found: Survey, space: int | None) -> None:
    """Allow a cache to grow to its size.

    Args:
        cache: The cache.
        found: Its size.
        space: Bytes that its copies may take up in all; None allows FREE_SHARE of the free disk.

    Raises:
        DataError: If there is not enough room.
    """
    rest = room(cache, space)
    if found.missing > rest:
        allowed = f"half of what is free on that disk, {in_words(rest)}"
        if space is not None:
            allowed = f"{in_words(max(0, rest))}, which --cache-space and the disk leave"
        raise DataError(
            f"A {cache.kind.name} cache of {found.pictures} pictures needs about "
            f"{in_words(found.missing)} more in {cache.store.folder}.",
            f"It may take up {allowed}.",
            "Allow more with --cache-space GB, set NSML_CACHE_FOLDER to a folder on a larger disk, "
            "or train with --cache off.",
        )
    cache.limit = cache.store.size + rest


def build(
    cache: PictureCache, names: list[str], *, workers: int, on_progress: Callable[[int], None]
) -> int:
    """Make every copy that is missing.

    Args:
        cache: The cache.
        names: File names of all pictures.
        workers: Threads.
        on_progress: Told how many pictures are done, now and then.

    Returns:
        Pictures that could not be read.
    """
    broken = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="cache") as threads:
        for done, entry in enumerate(threads.map(cache.entry, names), start=1):
            broken += entry is None or not entry.size[0]
            if done % 100 == 0 or done == len(names):
                on_progress(done)
    cache.flush()
    return broken


def in_words(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / 1e6:.1f} MB"
