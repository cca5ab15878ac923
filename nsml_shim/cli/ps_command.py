"""ps."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.options import json_option
from nsml_shim.cli.verbs import Verb

if TYPE_CHECKING:
    from nsml_shim.commands.listing import Listed

COLUMNS = (
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
CAUSE = "Cause"
DETAILS = ("GPUs", "Entry", "From", "Exit code")


@click.command(cls=Verb)
@click.option("-a", "--all", "ended", is_flag=True, help="Also sessions that have ended.")
@click.option("-n", "--last", type=click.IntRange(1), help="Only so many of the newest.")
@click.option("-d", "--data", "dataset", help="Only sessions on this dataset.")
@click.option("-s", "--search", help="Only sessions whose name contains this.")
@click.option("-v", "--verbose", is_flag=True, help="More columns.")
@click.option("-q", "--quiet", is_flag=True, help="Names only.")
@json_option
def ps(
    ended: bool,
    last: int | None,
    dataset: str | None,
    search: str | None,
    verbose: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """List running sessions, newest first.

    \b
    Example: nsml ps -a -n 5
    """
    from nsml_shim.commands import listing

    listed = listing.sessions(
        terminal.open_platform(), ended=ended, last=last, dataset=dataset, search=search
    )
    if quiet:
        for line in listed:
            click.echo(str(line.session.name))
    elif as_json:
        click.echo(json.dumps([_as_json(line) for line in listed], indent=2))
    else:
        header = [*COLUMNS, CAUSE, *DETAILS]
        header = header[: len(header) if verbose else len(COLUMNS) + ended]
        rows = [_as_cells(line, now=time.time())[: len(header)] for line in listed]
        click.echo(tables.table(header, rows))


def _as_cells(line: Listed, *, now: float) -> list[str]:
    session = line.session
    started = session.started_at is not None
    return [
        str(session.name),
        tables.ago(now - session.created_at) if started else "Not created yet",
        " ".join(line.arguments),
        session.status,
        tables.summary(session.summary),
        session.memo,
        str(line.models),
        tables.size(line.size),
        session.kind,
        session.cause,
        ", ".join(session.slots) or str(session.gpus),
        session.entry,
        f"{session.parent} {session.checkpoint}".strip(),
        "" if session.exit_code is None else str(session.exit_code),
    ]


def _as_json(line: Listed) -> dict[str, object]:
    session = line.session
    return {
        "name": str(session.name),
        "status": session.status,
        "cause": session.cause,
        "exit_code": session.exit_code,
        "type": session.kind,
        "entry": session.entry,
        "args": list(session.args),
        "summary": dict(session.summary),
        "description": session.memo,
        "models": line.models,
        "size": line.size,
        "gpus": session.gpus,
        "slots": list(session.slots),
        "cpus": session.cpus,
        "memory": session.memory,
        "parent": session.parent,
        "checkpoint": session.checkpoint,
        "created_at": session.created_at,
        "started_at": session.started_at,
        "ended_at": session.ended_at,
    }
