"""The arguments that the platform adds to the user's own."""

from __future__ import annotations

from nsml_shim import protocol
from nsml_shim.store.sessions import SessionRow


def reserved(row: SessionRow) -> list[str]:
    """What the script gets besides the user's arguments; a run gets nothing.

    Source: NSML docs, reserved arguments; its `ps` showed no --iteration on submissions.
    """
    if row.kind == protocol.RUN:
        return []
    return {
        protocol.FORK: ["--pause", "1", "--iteration", row.checkpoint],
        protocol.INFER: ["--mode", "infer", "--pause", "1"],
        protocol.SUBMIT: ["--mode", "test", "--pause", "1"],
        protocol.TRIAL: ["--mode", "test", "--pause", "1"],
    }.get(row.kind, [])
