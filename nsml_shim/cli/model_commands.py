"""model ls, rm, pull."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.file_commands import local_path
from nsml_shim.cli.file_commands import quiet as say_nothing
from nsml_shim.cli.options import force_option, json_option
from nsml_shim.cli.verbs import Verbs
from nsml_shim.names import SessionName

if TYPE_CHECKING:
    from nsml_shim.commands.inspect import CheckpointRow

COLUMNS = ("Checkpoint", "Last Modified", "Elapsed", "Summary", "Size")


@click.group(cls=Verbs, epilog="\b\nExample: nsml model ls team/review_img/1")
def model() -> None:
    """Look at the checkpoints of a session, fetch and delete them."""


@model.command("ls")
@click.option("-q", "--quiet", is_flag=True, help="Names only.")
@json_option
@click.argument("session")
def ls(session: str, quiet: bool, as_json: bool) -> None:
    """List the checkpoints of a session, oldest first.

    \b
    Example: nsml model ls team/review_img/1
    """
    from nsml_shim.commands import inspect

    found = inspect.checkpoints(terminal.open_platform(), SessionName.parse(session))
    if quiet:
        for row in found:
            click.echo(row.name)
        return
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


@model.command("rm")
@click.argument("session")
@click.argument("checkpoints", metavar="CHECKPOINT", nargs=-1, required=True)
def rm(session: str, checkpoints: tuple[str, ...]) -> None:
    """Delete checkpoints; `*` and `?` match several.

    \b
    Example: nsml model rm team/review_img/1 'epoch_1*'
    """
    from nsml_shim.commands import models

    platform, name = terminal.open_platform(), SessionName.parse(session)
    for checkpoint in checkpoints:
        models.remove(platform, name, checkpoint)


@model.command("pull")
@click.option("-v", "--verbose", is_flag=True, help="Name each file.")
@force_option
@click.argument("session")
@click.argument("checkpoint")
@local_path
def pull(session: str, checkpoint: str, path: Path, force: bool, verbose: bool) -> None:
    """Fetch the files of a checkpoint, as PATH/OWNER_DATASET_N/CHECKPOINT/model.

    \b
    Example: nsml model pull team/review_img/1 best ./
    """
    from nsml_shim.commands import models

    platform, name = terminal.open_platform(), SessionName.parse(session)
    told = terminal.note if verbose else say_nothing
    click.echo(models.pull(platform, name, checkpoint, path, force=force, told=told))
