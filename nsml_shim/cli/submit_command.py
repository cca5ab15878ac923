"""submit."""

from __future__ import annotations

import time

import click

from nsml_shim.cli import terminal
from nsml_shim.errors import InvalidOption
from nsml_shim.names import split_checkpoint


@click.command()
@click.option("-t", "--test", "trial", is_flag=True, help="Dry run on a small split: a readable log, no row on the board, any number of times.")  # fmt: skip
@click.option("--last", is_flag=True, help="The newest session's checkpoint `best`.")
@click.option("--wait", is_flag=True, help="If it is too early, wait until the next one is taken.")
@click.argument("session", required=False)
@click.argument("checkpoint", required=False)
def submit(
    session: str | None, checkpoint: str | None, trial: bool, last: bool, wait: bool
) -> None:
    """Score a checkpoint on the hidden test data.

    \b
    Example: nsml submit team/review_img/1 best
             nsml submit -t team/review_img/1/best
             nsml submit --last
    """
    from nsml_shim.commands import submit as command

    platform = terminal.open_platform()
    if last == bool(session):
        raise InvalidOption(
            "SESSION CHECKPOINT", session or "", "either a session and a checkpoint, or --last"
        )
    name, key = command.newest_best(platform) if last else split_checkpoint(session or "", checkpoint)
    if key is None:
        raise InvalidOption("CHECKPOINT", "", f"a name; `nsml model ls {name}` lists them")
    if last:
        click.echo(f"Submitting {name} {key}")

    def start():  # noqa: ANN202
        return command.submit(platform, name, key, trial=trial)

    if wait:
        started = command.submit_when_allowed(start, echo=terminal.note, sleep=time.sleep)
    else:
        started = start()
    if trial:
        click.echo(f"Session {started.name} is started")
    _watch(command.follow(platform, started), command.Outcome, trial=trial)


def _watch(happenings, outcome_type: type, *, trial: bool) -> None:  # noqa: ANN001
    """Print what happens: dots while nothing does, the score at the end."""
    dots = False
    for happening in happenings:
        if isinstance(happening, outcome_type):
            score = happening.score  # pyright: ignore[reportAttributeAccessIssue]
            click.echo("\n" if dots else "", nl=False)
            if trial:
                text = score or "(no labels for the dry run)"
                click.echo(f"Score on the dry run's small split, off the board: {text}")
                click.echo(f"Log: nsml logs {happening.session}")  # pyright: ignore[reportAttributeAccessIssue]
            else:
                click.echo(f"Score: {score}")
            click.echo("Done")
        elif happening:
            click.echo(("\n" if dots else "") + happening)
            dots = False
        else:
            click.echo(".", nl=False)
            dots = True
