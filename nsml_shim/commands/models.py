"""`nsml model rm` and `nsml model pull`: forget checkpoints, fetch one."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from urllib.parse import quote

from nsml_shim.commands import copying
from nsml_shim.commands.copying import Told
from nsml_shim.commands.fork import pick_checkpoint, refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import CheckpointNotFound
from nsml_shim.names import SessionName
from nsml_shim.sessions import snapshot


def remove(platform: Platform, name: SessionName, pattern: str) -> list[str]:
    """Forget the checkpoints whose name matches; returns their names.

    Args:
        platform: Settings and store.
        name: Which session; it may be running.
        pattern: A name, or a pattern with `*` and `?`.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission.
        CheckpointNotFound: If nothing matches.
    """
    row = platform.find_session(name)
    refuse_submission("rm", row)
    folder = platform.folder(row)
    names = folder.checkpoint_names()
    # A key may hold a star itself: what is named exactly is meant exactly.
    doomed = [pattern] if pattern in names else fnmatch.filter(sorted(names), pattern)
    if not doomed:
        raise CheckpointNotFound(str(name), pattern, names)
    for checkpoint in doomed:
        record = folder.checkpoint(checkpoint)
        # First the index, so that nobody finds half a checkpoint.
        folder.index_of(checkpoint).unlink(missing_ok=True)
        platform.checkpoints.remove(row.id, checkpoint)
        if record:
            snapshot.remove_tree(folder.checkpoints / record.folder, platform.settings.blobs)
    return doomed


def pull(
    platform: Platform, name: SessionName, checkpoint: str, into: Path, *, force: bool, told: Told
) -> Path:
    """Copy a checkpoint to the new folder `into`/OWNER_DATASET_N/CHECKPOINT/model.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission.
        CheckpointNotFound: If it saved no such checkpoint.
        InvalidOption: If the folder is there already and `force` is off.
    """
    row = platform.find_session(name)
    refuse_submission("pull", row)
    folder = platform.folder(row)
    record = pick_checkpoint(row, folder, checkpoint)
    stored = folder.checkpoints / record.folder
    # Below the checkpoint's folder lies what the guest filled: a folder, or a single file.
    filled = stored / "model"
    source = filled if filled.is_dir() else stored
    # A key may hold a slash, which a folder name may not.
    target = into / copying.local_name(name) / quote(record.name, safe=" ") / "model"
    return copying.copy_files(copying.files_below(source), target, force=force, told=told)
