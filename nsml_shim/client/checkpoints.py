"""`nsml.save` and `nsml.load`: a draft folder, fsynced, then shown under its name."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from nsml_shim.client import hooks, reports
from nsml_shim.client.session import CURRENT, Session
from nsml_shim.protocol import CheckpointRecord, SessionFolder, sync_folder, write_atomic

MODEL = "model"
"""What a guest's save gets to fill, below the checkpoint's folder."""

_STARTED = time.time()


def save(
    checkpoint: object = None,
    save_fn: hooks.Hook | None = None,
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
        RuntimeError: If there is neither a bound save function nor `save_fn`.

    Source: NSML docs, nsml.save.
    """
    if CURRENT is None or CURRENT.rank != 0:
        return
    given = iteration if checkpoint is None else checkpoint
    name = datetime.now().strftime("%Y%m%d_%H%M%S") if given is None else str(given)
    if CURRENT.is_submission:
        _say(f"nsml.save({name!r}) is left out: a submission does not change the model store.")
        return
    hook = save_fn or hooks.BOUND.save
    if hook is None:
        raise RuntimeError(
            f"nsml.save({name!r}) needs a save function, but none is bound. "
            "Call nsml.bind(save=...) first, or pass save_fn=."
        )
    _write(CURRENT, name, hook)


def _write(session: Session, name: str, hook: hooks.Hook) -> None:
    checkpoints = session.folder.checkpoints
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=checkpoints))
    try:
        (draft / MODEL).mkdir()
        single_file = hooks.call(hook, draft / MODEL) or (draft / MODEL).is_file()
        size, count = _settle(draft)
        if count == 0:
            _say("NSML Warning) The folder you are trying to save is empty.")
        if size > session.model_limit:
            _say(f"NSML Warning) Cannot upload models over {session.model_limit}")
            return
        _publish(session.folder, name, draft, size=size, single_file=single_file)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _publish(
    folder: SessionFolder, name: str, draft: Path, *, size: int, single_file: bool
) -> None:
    """Give the draft its final place and let the index file name it."""
    before = [record for other in folder.checkpoint_names() if (record := folder.checkpoint(other))]
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
    os.replace(draft, folder.checkpoints / record.folder)
    sync_folder(folder.checkpoints)
    replaced = folder.checkpoint(name)
    write_atomic(folder.index_of(name), record.to_json().encode())
    if replaced:
        shutil.rmtree(folder.checkpoints / replaced.folder, ignore_errors=True)


def _settle(draft: Path) -> tuple[int, int]:
    """Flush every file below `draft` to disk; returns their bytes and their number."""
    size = count = 0
    for parent, _, names in os.walk(draft):
        for name in names:
            path = os.path.join(parent, name)
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
    load_fn: hooks.Hook | None = None,
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
        RuntimeError: If there is neither a bound load function nor `load_fn`.

    Source: NSML docs, nsml.load.
    """
    if CURRENT is None:
        return
    given = iteration if checkpoint is None else checkpoint
    folder, record = _find(CURRENT, session or CURRENT.name, given)
    hook = load_fn or hooks.BOUND.load
    if hook is None:
        raise RuntimeError(
            f"nsml.load({record.name!r}) needs a load function, but none is bound. "
            "Call nsml.bind(load=...) first, or pass load_fn=."
        )
    hooks.call(hook, folder.checkpoints / record.folder / MODEL)


def _find(current: Session, wanted: str, name: object) -> tuple[SessionFolder, CheckpointRecord]:
    """The checkpoint, in the session named or, for a submission, in the one it came from."""
    places = [wanted]
    if current.instruction and wanted == current.name:
        places.append(current.instruction.session)
    for place in places:
        folder = current.folder_of(place)
        names = folder.checkpoint_names() if name is None else [str(name)]
        records = [record for other in names if (record := folder.checkpoint(other))]
        if records:
            return folder, max(records, key=lambda record: record.saved_at)
    raise KeyError(f"No model: {wanted}/nsml_model/{'*' if name is None else name},")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
