"""`nsml run`: a new session from a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsml_shim import protocol
from nsml_shim.commands import launch
from nsml_shim.commands.platform import Echo, Platform
from nsml_shim.errors import NoEntry
from nsml_shim.names import NO_DATASET, check_dataset
from nsml_shim.sessions import environment, manifest, snapshot
from nsml_shim.store.sessions import NewSession, SessionRow


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What `nsml run` was asked for."""

    entry: Path
    """Entry script; its folder is what gets uploaded."""
    datasets: Sequence[str] = ()
    args: Sequence[str] = ()
    """Arguments of the script, handed over unchanged."""
    gpus: int = 1
    cpus: int = 2
    memory: int = 0
    """Bytes; 0 is no limit."""
    shm_size: int = 0
    """Bytes."""
    memo: str = ""
    interactive: bool = False
    build: bool = True
    """Whether a session environment may be built."""


def run(
    platform: Platform,
    request: RunRequest,
    *,
    echo: Echo,
    progress: Callable[[str, int, int, int], None] | None = None,
) -> SessionRow:
    """Copy the folder, prepare the environment, start the session.

    Args:
        platform: Settings and store.
        request: What to run.
        echo: Told what is going on, line by line.
        progress: Told of each file: its name, its bytes, files done, files in total.

    Raises:
        NoEntry: If the entry script does not exist.
        NoSuchDataset: If a dataset was never pushed.
        NotEnoughMachine: If it asks for more than this machine has.
        UploadTooLarge: If the folder exceeds the limits.
        EnvironmentFailed: If the session environment cannot be built.
    """
    folder, entry = request.entry.absolute().parent, request.entry.name
    if not (folder / entry).is_file():
        raise NoEntry(entry, str(folder))
    for name in request.datasets:
        platform.find_dataset(name)
    launch.check_machine(request.gpus)
    settings = platform.settings
    with launch.draft_folder(platform) as draft:
        limits = snapshot.Limits(files=settings.max_files, bytes=settings.max_bytes)
        taken = snapshot.take(folder, draft.code, settings.blobs, limits=limits, progress=progress)
        for warning in taken.warnings:
            echo(f"Warning: {warning}")
        interpreter = environment.ensure(
            manifest.read(draft.code, entry), envs=settings.envs, build=request.build, echo=echo
        )
        new = NewSession(
            owner=settings.owner,
            dataset=check_dataset(",".join(request.datasets)) if request.datasets else NO_DATASET,
            kind=protocol.RUN,
            entry=entry,
            args=tuple(request.args),
            interpreter=str(interpreter.python),
            memo=request.memo,
            gpus=request.gpus,
            cpus=request.cpus,
            memory=request.memory,
            shm_size=request.shm_size,
            interactive=request.interactive,
        )
        return launch.launch(platform, new, draft)
