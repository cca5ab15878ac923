"""`nsml.cache`: what a preprocessing function wrote is computed once per owner and dataset."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from nsml_shim.client.handover import Hook
from nsml_shim.client.session import CURRENT, Session, say
from nsml_shim.protocol import draft_in, sync_folder, write_atomic

PROCESSED = "./processed"
"""Where a function writes if nothing else is said."""


class _Entry(NamedTuple):
    """What is kept for one function."""

    folder: str
    """Folder of the outputs, which are called 0, 1, 2 ...; relative to the caches."""
    outputs: int
    """Number of outputs."""
    session: str
    """Session that computed them."""
    saved_at: float
    """Seconds since the epoch."""


def cache(
    preprocess_fn: Hook | None = None,
    *,
    output_path: str | Sequence[str] | None = None,
    **kwargs: Any,
) -> None:
    """Bring the files that a function computes; it is called only where nobody has done so yet.

    The results are kept for all sessions of the owner on this dataset, under the *name* of the
    function: rename it when it should compute something else. Sessions that ask for the same name
    at the same time wait for the first. A submission reads what training sessions kept, and keeps
    nothing itself; outside a session the function is always called.

    Args:
        preprocess_fn: Called as `preprocess_fn(output_path=..., **kwargs)`; it writes a file or a
            folder to every path in `output_path`.
        output_path: Where the files shall lie; `["./processed"]` when left out.
        **kwargs: Passed to the function.

    Raises:
        TypeError: If there is no function.

    Source: NSML docs, nsml.cache.
    """
    if preprocess_fn is None:
        raise TypeError(
            "nsml.cache needs the function that computes the files: nsml.cache(preprocess, ...)."
        )
    given = [PROCESSED] if output_path is None else output_path
    outputs = [Path(given)] if isinstance(given, str) else [Path(path) for path in given]
    for output in outputs:
        output.parent.mkdir(parents=True, exist_ok=True)
    name = _name(preprocess_fn)
    if CURRENT is None:
        preprocess_fn(output_path=given, **kwargs)
        return
    with _turn(CURRENT, name) as may_keep:
        if _bring(CURRENT, name, outputs):
            return
        preprocess_fn(output_path=given, **kwargs)
        if may_keep:
            _keep(CURRENT, name, outputs)
        else:
            say(f"nsml.cache: what {name} computed is not kept, {_why_not(CURRENT)}.")


def _name(function: Hook) -> str:
    function = getattr(function, "func", function)  # what a partial calls
    return str(getattr(function, "__name__", type(function).__name__))


def _why_not(session: Session) -> str:
    if session.is_submission:
        return "a submission leaves nothing behind"
    return f"{session.caches} cannot be written"


@contextmanager
def _turn(session: Session, name: str) -> Generator[bool]:
    """Wait until no other session works on this name; yields whether results may be kept."""
    lock = session.caches / f"{quote(name, safe='')}.lock"
    may_keep = not session.is_submission
    try:
        if may_keep:
            lock.parent.mkdir(parents=True, exist_ok=True)
        flags = (os.O_RDWR | os.O_CREAT) if may_keep else os.O_RDONLY
        descriptor = os.open(lock, flags | os.O_CLOEXEC, 0o644)
    except OSError:  # nothing kept yet and nothing to be kept: no one to wait for
        yield False
        return
    try:
        mode = fcntl.LOCK_EX if may_keep else fcntl.LOCK_SH
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"nsml.cache: another process is busy with {name}; waiting for it.")
            fcntl.flock(descriptor, mode)
        yield may_keep
    finally:
        os.close(descriptor)


def _index(session: Session, name: str) -> Path:
    return session.caches / f"{quote(name, safe='')}.json"


def _entry(session: Session, name: str) -> _Entry | None:
    try:
        return _Entry(**json.loads(_index(session, name).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def _bring(session: Session, name: str, outputs: Sequence[Path]) -> bool:
    """Copy what is kept to where it is wanted; False if it is not kept."""
    entry = _entry(session, name)
    if entry is None:
        return False
    if entry.outputs != len(outputs):
        say(
            f"nsml.cache: {name} is kept with {entry.outputs} outputs, but {len(outputs)} are "
            "wanted; it is computed again."
        )
        return False
    for at, output in enumerate(outputs):
        _copy(session.caches / entry.folder / str(at), output)
    day = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.saved_at))
    say(
        f"nsml.cache: {name} comes from {entry.session} ({day}); rename the function to "
        "compute it again."
    )
    return True


def _keep(session: Session, name: str, outputs: Sequence[Path]) -> None:
    import shutil

    missing = [str(output) for output in outputs if not output.exists()]
    if missing:
        say(f"NSML Warning) {name} wrote nothing to {', '.join(missing)}, so it is not kept.")
        return
    draft = draft_in(session.caches)
    try:
        for at, output in enumerate(outputs):
            _copy(output, draft / str(at))
        _sync(draft)
        place = session.caches / f".store-{draft.name.removeprefix('.draft-')}"
        old = _entry(session, name)
        os.replace(draft, place)
        entry = _Entry(place.name, len(outputs), session.name, time.time())
        write_atomic(_index(session, name), json.dumps(entry._asdict()).encode())
        if old:
            shutil.rmtree(session.caches / old.folder, ignore_errors=True)
    except OSError as error:
        say(f"NSML Warning) nsml.cache could not keep {name}: {error}. The script goes on.")
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a file or a folder; what is already the same stays untouched.

    Each file appears as a whole: other ranks of the session may be reading it.
    """
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for inner in source.iterdir():
            _copy(inner, target / inner.name)
        return
    import shutil

    target.parent.mkdir(parents=True, exist_ok=True)
    if _same(source, target):
        return
    draft = draft_in(target.parent)
    try:
        shutil.copy2(source, draft)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def _same(source: Path, target: Path) -> bool:
    """Whether size and time agree, which is what rsync goes by."""
    try:
        ours, theirs = source.stat(), target.stat()
    except FileNotFoundError:
        return False
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def _sync(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                os.fsync(file.fileno())
        sync_folder(Path(parent))
