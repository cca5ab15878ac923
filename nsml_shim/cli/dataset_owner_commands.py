"""dataset push, change, pull, rm: what the owner of a dataset does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nsml_shim.cli import tables, terminal
from nsml_shim.cli.file_commands import local_path
from nsml_shim.cli.file_commands import quiet as say_nothing
from nsml_shim.cli.options import ByteSize, force_option, verbose_option
from nsml_shim.cli.verbs import Verb, accepted

if TYPE_CHECKING:
    from nsml_shim.commands.datasets import Changes

NO_LIMIT = "none"


class ModelLimit(ByteSize):
    """An amount of memory, or `none`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Bytes; None for no limit, which is what a dataset without the setting has."""
        return NO_LIMIT if value == NO_LIMIT else super().convert(value, param, ctx)


SETTINGS = (
    click.option(
        "-l",
        "--leaderboard",
        metavar="METRIC",
        help="accuracy, mse, f1, custom, or the path of an evaluation.py.",
    ),
    click.option("--order", help="Best score first: descending or ascending."),
    click.option("--description", help="One line for `nsml dataset ls`."),
    click.option("--tag", "tags", multiple=True, help="At most 7, of 50 letters; repeat it."),
    click.option("--model-limit", type=ModelLimit(), help="Largest checkpoint, or none."),
    click.option("--time-limit", type=click.FloatRange(0), help="Seconds that inference may take."),
    click.option(
        "--submit-interval",
        type=click.FloatRange(0),
        help="Seconds between two scored submissions of a team.",
    ),
    click.option(
        "--private/--public", default=None, help="Whether only its owner and -u may use it."
    ),
    click.option("-u", "--user", "users", multiple=True, help="Owner to let in; may be repeated."),
)


def _with_settings(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(SETTINGS):
        command = option(command)
    return command


def _changes(
    *, leaderboard: str | None, tags: tuple[str, ...], users: tuple[str, ...], **given: Any
) -> Changes:
    """What the options ask for; settings that were not named stay as they are."""
    from nsml_shim.commands.datasets import Changes, join_tags

    settings = {key: value for key, value in given.items() if value is not None}
    if tags:
        settings["tags"] = join_tags(tags)
    settings = {key: None if value == NO_LIMIT else value for key, value in settings.items()}
    return Changes(leaderboard=leaderboard, users=users, settings=settings)


@click.command("push", cls=Verb)
@verbose_option
@_with_settings
@accepted("--overwrite", why="a push is always the next version; running sessions keep theirs.")
@accepted("--replicate", why="there is one machine.")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
def push(name: str, path: Path, verbose: bool, **given: Any) -> None:
    """Store a folder as a dataset, or as the next version of one.

    The folder holds train/, test/test_data, test/test_label (which no session ever sees),
    data_loader.py, evaluation.py and dataset.toml. Options win over dataset.toml.

    \b
    Example: nsml dataset push review_img datasets/review_img/demo
    """
    from nsml_shim.commands import datasets as command

    platform = terminal.open_platform()
    progress = terminal.counting("Copying files")
    pushed = command.push(platform, name, path, progress=progress, changes=_changes(**given))
    if pushed.changed:
        size = tables.size(pushed.size)
        click.echo(
            f"Dataset {name} is pushed (version {pushed.version}, {pushed.files} files, {size})"
        )
    else:
        click.echo(f"Dataset {name} is up to date (version {pushed.version})")
    if verbose:
        terminal.note(str(platform.find_dataset(name).settings))


@click.command("change", cls=Verb)
@verbose_option
@_with_settings
@click.argument("name")
def change(name: str, verbose: bool, **given: Any) -> None:
    """Change what was decided about a dataset; its data stay as they are.

    \b
    Example: nsml dataset change review_img --private -u teammate
    """
    from nsml_shim.commands import datasets as command

    platform = terminal.open_platform()
    command.change(platform, name, _changes(**given))
    click.echo(f"Dataset {name} is changed")
    if verbose:
        terminal.note(str(platform.find_dataset(name).settings))


@click.command("pull", cls=Verb)
@click.option("-v", "--verbose", is_flag=True, help="Name each file.")
@force_option
@click.argument("name")
@local_path
def pull(name: str, path: Path, force: bool, verbose: bool) -> None:
    """Fetch a dataset of one's own as it was pushed, as PATH/NAME.

    \b
    Example: nsml dataset pull review_img ./
    """
    from nsml_shim.commands import datasets as command

    told = terminal.note if verbose else say_nothing
    click.echo(command.pull(terminal.open_platform(), name, path, force=force, told=told))


@click.command("rm", cls=Verb)
@verbose_option
@click.argument("name")
def rm(name: str, verbose: bool) -> None:
    """Delete a dataset of one's own with all its versions and its leaderboard.

    \b
    Example: nsml dataset rm review_img
    """
    from nsml_shim.commands import datasets as command

    platform = terminal.open_platform()
    version = platform.find_dataset(name).version
    command.remove(platform, name)
    click.echo(f"Dataset {name} is removed")
    if verbose:
        terminal.note(f"It had {version} versions.")
