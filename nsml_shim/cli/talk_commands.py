"""exec, sh."""

from __future__ import annotations

import sys

import click

from nsml_shim.cli import terminal
from nsml_shim.cli.verbs import Verb
from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName

VERBATIM = {"ignore_unknown_options": True, "allow_interspersed_args": False}
"""All words after SESSION belong to the code, also those that look like options."""


@click.command(cls=Verb, name="exec", context_settings=VERBATIM)
@click.option("--timeout", default=60.0, show_default=True, metavar="SECONDS", help="Wait so long.")
@click.argument("session")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def exec_(session: str, args: tuple[str, ...], timeout: float) -> None:
    """Evaluate Python inside a running session and print the result.

    The names are those of the scope that the script published last, by
    nsml.report(scope=locals()) or nsml.paused(scope=locals()).

    \b
    Example: nsml exec team/review_img/1 "config"
             nsml exec team/review_img/1 "done()"
    """
    from nsml_shim.commands import talk

    code = " ".join(args)
    if not code.strip():
        raise InvalidOption("ARGS", code, 'Python to evaluate, such as "epoch"')
    name = SessionName.parse(session)
    answer = talk.evaluate(terminal.open_platform(), name, code, timeout=timeout)
    click.echo(answer.output, nl=False)
    if answer.result:
        click.echo(answer.result)
    if answer.error:
        click.echo(answer.error.rstrip(), err=True)
        sys.exit(1)


@click.command(cls=Verb, context_settings=VERBATIM)
@click.argument("session")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def sh(session: str, args: tuple[str, ...]) -> None:
    """Run a shell command where a session works, with its files and its Python.

    It sees /app and /data as the session does; without ARGS it is an interactive shell.

    \b
    Example: nsml sh team/review_img/1 ls -l /app
    """
    from nsml_shim.commands import talk

    code = talk.shell(terminal.open_platform(), SessionName.parse(session), " ".join(args))
    sys.exit(code)
