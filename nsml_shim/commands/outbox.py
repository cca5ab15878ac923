"""Read what a submission left behind, as files that somebody else wrote.

A guest that knows where the labels lie can leave a link to them. Its sandbox cannot follow it, but
the platform could: therefore nothing here follows a link.
"""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

from nsml_shim.errors import EvaluationFailed
from nsml_shim.protocol import SessionFolder

EVENTS_LIMIT = 1 << 20
"""Bytes of progress lines that are looked at; an honest session writes a few hundred."""


def prepare(folder: SessionFolder) -> None:
    """Make the outbox before the guest starts."""
    folder.outbox.checkpoints.mkdir(parents=True)


def events(folder: SessionFolder) -> list[str]:
    """Complete progress lines that the session has written so far."""
    try:
        with _open(folder.outbox.events) as file:
            text = file.read(EVENTS_LIMIT).decode("utf-8", errors="replace")
    except OSError:  # not yet written, or not a file of its own: no progress to show
        return []
    return text[: text.rfind("\n") + 1].splitlines()


def take_prediction(folder: SessionFolder) -> Path:
    """Copy the prediction to where the guest cannot reach it; returns that path.

    Raises:
        EvaluationFailed: If the session left no plain file there.
    """
    try:
        with _open(folder.outbox.prediction) as source, open(folder.prediction, "wb") as target:
            shutil.copyfileobj(source, target)
    except OSError as error:
        raise EvaluationFailed(f"The session left no prediction file: {error.strerror}.") from error
    return folder.prediction


def _open(path: Path) -> BinaryIO:
    """Open a plain file; links, pipes and devices are refused, and nothing is waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "it is not a plain file")
    return os.fdopen(descriptor, "rb")
