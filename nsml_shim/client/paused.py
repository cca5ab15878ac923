"""`nsml.paused`: do what the platform asked for, then go on (fork) or end (submit, infer)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from nsml_shim import protocol
from nsml_shim.client import checkpoints, console
from nsml_shim.client.session import CURRENT, Session, say

_waits = itertools.count(1)


def paused(scope: Mapping[str, Any] | None = None) -> None:
    """Hand control to the platform; call it right after `bind`, when `--pause` is 1.

    In a fork the checkpoint is loaded and the call returns. In a submission the checkpoint is
    loaded, the dataset's loader calls the bound infer function, its prediction is written, and
    the process ends inside the call. In a service (`nsml infer`) the checkpoint is loaded, then
    `nsml exec` is answered until the session is stopped. In a session that was started with
    `--pause 1` by hand the call waits until `nsml exec SESSION "done()"` releases it. Outside a
    session it returns at once.

    Args:
        scope: The caller's `locals()`, published for `nsml exec`.

    Source: NSML docs, nsml.paused.
    """
    if CURRENT is None:
        return
    console.publish(CURRENT, scope)
    if CURRENT.rank == 0:
        print("Paused.", flush=True)
    instruction = CURRENT.instruction
    if instruction is None:
        _wait(CURRENT)
    elif instruction.action == protocol.FORK:
        checkpoints.load(instruction.checkpoint, session=instruction.session)
    else:
        from nsml_shim.client import assignment

        if instruction.action == protocol.INFER:
            assignment.answer(CURRENT, instruction, wait=_wait)
        else:
            assignment.predict_test_data(CURRENT, instruction)


def pause(scope: Mapping[str, Any] | None = None) -> None:
    """Do what `paused` does; a misspelling that got by on the original platform."""
    say("nsml.pause is spelt nsml.paused; it is understood here, other platforms may refuse it.")
    paused(scope)


def _wait(session: Session) -> None:
    """Answer `nsml exec` until `done()` is called; the other ranks wait for rank 0."""
    # Numbered, so that the release of one wait does not end the next.
    released = session.folder.exec / f"released-{next(_waits)}"
    if session.rank == 0:
        console.serve(session, until=released.exists, done=released.touch)
    else:
        while not released.exists():
            console.time.sleep(console.POLL_SECONDS)
