"""`nsml pull` and `nsml download`: fetch what a session was given, and what it made."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from nsml_shim.commands import copying
from nsml_shim.commands.copying import Told
from nsml_shim.commands.fork import refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName
from nsml_shim.protocol import SessionFolder

APP = PurePosixPath("/app")
"""Working directory of every session, as it sees it."""
ALLOWED = re.compile(r"[A-Za-z0-9._\-+\[\]{}()' /]*")
"""Letters that NSML took in the name of a single file."""


def pull(platform: Platform, name: SessionName, into: Path, *, force: bool, told: Told) -> Path:
    """Copy the uploaded files of a session to the new folder `into`/OWNER_DATASET_N.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission.
        InvalidOption: If the folder is there already and `force` is off.
    """
    folder = _folder(platform, name, "pull")
    target = into / copying.local_name(name)
    return copying.copy_files(copying.files_below(folder.code), target, force=force, told=told)


def download(platform: Platform, name: SessionName, into: Path, *, force: bool, told: Told) -> Path:
    """Copy the working directory of a session to the new folder `into`/OWNER_DATASET_N.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission.
        InvalidOption: If the folder is there already and `force` is off.
    """
    folder = _folder(platform, name, "download")
    target = into / copying.local_name(name)
    return copying.copy_files(copying.files_below(folder.work), target, force=force, told=told)


def download_one(
    platform: Platform, name: SessionName, remote: str, into: Path, *, force: bool, told: Told
) -> Path:
    """Copy one file or folder of a session's working directory into the folder `into`.

    Args:
        platform: Settings and store.
        name: Which session.
        remote: Absolute path as the session sees it, `/app/...`.
        into: Folder that receives it.
        force: Replace what has the same name there.
        told: Told the name of each file.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission.
        InvalidOption: If there is no such file, its name cannot be, or it is there already.
    """
    work = _folder(platform, name, "download").work
    if not ALLOWED.fullmatch(remote):
        raise InvalidOption(
            "-s",
            remote,
            "no Invalid filename character; letters, digits, . _ - + [ ] { } ( ) ' and space",
        )
    source = _inside(work, remote)
    target = into / source.name
    if source.is_dir():
        return copying.copy_files(copying.files_below(source), target, force=force, told=told)
    copying.refuse_existing(target, force=force)
    into.mkdir(parents=True, exist_ok=True)
    copying.remove_existing(target)
    copying.copy_file(source, target)
    told(target.name)
    return target


def _inside(work: Path, remote: str) -> Path:
    """The file that a session knows as `remote`; never one outside its working directory."""
    path = PurePosixPath(remote)
    # Without bubblewrap a session knows its files by the paths of the machine.
    for root in (APP, PurePosixPath(work)):
        if path.is_relative_to(root):
            found = work / path.relative_to(root)
            if found.exists() and found.resolve().is_relative_to(work.resolve()):
                return found
            raise InvalidOption(
                "-s", remote, "a file or folder below /app; `nsml sh SESSION ls` shows them"
            )
    raise InvalidOption("-s", remote, "an absolute path of the session, such as /app/main.py")


def _folder(platform: Platform, name: SessionName, verb: str) -> SessionFolder:
    row = platform.find_session(name)
    refuse_submission(verb, row)
    return platform.folder(row)
