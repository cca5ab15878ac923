"""submit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import terminal
from nsml_shim.cli.options import verbose_option
from nsml_shim.cli.verbs import Verb, accepted
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName, split_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nsml_shim.commands.platform import Platform, SessionRow
    from nsml_shim.commands.submit import Outcome


@click.command(cls=Verb)
@click.option(
    "-t",
    "--test",
    "trial",
    is_flag=True,
    help="Dry run on a small split: a readable log, no row on the board, as often as you like.",
)
@click.option("--last", is_flag=True, help="The newest session's checkpoint `best`.")
@click.option("--wait", is_flag=True, help="If it is too early, wait until the next one is taken.")
@click.option("-e", "--entry", help="Other script of the uploaded code than in the run.")
@verbose_option
@accepted("-b", metavar="N", why="the dataset's loader decides how it feeds the script.")
@accepted("--esm", metavar="ID", why="NSML never said what it means.")
@click.argument("session", required=False)
@click.argument("checkpoint", required=False)
def submit(
    session: str | None,
    checkpoint: str | None,
    trial: bool,
    last: bool,
    wait: bool,
    entry: str | None,
    verbose: bool,
) -> None:
    """Score a checkpoint on the hidden test data.

    \b
    Example: nsml submit team/review_img/1 best
             nsml submit -t team/review_img/1/best
             nsml submit --last
    """
    from nsml_shim.commands import submit as command

    platform = terminal.open_platform()
    name, key = _chosen(platform, session, checkpoint, last=last)

    def start() -> SessionRow:
        return command.submit(platform, name, key, trial=trial, entry=entry)

    if wait:
        started = command.submit_when_allowed(start, echo=terminal.note, sleep=time.sleep)
    else:
        started = start()
    if trial:
        click.echo(f"Session {started.name} is started")
    elif verbose:
        terminal.note(f"Session {started.name} is started ({started.memo}, {started.entry})")
    if verbose:
        version = platform.find_dataset(started.dataset).version
        terminal.note(f"Scored on {started.dataset}, version {version}")
    _watch(command.follow(platform, started), trial=trial)


def _chosen(
    platform: Platform, session: str | None, checkpoint: str | None, *, last: bool
) -> tuple[SessionName, str]:
    """The checkpoint that the user means."""
    from nsml_shim.commands.submit import newest_best

    if last == bool(session):
        raise InvalidOption(
            "SESSION CHECKPOINT", session or "", "either a session and a checkpoint, or --last"
        )
    if last:
        name, key = newest_best(platform)
        click.echo(f"Submitting {name} {key}")
        return name, key
    name, named = split_checkpoint(session or "", checkpoint)
    if named is None:
        raise InvalidOption("CHECKPOINT", "", f"a name; `nsml model ls {name}` lists them")
    return name, named


def _watch(happenings: Iterator[str | Outcome], *, trial: bool) -> None:
    """Print what happens; a dot for every second in which nothing does."""
    dots = False
    for happening in happenings:
        if happening == "":
            click.echo(".", nl=False)
            dots = True
            continue
        if dots:
            click.echo()
        dots = False
        if isinstance(happening, str):
            click.echo(happening)
        else:
            _conclude(happening, trial=trial)


def _conclude(outcome: Outcome, *, trial: bool) -> None:
    """The last lines; scripts parse `Score:`."""
    if trial:
        text = outcome.score or "(the dataset has no labels for the dry run)"
        click.echo(f"Score on the dry run's small split, off the board: {text}")
        click.echo(f"Log: nsml logs {outcome.session}")
    else:
        click.echo(f"Score: {outcome.score}")
    click.echo("Done")
