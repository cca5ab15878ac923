"""`nsml infer`: a session that keeps a checkpoint loaded and answers `nsml exec`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nsml_shim import protocol
from nsml_shim.commands import launch
from nsml_shim.commands.fork import pick_checkpoint, refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import NoEntry
from nsml_shim.names import NO_DATASET, SessionName, check_dataset
from nsml_shim.store.sessions import NewSession, SessionRow


@dataclass(frozen=True, kw_only=True)
class InferRequest:
    """What `nsml infer` was asked for; None takes over what the source had."""

    source: SessionName
    checkpoint: str
    datasets: Sequence[str] | None = None
    entry: str | None = None
    """Another script of the same uploaded code."""


def infer(platform: Platform, request: InferRequest) -> SessionRow:
    """Start the service; it stays until it is stopped or removed.

    Raises:
        NoSuchSession: If the source does not exist.
        SessionRefused: If it is a submission.
        CheckpointNotFound: If it saved no such checkpoint.
        NoSuchDataset: If a dataset was never pushed.
        NoEntry: If the uploaded code holds no such script.
    """
    source = platform.find_session(request.source)
    refuse_submission("infer", source)
    record = pick_checkpoint(source, platform.folder(source), request.checkpoint)
    dataset = source.dataset
    if request.datasets is not None:
        dataset = check_dataset(",".join(request.datasets)) if request.datasets else NO_DATASET
    platform.find_datasets(dataset)
    entry = stored_entry(platform, source, request.entry)
    gpus = min(source.gpus, 1)
    launch.check_machine(gpus)
    with launch.draft_folder(platform) as draft:
        launch.link_code(platform.folder(source), draft)
        new = NewSession(
            owner=source.owner,
            dataset=dataset,
            kind=protocol.INFER,
            entry=entry,
            args=source.args,
            interpreter=source.interpreter,
            memo=f"infer of {source.name} {record.name}",
            gpus=gpus,
            cpus=source.cpus,
            memory=source.memory,
            shm_size=source.shm_size,
            parent=str(source.name),
            checkpoint=record.name,
        )
        return launch.launch(platform, new, draft)


def stored_entry(platform: Platform, source: SessionRow, entry: str | None) -> str:
    """A script of the code that a session was started with; its own entry unless another is named.

    Raises:
        NoEntry: If the code holds no such script.
    """
    if entry is None:
        return source.entry
    code = platform.folder(source).code
    if not (code / entry).resolve().is_relative_to(code.resolve()) or not (code / entry).is_file():
        raise NoEntry(entry, f"The code of {source.name}")
    return entry
