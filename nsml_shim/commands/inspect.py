"""Look into sessions: `logs`, `model ls`, `command`."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator

from nsml_shim import protocol
from nsml_shim.commands.fork import refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.names import NO_DATASET, SessionName
from nsml_shim.store.checkpoints import CheckpointRow
from nsml_shim.store.sessions import SessionRow

POLL_SECONDS = 0.1
CHUNK = 1 << 16
COMMANDS = {
    protocol.RUN: "run",
    protocol.FORK: "fork",
    protocol.INFER: "infer",
    protocol.SUBMIT: "submit",
    protocol.TRIAL: "submit",
}
"""The command that starts each type of session."""


def log(platform: Platform, name: SessionName, *, follow: bool) -> Iterator[bytes]:
    """The session's log so far; with `follow` also what comes, until the session has ended.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission (a dry run's log may be read).
    """
    row = platform.find_session(name)
    if row.kind != protocol.TRIAL:
        refuse_submission("logs", row)
    folder = platform.folder(row)
    while follow and not folder.log.exists() and not platform.find_session(name).has_ended:
        time.sleep(POLL_SECONDS)
    if not folder.log.exists():
        return
    with open(folder.log, "rb") as file:
        while True:
            # Looked up before reading: what is written before the exit is still read below.
            ended = folder.exit.exists()
            while chunk := file.read(CHUNK):
                yield chunk
            if ended or not follow or platform.find_session(name).has_ended:
                yield file.read()
                return
            time.sleep(POLL_SECONDS)


def checkpoints(platform: Platform, name: SessionName) -> list[CheckpointRow]:
    """Checkpoints of a session, oldest first, as they are on disk now.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission.
    """
    row = platform.find_session(name)
    refuse_submission("ls", row)
    folder = platform.folder(row)
    records = folder.checkpoint_records()
    rows = [CheckpointRow(r.name, r.saved_at, r.elapsed, r.summary, r.size) for r in records]
    return sorted(rows, key=lambda row: row.saved_at)


def command_line(row: SessionRow) -> str:
    """The command that starts such a session again; options at their default are left out."""
    words = ["nsml", COMMANDS[row.kind]]
    if row.kind == protocol.RUN:
        words += [] if row.dataset == NO_DATASET else ["-d", row.dataset]
        words += ["-e", row.entry, "-g", str(row.gpus)]
        words += ["-c", str(row.cpus)] if row.cpus else []
        words += ["--memory", _amount(row.memory)] if row.memory else []
        words += ["--shm-size", _amount(row.shm_size)] if row.shm_size else []
        words += ["-m", row.memo] if row.memo else []
        words += ["-i"] if row.interactive else []
    elif row.kind == protocol.FORK:
        words += ["-c", row.checkpoint, "-g", str(row.gpus)]
    elif row.kind == protocol.TRIAL:
        words.append("-t")
    if row.args and row.kind in (protocol.RUN, protocol.FORK):
        words += ["-a", shlex.join(row.args)]
    if row.parent:
        words.append(row.parent)
    if row.kind in (protocol.INFER, protocol.SUBMIT, protocol.TRIAL):
        words.append(row.checkpoint)
    return shlex.join(words)


def _amount(size: int) -> str:
    """Bytes as `--memory` takes them: `24G`, `1500M`, `1000`."""
    for unit, factor in (("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)
