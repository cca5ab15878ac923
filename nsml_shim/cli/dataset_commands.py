"""dataset ls, board, push."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from nsml_shim.cli import tables, terminal

LS_COLUMNS = ("Name", "Size", "Last Modified", "Author", "Description", "Tag")
BOARD_COLUMNS = ("Owner", "Score", "Submitted", "Session", "Model", "Args", "Count")


@click.group()
def dataset() -> None:
    """Look at datasets and leaderboards; push datasets."""


@dataset.command("ls")
@click.option("-j", "--json-return", "as_json", is_flag=True, help="JSON instead of a table.")
def ls(as_json: bool) -> None:
    """List the datasets.

    \b
    Example: nsml dataset ls
    """
    found = terminal.open_platform().datasets.all()
    if as_json:
        click.echo(json.dumps([vars(row) for row in found], indent=2))
        return
    now = time.time()
    rows = [
        [
            row.name,
            tables.size(row.size),
            tables.ago(now - row.modified_at),
            row.author,
            row.description,
            row.tags,
        ]
        for row in found
    ]
    click.echo(tables.table(LS_COLUMNS, rows))


@dataset.command("board")
@click.option("-j", "--json-return", "as_json", is_flag=True, help="JSON instead of a table.")
@click.argument("name")
def board(name: str, as_json: bool) -> None:
    """Show the leaderboard of a dataset: the best submission of each owner.

    \b
    Example: nsml dataset board review_img
    """
    from nsml_shim.commands import datasets as command

    rows = command.board(terminal.open_platform(), name)
    if as_json:
        click.echo(json.dumps([vars(row) for row in rows], indent=2))
        return
    now = time.time()
    cells = [
        [
            row.owner,
            row.score_text,
            tables.ago(now - row.submitted_at),
            row.source,
            row.checkpoint,
            " ".join(row.args),
            str(row.count),
        ]
        for row in rows
    ]
    click.echo(tables.table(BOARD_COLUMNS, cells))


@dataset.command("push")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
def push(name: str, path: Path) -> None:
    """Store a folder as a dataset, or as the next version of one.

    The folder holds train/, test/test_data, test/test_label (which no session ever sees),
    data_loader.py, evaluation.py and dataset.toml.

    \b
    Example: nsml dataset push review_img datasets/review_img/demo
    """
    from nsml_shim.commands import datasets as command

    platform = terminal.open_platform()
    pushed = command.push(platform, name, path, progress=terminal.counting("Copying files"))
    if pushed.changed:
        size = tables.size(pushed.size)
        click.echo(
            f"Dataset {name} is pushed (version {pushed.version}, {pushed.files} files, {size})"
        )
    else:
        click.echo(f"Dataset {name} is up to date (version {pushed.version})")
