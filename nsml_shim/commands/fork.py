"""`nsml fork`: a new session from a checkpoint, with the code of the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nsml_shim import protocol
from nsml_shim.commands import launch
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import CheckpointNotFound, SessionRefused
from nsml_shim.names import SessionName
from nsml_shim.protocol import CheckpointRecord, SessionFolder
from nsml_shim.store.sessions import NewSession, SessionRow


@dataclass(frozen=True, kw_only=True)
class ForkRequest:
    """What `nsml fork` was asked for; None takes over what the source had."""

    source: SessionName
    checkpoint: str | None = None
    """The newest one when left out."""
    args: Sequence[str] | None = None
    gpus: int | None = None
    cpus: int | None = None
    memory: int | None = None
    shm_size: int | None = None
    memo: str = ""


def fork(platform: Platform, request: ForkRequest) -> SessionRow:
    """Start a session that goes on from a checkpoint.

    Raises:
        NoSuchSession: If the source does not exist.
        SessionRefused: If the source is a submission.
        CheckpointNotFound: If it saved no such checkpoint, or none at all.
        NotEnoughMachine: If it asks for more than this machine has.
    """
    source = platform.find_session(request.source)
    refuse_submission("fork", source)
    checkpoint = pick_checkpoint(source, platform.folder(source), request.checkpoint)
    gpus = source.gpus if request.gpus is None else request.gpus
    launch.check_machine(gpus)
    with launch.draft_folder(platform) as draft:
        launch.link_code(platform.folder(source), draft)
        new = NewSession(
            owner=source.owner,
            dataset=source.dataset,
            kind=protocol.FORK,
            entry=source.entry,
            args=source.args if request.args is None else tuple(request.args),
            interpreter=source.interpreter,
            memo=request.memo or f"fork of {source.name} from {checkpoint.name}",
            gpus=gpus,
            cpus=source.cpus if request.cpus is None else request.cpus,
            memory=source.memory if request.memory is None else request.memory,
            shm_size=source.shm_size if request.shm_size is None else request.shm_size,
            parent=str(source.name),
            checkpoint=checkpoint.name,
        )
        return launch.launch(platform, new, draft)


def resume(platform: Platform, name: SessionName) -> SessionRow:
    """Go on from the newest checkpoint of a session that has ended, as a new session.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission, or still running.
        CheckpointNotFound: If it saved nothing.
        NotEnoughMachine: If it asks for more than this machine has.
    """
    source = platform.find_session(name)
    refuse_submission("resume", source)
    if not source.has_ended:
        raise SessionRefused(
            "resume", str(name), f"it is {source.status}; `nsml fork` copies a running session"
        )
    return fork(platform, ForkRequest(source=name, memo=f"resume of {name}"))


def refuse_submission(verb: str, session: SessionRow) -> None:
    """A submission has seen test data: nothing of it is shown or reused.

    Raises:
        SessionRefused: If the session is a submission.
    """
    if session.kind in (protocol.SUBMIT, protocol.TRIAL):
        raise SessionRefused(verb, str(session.name), "Only nsml rm is valid for submit sessions")


def pick_checkpoint(
    session: SessionRow, folder: SessionFolder, wanted: str | None
) -> CheckpointRecord:
    """The checkpoint named, or the newest one.

    Raises:
        CheckpointNotFound: If there is no such checkpoint.
    """
    names = folder.checkpoint_names()
    if wanted is not None:
        record = folder.checkpoint(wanted)
        if record is None:
            raise CheckpointNotFound(str(session.name), wanted, names)
        return record
    records = [record for name in names if (record := folder.checkpoint(name))]
    if not records:
        raise CheckpointNotFound(str(session.name), "(the newest)", names)
    return max(records, key=lambda record: record.saved_at)
