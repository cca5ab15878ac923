"""pull, download, plot: files of a session for the user's own folder."""

from __future__ import annotations

import json
from pathlib import Path

import click

from nsml_shim.cli import terminal
from nsml_shim.cli.options import force_option
from nsml_shim.cli.verbs import Verb
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName

local_path = click.argument("path", type=click.Path(path_type=Path, file_okay=False))


def quiet(_: str) -> None:
    """Say nothing about single files."""


@click.command(cls=Verb)
@click.option("-v", "--verbose", is_flag=True, help="Name each file.")
@force_option
@click.argument("session")
@local_path
def pull(session: str, path: Path, force: bool, verbose: bool) -> None:
    """Fetch the files that were uploaded with a session, as PATH/OWNER_DATASET_N.

    \b
    Example: nsml pull team/review_img/1 ./
    """
    from nsml_shim.commands import files

    platform, name = terminal.open_platform(), SessionName.parse(session)
    told = terminal.note if verbose else quiet
    click.echo(files.pull(platform, name, path, force=force, told=told))


@click.command(cls=Verb)
@click.option("-s", "--single", metavar="REMOTE", help="Only this file or folder, /app/...")
@click.option("-v", "--verbose", is_flag=True, help="Name each file.")
@force_option
@click.argument("session")
@local_path
def download(session: str, path: Path, single: str | None, force: bool, verbose: bool) -> None:
    """Fetch the files of a session's working directory, as PATH/OWNER_DATASET_N.

    A single file or folder goes to PATH itself.

    \b
    Example: nsml download team/review_img/1 ./ -s '/app/main.py'
    """
    from nsml_shim.commands import files

    platform, name = terminal.open_platform(), SessionName.parse(session)
    told = terminal.note if verbose else quiet
    if single is None:
        click.echo(files.download(platform, name, path, force=force, told=told))
    else:
        click.echo(files.download_one(platform, name, single, path, force=force, told=told))


@click.command(cls=Verb)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The page. [default: one below NSML_HOME/plots, made anew each time]",
)
@force_option
@click.option(
    "-j",
    "--json-return",
    "as_json",
    is_flag=True,
    help="Print all that was reported as JSON, and write no page (docs/json.md).",
)
@click.argument("sessions", nargs=-1, required=True)
def plot(sessions: tuple[str, ...], output: Path | None, force: bool, as_json: bool) -> None:
    """Write a page with the curves of sessions, one plot per metric; prints its path.

    The page is complete in one file; any browser opens it.

    \b
    Example: nsml plot team/review_img/1 team/review_img/2
    """
    from nsml_shim.commands import plot as command

    chosen = [SessionName.parse(session) for session in sessions]
    if as_json and output is not None:
        raise InvalidOption(
            "-o", str(output), "-o without -j: JSON is printed, and `> FILE` keeps it"
        )
    if as_json:
        click.echo(json.dumps(command.reported(terminal.open_platform(), chosen), indent=2))
        return
    click.echo(command.plot(terminal.open_platform(), chosen, output, force=force))
