"""`nsml run`: a new session from a folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsml_shim import protocol
from nsml_shim.commands import launch
from nsml_shim.commands.platform import Echo, Platform
from nsml_shim.errors import NoEntry, ShimError
from nsml_shim.names import NO_DATASET, check_dataset
from nsml_shim.sessions import apt, environment, imports, manifest, shelf, snapshot
from nsml_shim.sessions.ignore import DEFAULT_IGNORE as DEFAULT_IGNORE
from nsml_shim.sessions.ignore import select_files
from nsml_shim.sessions.snapshot import Limits
from nsml_shim.settings import Settings
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
    strict: bool = False
    """Refuse other versions than the manifest names, instead of using the nearest."""
    verify: bool = True
    """Whether the limits on files and bytes are kept."""


@dataclass(frozen=True)
class Step:
    """A moment of an upload: one file is about to be read, or has been."""

    name: str
    size: int
    """Bytes."""
    done: bool
    number: int
    """Counts the files from 1."""
    files: int
    sent: int
    """Bytes up to the end of this file."""
    total: int
    """Bytes of all files."""


def run(
    platform: Platform,
    request: RunRequest,
    *,
    echo: Echo,
    info: Echo | None = None,
    progress: Callable[[Step], None] | None = None,
) -> SessionRow:
    """Copy the folder, prepare the environment, start the session.

    Args:
        platform: Settings and store.
        request: What to run.
        echo: Told what the user should know: warnings, what the environment lacks.
        info: Told which check begins and ends.
        progress: Told of each file, before and after it is read.

    Raises:
        NoEntry: If the entry script does not exist.
        NoSuchDataset: If a dataset was never pushed.
        NotEnoughMachine: If it asks for more than this machine has.
        UploadTooLarge: If the folder exceeds the limits.
        EnvironmentFailed: If the session environment cannot be built.
        ShimError: If a file cannot be read, or the owner's quota is smaller than the request.
    """
    folder, entry = request.entry.absolute().parent, request.entry.name
    if not (folder / entry).is_file():
        raise NoEntry(entry, str(folder))
    for name in request.datasets:
        platform.find_dataset(name)
    launch.check_machine(request.gpus)
    launch.check_quota(platform, request.gpus)
    settings = platform.settings
    sizes = _checked(folder, info or _nothing)
    with launch.draft_folder(platform) as draft:
        taken = snapshot.take(
            folder,
            draft.code,
            settings.blobs,
            limits=limits(settings, verify=request.verify),
            progress=_steps(sizes, progress) if progress else None,
        )
        for warning in taken.warnings:
            echo(f"Warning: {warning}")
        python = _environment(settings, request, draft.code, echo)
        return launch.launch(platform, _new_session(settings.owner, request, python), draft)


def _environment(settings: Settings, request: RunRequest, code: Path, echo: Echo) -> Path:
    """The interpreter for a guest; whatever it will lack is told before the session starts."""
    entry = request.entry.name
    needs = manifest.read(code, entry)
    for note in (*needs.notes, *apt.apt_notes(needs.packages)):
        echo(note)
    python = environment.ensure(
        needs, envs=settings.envs, build=request.build, echo=echo, strict=request.strict
    ).python
    own = shelf.own_library(code, entry)
    if own:
        echo(f"Your own {own} is not used: in a session `import nsml` is the platform's library.")
    for line in imports.survey(code, entry, python).lines():
        echo(line)
    return python


def _new_session(owner: str, request: RunRequest, python: Path) -> NewSession:
    return NewSession(
        owner=owner,
        dataset=check_dataset(",".join(request.datasets)) if request.datasets else NO_DATASET,
        kind=protocol.RUN,
        entry=request.entry.name,
        args=tuple(request.args),
        interpreter=str(python),
        memo=request.memo,
        gpus=request.gpus,
        cpus=request.cpus,
        memory=request.memory,
        shm_size=request.shm_size,
        interactive=request.interactive,
    )


def limits(settings: Settings, *, verify: bool = True) -> Limits:
    """What a folder may hold; nothing is checked without `verify`."""
    if not verify:
        return Limits(files=sys.maxsize, bytes=sys.maxsize, warn_bytes=sys.maxsize)
    return Limits(files=settings.max_files, bytes=settings.max_bytes)


def _checked(folder: Path, info: Echo) -> dict[str, int]:
    """Names and bytes of the files that will be uploaded, after a look at each.

    Raises:
        ShimError: If one cannot be read.
    """
    info(".nsmlignore check - start")
    names = select_files(folder)
    info(".nsmlignore check - done")
    info("file integrity check - start")
    unreadable = [str(name) for name in names if not os.access(folder / name, os.R_OK)]
    if unreadable:
        raise ShimError(
            f"file integrity check: {', '.join(unreadable[:3])} cannot be read. "
            "Give yourself the right to read it (chmod u+r), or name it in .nsmlignore."
        )
    info("file integrity check - done")
    return {name.as_posix(): (folder / name).stat().st_size for name in names}


def _steps(
    sizes: Mapping[str, int], told: Callable[[Step], None]
) -> Callable[[str, int, int, int], None]:
    """Turn word of each finished file into words of beginnings and ends."""
    names, total, sent = list(sizes), sum(sizes.values()), 0

    def begin(number: int) -> None:
        name = names[number - 1]
        told(Step(name, sizes[name], False, number, len(names), sent + sizes[name], total))

    def finished(name: str, size: int, number: int, count: int) -> None:
        nonlocal sent
        sent += size
        # A file that grew since it was weighed must not push the sum beyond the whole.
        told(Step(name, size, True, number, count, sent, max(total, sent)))
        if number < min(count, len(names)):
            begin(number + 1)

    if names:
        begin(1)
    return finished


def _nothing(_: str) -> None:
    """Say nothing."""
