"""Ask a session to evaluate code, as `nsml exec` does; its library answers through files."""

from __future__ import annotations

import json
import os
import time

from nsml_shim.errors import ShimError
from nsml_shim.protocol import ANSWER, REQUEST, Answer, SessionFolder, write_atomic

POLL_SECONDS = 0.02


def ask(folder: SessionFolder, code: str, *, timeout: float) -> Answer:
    """Let a session evaluate code in the scope it published last.

    Args:
        folder: Of the session.
        code: An expression, or statements.
        timeout: Seconds to wait for the answer. A session that is already evaluating goes on, but
            nobody reads its answer.

    Raises:
        ShimError: If the session has ended, or gave no answer in time.
    """
    deadline = time.monotonic() + timeout
    while not folder.exec.is_dir():
        _still(folder, deadline, timeout)
    # Questions are answered in the order of their names.
    question = f"{time.time_ns():020d}-{os.getpid()}"
    request, answer = (folder.exec / f"{question}{ending}" for ending in (REQUEST, ANSWER))
    write_atomic(request, json.dumps({"code": code}).encode())
    try:
        while not answer.exists():
            _still(folder, deadline, timeout)
        return Answer.from_json(answer.read_text(encoding="utf-8"))
    finally:
        request.unlink(missing_ok=True)
        answer.unlink(missing_ok=True)


def _still(folder: SessionFolder, deadline: float, timeout: float) -> None:
    """Wait a moment for a session that may yet answer.

    Raises:
        ShimError: If it will not.
    """
    if folder.exit.exists():
        raise ShimError(
            "The session has ended, so it evaluates nothing any more. "
            "`nsml logs SESSION` shows what it printed, `nsml fork SESSION` goes on from a model."
        )
    if time.monotonic() > deadline:
        reason = (
            "it is busy with something else"
            if folder.exec.is_dir()
            else "it has not published a scope; its script does so by nsml.report(scope=locals()) "
            "or nsml.paused(scope=locals())"
        )
        raise ShimError(f"The session did not answer within {timeout:g} seconds: {reason}.")
    time.sleep(POLL_SECONDS)
