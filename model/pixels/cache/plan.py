"""Whether a cache pays, how large it will be, and where it lies; said before it is built."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.pixels.cache.kinds import JPEG, KINDS, CacheKind
from model.pixels.cache.pictures import PictureCache
from model.pixels.cache.shrink import upright_size
from model.pixels.cache.store import Store
from model.pixels.table import DataError

OFF, AUTO = "off", "auto"
"""No cache; a JPEG cache where it pays and fits."""
SAMPLE = 32
"""Pictures that are looked at to tell the size of the whole."""
FREE_SHARE = 0.5
"""Share of the free disk that a cache takes without being told that it may."""
WORTH_WHILE = 2.0
"""Pixels of the files per pixel of the copies from which a cache is made without being asked for:
below, decoding the copy takes about as long as decoding the file."""
PORTION = 1000
"""Pictures between two lines of progress."""
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


@dataclass(frozen=True)
class CacheWish:
    """What a user asks for."""

    kind: str
    """Name of a kind, OFF or AUTO."""
    root: Path
    """Folder of all caches."""
    space: int | None = None
    """Bytes that the copies may take up in all; None allows FREE_SHARE of the free disk."""
    repeated: bool = True
    """Whether every picture is read more than once; AUTO makes no cache otherwise."""
    must_fit: bool = True
    """Whether too small a disk is an error; otherwise copies are made, but not all are kept."""


def prepare_cache(
    folder: Path, names: list[str], wish: CacheWish, say: Callable[[str], None]
) -> PictureCache | None:
    """The cache that a user asks for, its size told; None without one. Nothing is made yet.

    Args:
        folder: Where the pictures lie.
        names: Their file names, at least one.
        wish: What is asked for.
        say: Gets a line about the decision.

    Raises:
        DataError: If the cache is asked for by name and its folder cannot be used, or is too small.
    """
    if wish.kind == OFF or (wish.kind == AUTO and not wish.repeated):
        return None
    try:
        return _prepared(folder, names, wish, say)
    except DataError as error:
        if wish.kind != AUTO:
            raise
        say(f"Without a picture cache: {str(error).splitlines()[0]}")
        return None


def _prepared(
    folder: Path, names: list[str], wish: CacheWish, say: Callable[[str], None]
) -> PictureCache | None:
    kind = JPEG if wish.kind == AUTO else KINDS[wish.kind]
    if wish.kind == AUTO and sampled_shrinkage(folder, names, kind) < WORTH_WHILE:
        return None  # and no folder is made
    cache = open_cache(folder, kind, wish.root)
    found = survey(cache, names)
    say(
        f"Picture cache: {kind.words}; {found.pictures} pictures, about {in_words(found.size)}, "
        f"{len(cache.store)} of them there already, in {cache.store.folder}"
    )
    try:
        claim(cache, found, wish.space)
    except DataError as error:
        if wish.must_fit:
            raise
        say(f"Not all copies are kept: {str(error).splitlines()[0]}")
        cache.limit = cache.store.size + max(0, room(cache, wish.space))
    return cache


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


def sampled_shrinkage(folder: Path, names: list[str], kind: CacheKind) -> float:
    """Pixels of the files per pixel of the copies; 0 if no picture of the sample is readable."""
    sizes = [size for name in _sample(names) if (size := upright_size(folder / name)) is not None]
    copied = sum(math.prod(kind.size_of(*size)) for size in sizes)
    return sum(map(math.prod, sizes)) / copied if copied else 0.0


def survey(cache: PictureCache, names: list[str]) -> Survey:
    """Look at a few pictures to tell the size of the whole; nothing is kept.

    Args:
        cache: The cache.
        names: File names of all pictures, at least one.
    """
    entries = [entry for name in _sample(names) if (entry := cache.peek(name)) is not None]
    per_picture = sum(len(entry.payload) for entry in entries) / max(1, len(entries))
    missing = max(0, len(names) - len(cache.store))
    return Survey(len(names), round(per_picture * len(names)), round(per_picture * missing))


def _sample(names: list[str]) -> list[str]:
    places = np.linspace(0, len(names) - 1, min(SAMPLE, len(names))).astype(int)
    return [names[place] for place in places]


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
    cache: PictureCache, names: list[str], *, workers: int, on_progress: Callable[[int, int], None]
) -> int:
    """Make every copy that is missing.

    Args:
        cache: The cache.
        names: File names of all pictures.
        workers: Threads.
        on_progress: Called as on_progress(done, total) now and then.

    Returns:
        Pictures that could not be read.
    """
    broken = done = 0
    with ThreadPoolExecutor(workers, thread_name_prefix="cache") as threads:
        # In portions, so that results do not pile up.
        for start in range(0, len(names), PORTION):
            for entry in threads.map(cache.entry, names[start : start + PORTION]):
                done += 1
                broken += entry is None or not entry.size[0]
            on_progress(done, len(names))
    cache.flush()
    return broken


def in_words(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / 1e6:.1f} MB"


def gigabytes(text: str) -> int:
    """Gigabytes as a user writes them, in bytes.

    Raises:
        ValueError: If it is no such number.
    """
    size = float(text) * GIGABYTE
    if not 0 <= size < 1e18:
        raise ValueError(f"{text!r} is not a number of gigabytes from 0.")
    return int(size)
