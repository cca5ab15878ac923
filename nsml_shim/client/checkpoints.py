"""`nsml.save` and `nsml.load`: a draft folder, fsynced, then shown under its name."""

from __future__ import annotations

import os
import time
from _thread import allocate_lock  # a tenth of the time that `threading` takes to import
from pathlib import Path

from nsml_shim.client import handover, hooks, reports
from nsml_shim.client.handover import Hook
from nsml_shim.client.session import CURRENT, Session, say
from nsml_shim.protocol import (
    CheckpointRecord,
    SessionFolder,
    draft_in,
    sync_folder,
    write_atomic,
)

MODEL = "model"
"""What a guest's save gets to fill, below the checkpoint's folder."""

_STARTED = time.time()
_publishing = allocate_lock()
"""Guests save from threads too; two of them may save under one name."""


def save(
    checkpoint: object = None,
    save_fn: Hook | None = None,
    *,
    iteration: object = None,
) -> None:
    """Store a model now, under a name; the same name again overwrites.

    When the call returns, the checkpoint is on disk. A crash inside the save function, or at any
    other moment, leaves the previous checkpoint of that name as it was.

    Args:
        checkpoint: Name, int or str; the current time when left out.
        save_fn: Used instead of the bound save function.
        iteration: Older word for `checkpoint`.

    Outside a session, on a rank other than 0 and in a submission this does nothing.

    Raises:
        RuntimeError: If there is neither a bound save function nor `save_fn`, nor an object.

    Source: NSML docs, nsml.save.
    """
    if CURRENT is None or CURRENT.rank != 0:
        return
    given = iteration if checkpoint is None else checkpoint
    name = time.strftime("%Y%m%d_%H%M%S") if given is None else str(given)
    if CURRENT.is_submission:
        say(f"nsml.save({name!r}) is left out: a submission does not change the model store.")
        return
    hook = save_fn or hooks.BOUND.save or _default_save()
    if hook is None:
        raise RuntimeError(
            f"nsml.save({name!r}) needs a save function, but none is bound. "
            "Call nsml.bind(save=...) first, or pass save_fn=."
        )
    _write(CURRENT, name, hook)


def save_folder(checkpoint: object, folder: str | os.PathLike[str]) -> None:
    """Store a copy of a folder (or of one file) as a checkpoint; nothing has to be bound.

    Args:
        checkpoint: Name, int or str.
        folder: What to store.

    Raises:
        FileNotFoundError: If there is no such folder.

    Source: public scripts of 2022.
    """
    if not os.path.exists(folder):
        raise FileNotFoundError(
            f"nsml.save_folder({checkpoint!r}, {os.fspath(folder)!r}): there is no such folder "
            f"below {os.getcwd()}."
        )

    def copy_folder(path: str) -> None:
        import shutil

        if os.path.isdir(folder):
            shutil.copytree(folder, path, dirs_exist_ok=True)
        else:
            shutil.copy2(folder, path)

    save(checkpoint, save_fn=copy_folder)


def _default_save() -> Hook | None:
    from nsml_shim.client import savers

    return savers.save_hook(hooks.BOUND.extras)


def _default_load() -> Hook | None:
    from nsml_shim.client import savers

    return savers.load_hook(hooks.BOUND.extras)


def _write(session: Session, name: str, hook: Hook) -> None:
    draft = draft_in(session.folder.checkpoints)
    draft.mkdir(0o700)
    try:
        (draft / MODEL).mkdir()
        single_file = handover.save(hook, draft / MODEL, hooks.BOUND.extras)
        size, count = _settle(draft)
        if count == 0:
            say("NSML Warning) The folder you are trying to save is empty.")
        if size > session.model_limit:
            say(f"NSML Warning) Cannot upload models over {session.model_limit}")
            return
        with _publishing:
            _publish(session.folder, name, draft, size=size, single_file=single_file)
    finally:
        _remove(draft)


