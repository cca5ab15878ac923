"""model ls."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.names import SessionName

if TYPE_CHECKING:
    from nsml_shim.commands.inspect import CheckpointRow

COLUMNS = ("Checkpoint", "Last Modified", "Elapsed", "Summary", "Size")


@click.group()
def model() -> None:
    """Look at the checkpoints of a session."""


@model.command("ls")
@click.option("-j", "--json-return", "as_json", is_flag=True, help="JSON instead of a table.")
@click.argument("session")
def ls(session: str, as_json: bool) -> None:
    """List the checkpoints of a session, oldest first.

    \b
    Example: nsml model ls team/review_img/1
    """
    from nsml_shim.commands import inspect

    found = inspect.checkpoints(terminal.open_platform(), SessionName.parse(session))
    if as_json:
        click.echo(json.dumps([_as_json(row) for row in found], indent=2))
        return
    now = time.time()
    rows = [
        [
            row.name,
            tables.ago(now - row.saved_at),
            f"{row.elapsed:.3f}",
            tables.full_summary(row.summary),
            tables.size(row.size),
        ]
        for row in found
    ]
    click.echo(tables.table(COLUMNS, rows))


def _as_json(row: CheckpointRow) -> dict[str, object]:
    return {
        "checkpoint": row.name,
        "saved_at": row.saved_at,
        "elapsed": row.elapsed,
        "summary": dict(row.summary),
        "size": row.size,
    }
