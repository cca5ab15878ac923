"""The code of a session: frozen when it starts, copied for it to work in, removed with it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsml_shim.errors import UploadTooLarge
from nsml_shim.protocol import sync_folder
from nsml_shim.sessions import blobs as storage
from nsml_shim.sessions.ignore import select_files

MIB = 1 << 20

Progress = Callable[[str, int, int, int], None]
"""Called after each file: its path, its bytes, how many files are done, how many there are."""


@dataclass(frozen=True)
class Limits:
    """How much a folder may hold.

    Source: NSML's documents: 100 files, 50 MiB, a warning above 10 MB.
    """

    files: int = 100
    """Most files."""
    bytes: int = 50 * MIB
    """Most bytes of all files."""
    warn_bytes: int = 10 * MIB
    """Bytes above which the snapshot carries a warning."""


@dataclass(frozen=True)
class Snapshot:
    """What was frozen."""

    files: int
    """Number of files."""
    bytes: int
    """Their size together."""
    digest: str
    """sha256 over names, modes and contents; equal folders have equal digests."""
    warnings: tuple[str, ...] = ()
    """Sentences for the user: what was left out, what is large, what changed meanwhile."""


def take(
    folder: Path,
    into: Path,
    blobs: Path,
    *,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Snapshot:
    """Freeze `folder`, minus what `.nsmlignore` names, as the new folder `into`.

    The files are read-only links to blobs; `into` appears complete or not at all.

    Raises:
        UploadTooLarge: If the files exceed a limit; nothing is stored then.
    """
    limits = limits or Limits()
    warnings: list[str] = []
    names = select_files(folder, warnings.append)
    sizes = {name: (folder / name).stat().st_size for name in names}
    _check(sizes, limits, warnings)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=into.parent))
    try:
        draft.chmod(0o755)
        kept = [_keep(folder, name, draft, blobs) for name in _shown(names, sizes, progress)]
        _sync_tree(draft)
        os.rename(draft, into)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_folder(into.parent)
    moving = [name.as_posix() for name, blob in zip(names, kept, strict=True) if not blob.steady]
    warnings += [
        f"{name} changed while it was read; the session gets what was read." for name in moving
    ]
    size = sum(blob.size for blob in kept)
    return Snapshot(len(kept), size, _digest(names, kept), tuple(warnings))


def materialise(code: Path, work: Path) -> None:
    """Copy a snapshot to the new folder `work`, whose files the session may change.

    Never links: a session that writes into its working folder must not reach the blobs. Copies
    share their blocks where the file system can do that.
    """
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=work.parent))
    try:
        draft.chmod(0o755)
        shutil.copytree(code, draft, copy_function=_copy_writable, dirs_exist_ok=True)
        os.rename(draft, work)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def adopt(folder: Path, blobs: Path) -> int:
    """Share the files of a finished checkpoint folder through `blobs`; returns the bytes saved."""
    return storage.adopt(folder, blobs)


def remove_tree(folder: Path, blobs: Path) -> int:
    """Remove a folder, and the blobs that nothing else links to.

    The folder vanishes from its name in one step; what an interruption leaves behind is removed by
    the next call.

    Returns:
        Bytes that were really freed: files still linked from elsewhere count nothing.
    """
    doomed = folder.with_name(f".removed-{folder.name}")
    freed = _delete(doomed, blobs) if doomed.exists() else 0
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, doomed)
        freed += _delete(doomed, blobs)
    return freed


def _delete(folder: Path, blobs: Path) -> int:
    sizes: dict[int, int] = {}
    here: Counter[int] = Counter()
    links: dict[int, int] = {}
    for parent, folders, names in os.walk(folder):
        os.chmod(parent, stat.S_IRWXU)  # a guest may have made it read-only
        for name in (*folders, *names):
            found = os.lstat(os.path.join(parent, name))
            if stat.S_ISREG(found.st_mode):
                sizes[found.st_ino], links[found.st_ino] = found.st_size, found.st_nlink
                here[found.st_ino] += 1
    shutil.rmtree(folder)
    shared = {inode for inode, count in here.items() if links[inode] > count}
    gone = storage.prune(blobs, shared) if shared else set[int]()
    return sum(size for inode, size in sizes.items() if inode not in shared or inode in gone)


def _check(sizes: dict[Path, int], limits: Limits, warnings: list[str]) -> None:
    total = sum(sizes.values())
    if len(sizes) > limits.files:
        crowded = Counter(f"{name.parts[0]}/" if len(name.parts) > 1 else "./" for name in sizes)
        largest = [f"{name} ({count} files)" for name, count in crowded.most_common(3)]
        raise UploadTooLarge("total number of files", str(limits.files), str(len(sizes)), largest)
    by_size = sorted(sizes.items(), key=lambda item: -item[1])
    largest = [f"{name.as_posix()} ({_mib(size)})" for name, size in by_size[:3]]
    if total > limits.bytes:
        raise UploadTooLarge("total size of files", _mib(limits.bytes), _mib(total), largest)
    if total > limits.warn_bytes:
        warnings.append(
            f"The folder holds {_mib(total)}; every session keeps what it uploads. "
            f"The largest: {', '.join(largest)}."
        )


def _shown(
    names: Sequence[Path], sizes: dict[Path, int], progress: Progress | None
) -> Iterable[Path]:
    for done, name in enumerate(names, start=1):
        yield name
        if progress:
            progress(name.as_posix(), sizes[name], done, len(names))


def _keep(folder: Path, name: Path, draft: Path, blobs: Path) -> storage.Blob:
    target = draft / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return storage.link(folder / name, target, blobs)


def _copy_writable(source: str, target: str) -> str:
    with open(source, "rb") as reader, open(target, "wb") as writer:
        left = os.fstat(reader.fileno()).st_size
        while left and (copied := _copy_in_kernel(reader.fileno(), writer.fileno(), left)):
            left -= copied
        if left:
            shutil.copyfileobj(reader, writer)
    mode = stat.S_IMODE(os.stat(source).st_mode)
    os.chmod(target, mode | stat.S_IWUSR)
    return target


def _copy_in_kernel(reader: int, writer: int, size: int) -> int:
    """Bytes copied without passing through this process; 0 where the system cannot do it."""
    if not hasattr(os, "copy_file_range"):
        return 0
    try:
        return os.copy_file_range(reader, writer, size)
    except OSError:
        return 0  # cannot do it between these files: the caller copies, and meets any real error


def _digest(names: Sequence[Path], kept: Sequence[storage.Blob]) -> str:
    digest = hashlib.sha256()
    for name, blob in zip(names, kept, strict=True):
        digest.update(os.fsencode(f"{blob.path.name}\0{name.as_posix()}\0"))
    return digest.hexdigest()


def _sync_tree(folder: Path) -> None:
    for parent, _, _ in os.walk(folder):
        sync_folder(Path(parent))


def _mib(size: int) -> str:
    return f"{size / MIB:.3g} MiB" if size >= MIB / 10 else f"{size / 1024:.3g} KiB"
