"""dataset ls, search, board, fs."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.dataset_owner_commands import change, pull, push, rm
from nsml_shim.cli.options import json_option
from nsml_shim.cli.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nsml_shim.commands.datasets import DatasetRow

LS_COLUMNS = ("Name", "Size", "Last Modified", "Author", "Description", "Tag")
BOARD_COLUMNS = ("Owner", "Score", "Submitted", "Session", "Model", "Args", "Count")
FILE_COLUMNS = ("Name", "Size")
MOST_FILES = 100
"""Files that `dataset fs` shows unless it is asked for all."""


@click.group(cls=Verbs, epilog="\b\nExample: nsml dataset board review_img")
def dataset() -> None:
    """Look at datasets and leaderboards; push, change, fetch and delete datasets."""


for _command in (push, change, pull, rm):
    dataset.add_command(_command)


@dataset.command("ls")
@json_option
def ls(as_json: bool) -> None:
    """List the datasets.

    \b
    Example: nsml dataset ls
    """
    from nsml_shim.commands import datasets as command

    _show(command.visible(terminal.open_platform()), as_json=as_json)


@dataset.command("search")
@click.option("-u", "--user", metavar="OWNER", help="Only datasets of this owner.")
@json_option
@click.argument("name")
def search(name: str, user: str | None, as_json: bool) -> None:
    """List the datasets whose name holds NAME, or matches it with `*` and `?`.

    \b
    Example: nsml dataset search 'review_*'
    """
    from nsml_shim.commands import datasets as command

    _show(command.search(terminal.open_platform(), name, author=user), as_json=as_json)


def _show(found: Sequence[DatasetRow], *, as_json: bool) -> None:
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
@click.option("-u", "--user", metavar="OWNER", help="Only this owner's best.")
@json_option
@click.argument("name")
def board(name: str, user: str | None, as_json: bool) -> None:
    """Show the leaderboard of a dataset: the best submission of each owner.

    \b
    Example: nsml dataset board review_img
    """
    from nsml_shim.commands import datasets as command

    rows = command.board(terminal.open_platform(), name, owner=user)
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


@dataset.command("fs")
@click.option("-a", "--all", "every", is_flag=True, help=f"Not only the first {MOST_FILES}.")
@json_option
@click.argument("name")
def fs(name: str, every: bool, as_json: bool) -> None:
    """List the files of a dataset; its owner sees the hidden ones as well.

    \b
    Example: nsml dataset fs review_img
    """
    from nsml_shim.commands import datasets as command

    found = list(command.files(terminal.open_platform(), name).items())
    shown = found if every else found[:MOST_FILES]
    if as_json:
        click.echo(json.dumps([{"name": file, "size": size} for file, size in shown], indent=2))
    else:
        click.echo(tables.table(FILE_COLUMNS, [[file, tables.size(size)] for file, size in shown]))
    if len(found) > len(shown):
        terminal.note(f"{len(found) - len(shown)} more: --all lists them.")
