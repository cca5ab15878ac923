"""run."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.options import ByteSize, names, split_args, verbose_option
from nsml_shim.cli.verbs import Verb, accepted
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName

if TYPE_CHECKING:
    from nsml_shim.commands.platform import Platform, SessionRow


def _print_ignored(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from nsml_shim.commands.run import DEFAULT_IGNORE

        click.echo("\n".join(DEFAULT_IGNORE))
        ctx.exit()


def _print_limits(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from nsml_shim.commands.run import limits

        found = limits(terminal.open_platform().settings)
        click.echo(f"total number of files: {found.files} (`max_files` in nsml.toml)")
        size = tables.binary_size(found.bytes)
        click.echo(f"total size of files: {size} (`max_megabytes` in nsml.toml)")
        click.echo(f"a warning is given above: {tables.binary_size(found.warn_bytes)}")
        ctx.exit()


@click.command(cls=Verb)
@click.option(
    "-d", "--dataset", "datasets", multiple=True, help="Dataset; repeat it or use commas."
)
@click.option("-e", "--entry", help="Entry script. [default: main.py]")
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
    "--cpu",
    "cpus",
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
@click.option(
    "--strict", is_flag=True, help="Refuse versions that setup.py does not name; else the nearest."
)
@click.option("--no-verify", is_flag=True, help="Upload without a look at the limits.")
@click.option(
    "--show-limits",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_limits,
    help="Print the limits on uploads, and exit.",
)
@click.option(
    "--show-default-nsmlignore",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_ignored,
    help="Print what is never uploaded, and exit.",
)
@verbose_option
@accepted("--nfs-output", why="there is no NFS; keep files in the working directory.")
@accepted("-n", "--nodes", metavar="INT", why="a session has one node, this machine.")
@accepted("--gpu-model", metavar="NAME", why="the GPUs are those of this machine.")
@accepted("--gpu-driver-version", metavar="VERSION", why="the driver is that of this machine.")
@accepted("--esm", metavar="ID", why="NSML never said what it means.")
@accepted("--queue", metavar="NAME", why="there is one queue, first come, first served.")
@click.argument("file", required=False)
def run(
    file: str | None,
    datasets: tuple[str, ...],
    entry: str | None,
    args: str,
    gpus: int,
    cpus: int,
    memory: int,
    shm_size: int,
    memo: str,
    interactive: bool,
    no_build: bool,
    strict: bool,
    no_verify: bool,
    verbose: bool,
) -> None:
    """Start the entry script of this folder as a session.

    Everything beside the entry script is uploaded, except what .nsmlignore names. FILE is another
    way to name the entry script, as NSML took it in 2017.

    \b
    Example: nsml run -d review_img -g 2 -a "--recipe smoke --seed 1"
    """
    from nsml_shim.commands import run as command

    if file and entry:
        raise InvalidOption("FILE", file, f"one entry script; -e names {entry} already")
    platform = terminal.open_platform()
    request = command.RunRequest(
        entry=Path(file or entry or "main.py"),
        datasets=names(datasets),
        args=split_args(args),
        gpus=gpus,
        cpus=cpus,
        memory=memory,
        shm_size=shm_size,
        memo=memo,
        interactive=interactive,
        build=not no_build,
        strict=strict,
        verify=not no_verify,
    )
    session = command.run(
        platform, request, echo=terminal.note, info=terminal.info, progress=terminal.uploading
    )
    started(platform, session, verbose=verbose)
    if interactive:
        from nsml_shim.commands.stop import remove

        stream(platform, session.name, follow=True)
        remove(platform, platform.find_session(session.name), force=False, keep_files=False)


def started(platform: Platform, session: SessionRow, *, verbose: bool) -> None:
    """The line that launch scripts parse, and one line on what `-g` means here."""
    from nsml_shim.commands.launch import machine_slots

    if verbose:
        terminal.note(f"Interpreter: {session.interpreter}")
        terminal.note(f"Arguments: {' '.join(session.args) or '(none)'}")
        terminal.note(f"Folder: {platform.folder(session).root}")
    if machine_slots().kind == "cpu" and session.gpus:
        workers = f"{session.gpus} CPU worker{'s' if session.gpus > 1 else ''}"
        terminal.note(f"No GPU on this machine: -g {session.gpus} gives the session {workers}.")
    click.echo(f"Session {session.name} is started")


def stream(platform: Platform, name: SessionName, *, follow: bool) -> None:
    """Copy a session's log to standard output, byte by byte as it was written."""
    from nsml_shim.commands import inspect

    for chunk in inspect.log(platform, name, follow=follow):
        sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
