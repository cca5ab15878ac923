"""Content-addressed storage: one copy of each content, named by its sha256, shared by hard links.

No lock is needed. A blob appears complete (draft, then rename), and one that is removed while
another process is about to link to it is stored again by that process.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nsml_shim.protocol import sync_folder

CHUNK = 1 << 20
"""Bytes read at a time."""
ATTEMPTS = 5
"""Times a file that changes under the reader, or a blob that vanishes, is tried again."""

_CANNOT_LINK = {errno.EXDEV, errno.EMLINK, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP}


@dataclass(frozen=True)
class Blob:
    """One content in storage."""

    path: Path
    """The file that holds it, below the folder of blobs."""
    digest: str
    """sha256 of its bytes, hexadecimal."""
    size: int
    """Bytes."""
    steady: bool = True
    """Whether the source held still while it was read; else the blob is what was read."""


def store(source: Path, blobs: Path) -> Blob:
    """Keep the content of `source`; the source may change or go away afterwards.

    What is hashed is what was copied, so the blob always fits its name.
    """
    if known := _known(source, blobs):
        return known
    draft = _draft(blobs)
    try:
        digest, size, executable, steady = _copy_hashed(source, draft)
        for _ in range(ATTEMPTS - 1):
            if steady:
                break
            digest, size, executable, steady = _copy_hashed(source, draft)
        return Blob(_publish(draft, blobs, digest, executable=executable), digest, size, steady)
    finally:
        draft.unlink(missing_ok=True)


def link(source: Path, target: Path, blobs: Path) -> Blob:
    """Store `source` and show its blob as `target`, a new name.

    Where the file system cannot link (another device, too many links) `target` is a copy.
    """
    for attempt in range(ATTEMPTS):
        blob = store(source, blobs)
        try:
            os.link(blob.path, target)
        except FileNotFoundError:
            # Somebody pruned the blob between its rename and our link. A target folder that is
            # missing ends here as well.
            if attempt == ATTEMPTS - 1:
                raise
            continue
        except OSError as error:
            if error.errno not in _CANNOT_LINK:
                raise
            shutil.copyfile(blob.path, target)
            shutil.copymode(blob.path, target)
        return blob
    raise AssertionError("the last attempt returns or raises")


def adopt(folder: Path, blobs: Path) -> int:
    """Share the files of a finished folder, so that equal ones are stored once.

    Each file is replaced in one step, or left as it is where the file system cannot link. Files
    that vanish meanwhile, because their checkpoint was overwritten, are skipped.

    Returns:
        Bytes that need no longer be stored, because an equal blob was there.
    """
    blobs.mkdir(parents=True, exist_ok=True)
    saved = 0
    for path in list(_regular_files(folder)):
        try:
            saved += _adopt_file(path, blobs)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno not in _CANNOT_LINK:
                raise
    return saved


def prune(blobs: Path, inodes: set[int]) -> set[int]:
    """Remove those blobs of the given inodes that no file links to; returns their inodes."""
    gone: set[int] = set()
    for entry in _entries(blobs):
        if entry.inode() in inodes and os.stat(entry.path).st_nlink == 1:
            os.unlink(entry.path)
            gone.add(entry.inode())
    return gone


def _known(source: Path, blobs: Path) -> Blob | None:
    """The blob that already holds the content of `source`, found without writing anything."""
    with open(source, "rb") as file:
        before = os.fstat(file.fileno())
        digest = _digest(file.fileno())
        size, after = os.lseek(file.fileno(), 0, os.SEEK_CUR), os.fstat(file.fileno())
    path = _path(blobs, digest, executable=bool(before.st_mode & stat.S_IXUSR))
    steady = _unchanged(before, after) and size == after.st_size
    return Blob(path, digest, size) if steady and path.exists() else None


def _unchanged(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)


def _adopt_file(path: Path, blobs: Path) -> int:
    # Hash through a link of our own: digest and inode belong together, whatever happens to `path`.
    draft = _draft(blobs)
    draft.unlink()
    os.link(path, draft)
    try:
        before = draft.stat()
        with open(draft, "rb") as file:
            digest = _digest(file.fileno())
            os.fsync(file.fileno())
        executable = bool(before.st_mode & stat.S_IXUSR)
        blob = _path(blobs, digest, executable=executable)
        if not blob.exists():
            _publish(draft, blobs, digest, executable=executable)
            return 0
        if blob.stat().st_ino == before.st_ino:
            return 0
        draft.unlink()
        os.link(blob, draft)
        os.replace(draft, path)
        sync_folder(path.parent)
        return before.st_size
    finally:
        draft.unlink(missing_ok=True)


def _copy_hashed(source: Path, draft: Path) -> tuple[str, int, bool, bool]:
    """Copy to `draft`; returns digest, size, whether executable, whether the source held still."""
    digest = hashlib.sha256()
    with open(source, "rb") as reader, open(draft, "wb") as writer:
        before = os.fstat(reader.fileno())
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
        size, after = writer.tell(), os.fstat(reader.fileno())
    steady = _unchanged(before, after) and size == after.st_size
    return digest.hexdigest(), size, bool(before.st_mode & stat.S_IXUSR), steady


def _publish(draft: Path, blobs: Path, digest: str, *, executable: bool) -> Path:
    path = _path(blobs, digest, executable=executable)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        draft.chmod(0o555 if executable else 0o444)
        os.replace(draft, path)
        sync_folder(path.parent)
    return path


def _path(blobs: Path, digest: str, *, executable: bool) -> Path:
    # The mode belongs to the inode, so the same bytes with and without the executable bit are two.
    return blobs / digest[:2] / (f"{digest}.x" if executable else digest)


def _draft(blobs: Path) -> Path:
    blobs.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".draft-", dir=blobs)
    os.close(descriptor)
    return Path(name)


def _digest(descriptor: int) -> str:
    digest = hashlib.sha256()
    while chunk := os.read(descriptor, CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _regular_files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink() and path.is_file():
                yield path


def _entries(blobs: Path) -> Iterator[os.DirEntry[str]]:
    try:
        shelves = [entry.path for entry in os.scandir(blobs) if entry.is_dir()]
    except FileNotFoundError:
        return
    for shelf in shelves:
        with os.scandir(shelf) as entries:
            yield from entries
