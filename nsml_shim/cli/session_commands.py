"""run, ps, logs, stop, rm, fork."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.options import ByteSize, split_args
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName

if TYPE_CHECKING:
    from nsml_shim.commands.inspect import Listed
    from nsml_shim.commands.platform import Platform, SessionRow

PS_COLUMNS = (
    "Name",
    "Created",
    "Args",
    "Status",
    "Summary",
    "Description",
    "# of Models",
    "Size",
    "Type",
)


@click.command()
@click.option(
    "-d", "--dataset", "datasets", multiple=True, help="Dataset; repeat it or use commas."
)
@click.option("-e", "--entry", default="main.py", show_default=True, help="Entry script.")
@click.option("-a", "--args", default="", help="Arguments of the entry script, in quotes.")
@click.option(
    "-g",
    "--gpus",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    help="GPUs, or CPU workers on a machine without one.",
)
@click.option(
    "-c",
    "--cpus",
    default=0,
    type=click.IntRange(0),
    help="Bind the session to so many CPUs. [default: all]",
)
@click.option(
    "--memory",
    default="24G",
    show_default=True,
    type=ByteSize(),
    help="A session that uses more is ended.",
)
@click.option(
    "--shm-size",
    default="1G",
    show_default=True,
    type=ByteSize(),
    help="Shared memory, for engines with containers; here a session uses the machine's.",
)
@click.option("-m", "--memo", default="", help="Description, shown by `nsml ps`.")
@click.option(
    "-i",
    "--interactive",
    is_flag=True,
    help="Stream the log, and remove the session when it has ended.",
)
@click.option(
    "--no-build", is_flag=True, help="Use this Python as it is, whatever setup.py asks for."
)
@click.option("--hide-client-log", is_flag=True, help="Print nothing but the result.")
def run(
    datasets: tuple[str, ...],
    entry: str,
    args: str,
    gpus: int,
    cpus: int,
    memory: int,
    shm_size: int,
    memo: str,
    interactive: bool,
    no_build: bool,
    hide_client_log: bool,
) -> None:
    """Start the entry script of this folder as a session.

    Everything beside the entry script is uploaded, except what .nsmlignore names.

    \b
    Example: nsml run -d review_img -g 2 -a "--recipe smoke --seed 1"
    """
    from nsml_shim.commands import run as command

    platform = terminal.open_platform()
    request = command.RunRequest(
        entry=Path(entry),
        datasets=[name for joined in datasets for name in joined.split(",") if name],
        args=split_args(args),
        gpus=gpus,
        cpus=cpus,
        memory=memory,
        shm_size=shm_size,
        memo=memo,
        interactive=interactive,
        build=not no_build,
    )
    session = command.run(
        platform,
        request,
        echo=_nothing if hide_client_log else terminal.note,
        progress=None if hide_client_log else terminal.uploading,
    )
    _started(session, quiet=hide_client_log)
    if interactive:
        from nsml_shim.commands.stop import remove

        _stream(platform, session.name, follow=True)
        remove(platform, platform.find_session(session.name), force=False, keep_files=False)


@click.command()
@click.option("-a", "--all", "ended", is_flag=True, help="Also sessions that have ended.")
@click.option("-n", "--last", type=click.IntRange(1), help="Only so many of the newest.")
@click.option("-d", "--data", "dataset", help="Only sessions on this dataset.")
@click.option("-s", "--search", help="Only sessions whose name contains this.")
@click.option("-j", "--json-return", "as_json", is_flag=True, help="JSON instead of a table.")
def ps(
    ended: bool, last: int | None, dataset: str | None, search: str | None, as_json: bool
) -> None:
    """List running sessions, newest first.

    \b
    Example: nsml ps -a -n 5
    """
    from nsml_shim.commands import inspect

    listed = inspect.sessions(
        terminal.open_platform(), ended=ended, last=last, dataset=dataset, search=search
    )
    if as_json:
        click.echo(json.dumps([_as_json(line) for line in listed], indent=2))
        return
    header = [*PS_COLUMNS, "Cause"] if ended else list(PS_COLUMNS)
    rows = [_as_cells(line, now=time.time())[: len(header)] for line in listed]
    click.echo(tables.table(header, rows))


def _as_cells(line: Listed, *, now: float) -> list[str]:
    session = line.session
    started = session.started_at is not None
    return [
        str(session.name),
        tables.ago(now - session.created_at) if started else "Not created yet",
        " ".join(session.args),
        session.status,
        tables.summary(session.summary),
        session.memo,
        str(line.models),
        tables.size(line.size),
        session.kind,
        session.cause,
    ]


def _as_json(line: Listed) -> dict[str, object]:
    session = line.session
    return {
        "name": str(session.name),
        "status": session.status,
        "cause": session.cause,
        "exit_code": session.exit_code,
        "type": session.kind,
        "args": list(session.args),
        "summary": dict(session.summary),
        "description": session.memo,
        "models": line.models,
        "size": line.size,
        "gpus": session.gpus,
        "created_at": session.created_at,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
    }


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on until the session has ended.")
@click.argument("session")
def logs(session: str, follow: bool) -> None:
    """Print the log of a session.

    \b
    Example: nsml logs -f team/review_img/1
    """
    _stream(terminal.open_platform(), SessionName.parse(session), follow=follow)


def _stream(platform: Platform, name: SessionName, *, follow: bool) -> None:
    from nsml_shim.commands import inspect

    for chunk in inspect.log(platform, name, follow=follow):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()


@click.command()
@click.argument("session")
def stop(session: str) -> None:
    """End a running session; its log and checkpoints stay.

    \b
    Example: nsml stop team/review_img/1
    """
    from nsml_shim.commands import stop as command

    platform = terminal.open_platform()
    command.stop(platform, platform.find_session(SessionName.parse(session)))
    click.echo(f"Session {session} is stopped")


@click.command()
@click.option("-f", "--force", is_flag=True, help="Also a session that is still running.")
@click.option("-s", "--skip", is_flag=True, help="Leave its files on disk.")
@click.argument("sessions", nargs=-1, required=True)
def rm(sessions: tuple[str, ...], force: bool, skip: bool) -> None:
    """Delete sessions with their logs and checkpoints; `*` and `?` match several.

    \b
    Example: nsml rm 'team/review_img/1*'
    """
    from nsml_shim.commands.stop import remove

    platform = terminal.open_platform()
    freed = 0
    matched = {row.id: row for pattern in sessions for row in platform.match_sessions(pattern)}
    if not matched:
        raise InvalidOption("SESSION", " ".join(sessions), "a pattern that matches a session")
    for row in matched.values():
        freed += remove(platform, row, force=force, keep_files=skip)
        click.echo(f"Session {row.name} is removed")
    click.echo(f"{tables.size(freed)} freed")


@click.command()
@click.option("-c", "--checkpoint", help="Checkpoint to go on from. [default: the newest]")
@click.option("-a", "--args", help="Arguments of the new session. [default: those of the old one]")
@click.option("-g", "--gpus", type=click.IntRange(0), help="GPUs. [default: as before]")
@click.option("--cpu", "--cpus", "cpus", type=click.IntRange(0), help="CPUs. [default: as before]")
@click.option("--memory", type=ByteSize(), help="Memory. [default: as before]")
@click.option("--shm-size", type=ByteSize(), help="Shared memory. [default: as before]")
@click.option("-m", "--memo", default="", help="Description.")
@click.argument("session")
def fork(
    session: str,
    checkpoint: str | None,
    args: str | None,
    gpus: int | None,
    cpus: int | None,
    memory: int | None,
    shm_size: int | None,
    memo: str,
) -> None:
    """Start a new session from a checkpoint, with the code of the old one.

    The script gets `--pause 1 --iteration CHECKPOINT` in addition.

    \b
    Example: nsml fork -c last team/review_img/1
    """
    from nsml_shim.commands import fork as command
    from nsml_shim.names import split_checkpoint

    platform = terminal.open_platform()
    source, named = split_checkpoint(session, None)
    request = command.ForkRequest(
        source=source,
        checkpoint=checkpoint or named,
        args=None if args is None else split_args(args),
        gpus=gpus,
        cpus=cpus,
        memory=memory,
        shm_size=shm_size,
        memo=memo,
    )
    _started(command.fork(platform, request), quiet=False)


def _started(session: SessionRow, *, quiet: bool) -> None:
    """The line that launch scripts parse, and one line on what `-g` means here."""
    from nsml_shim.commands.launch import machine_slots

    if machine_slots().kind == "cpu" and session.gpus and not quiet:
        workers = f"{session.gpus} CPU worker{'s' if session.gpus > 1 else ''}"
        terminal.note(f"No GPU on this machine: -g {session.gpus} gives the session {workers}.")
    click.echo(f"Session {session.name} is started")


def _nothing(_: str) -> None:
    """Say nothing."""