def _publish(
    folder: SessionFolder, name: str, draft: Path, *, size: int, single_file: bool
) -> None:
    """Give the draft its final place and let the index file name it."""
    before = folder.checkpoint_records()
    now = time.time()
    record = CheckpointRecord(
        name=name,
        folder=f".store-{draft.name.removeprefix('.draft-')}",
        saved_at=now,
        elapsed=now - max([_STARTED, *(other.saved_at for other in before)]),
        size=size,
        summary=reports.last(),
        single_file=single_file,
    )
    place = folder.checkpoints / record.folder
    replaced = folder.checkpoint(name)
    try:
        os.replace(draft, place)
        sync_folder(folder.checkpoints)
        write_atomic(folder.index_of(name), record.to_json().encode())
    except BaseException:
        # A signal handler of the guest may end the process by an exception at any line.
        if folder.checkpoint(name) == replaced:
            _remove(place)
        raise
    if replaced:
        _remove_aside(folder.checkpoints / replaced.folder)


def _remove_aside(folder: Path) -> None:
    """Remove a folder that nothing names any more while the guest goes on.

    Giving 30 MB back to the system takes a fifth of the time of a save. The process does not end
    before this has.
    """
    from threading import Thread

    try:
        Thread(target=_remove, args=(folder,), name="remove checkpoint").start()
    except RuntimeError:  # Python is on its way out, and starts nothing any more.
        _remove(folder)


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def _settle(draft: Path) -> tuple[int, int]:
    """Flush every file below `draft` to disk; returns their bytes and their number."""
    size = count = 0
    for parent, _, names in os.walk(draft):
        for name in names:
            path = os.path.join(parent, name)
            if not os.path.isfile(path):  # a dangling link, or a socket somebody left
                continue
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                size += os.fstat(descriptor).st_size
            finally:
                os.close(descriptor)
            count += 1
        sync_folder(Path(parent))
    return size, count


def load(
    checkpoint: object = None,
    load_fn: Hook | None = None,
    session: str | None = None,
    *,
    iteration: object = None,
) -> None:
    """Restore a model that `nsml.save` stored.

    Args:
        checkpoint: Name it was saved under; the newest when left out.
        load_fn: Used instead of the bound load function.
        session: OWNER/DATASET/NUMBER of the session that saved it; this one when left out.
            A submission reads its own session's checkpoints under that name too.
        iteration: Older word for `checkpoint`.

    Outside a session this does nothing. Whatever the load function raises passes through.

    Raises:
        KeyError: If that session saved no checkpoint of that name.
        RuntimeError: If there is neither a bound load function nor `load_fn`, nor an object.

    Source: NSML docs, nsml.load.
    """
    if CURRENT is None:
        return
    given = iteration if checkpoint is None else checkpoint
    folder, record = _find(CURRENT, session or CURRENT.name, given)
    hook = load_fn or hooks.BOUND.load or _default_load()
    if hook is None:
        raise RuntimeError(
            f"nsml.load({record.name!r}) needs a load function, but none is bound. "
            "Call nsml.bind(load=...) first, or pass load_fn=."
        )
    stored = folder.checkpoints / record.folder / MODEL
    handover.load(hook, stored, hooks.BOUND.extras, copy=_private_copy)


def _private_copy(stored: Path) -> Path:
    """A copy of a checkpoint in the session's own folder, where it stays: it may be read later."""
    import shutil

    assert CURRENT is not None  # load() has returned otherwise
    place = draft_in(CURRENT.folder.root)
    shutil.copytree(stored.parent, place)
    return place / stored.name


def _find(current: Session, wanted: str, name: object) -> tuple[SessionFolder, CheckpointRecord]:
    """The checkpoint, in the session named or, for a submission, in the one it came from."""
    places = [wanted]
    if current.instruction and wanted == current.name:
        places.append(current.instruction.session)
    for place in places:
        folder = current.folder_of(place)
        found = None if name is None else folder.checkpoint(str(name))
        records = folder.checkpoint_records() if name is None else [found] if found else []
        if records:
            return folder, max(records, key=lambda record: record.saved_at)
    raise KeyError(f"No model: {wanted}/nsml_model/{'*' if name is None else name},")
