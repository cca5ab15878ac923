"""The `nsml` command: words on the terminal, handed to `nsml_shim.commands`.

A command's module is imported when the command is called, so that help answers at once.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence

import click

from nsml_shim import __version__
from nsml_shim.cli import terminal
from nsml_shim.cli.places import PLACES
from nsml_shim.cli.verbs import Verbs, hide_client_log
from nsml_shim.errors import ShimError

NARROWEST, WIDEST = 50, 80
"""Columns of a help, as click sets them."""
INTERRUPTED = 130
"""What a shell reports for a command that was ended by Ctrl-C."""


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        import platform as machine

        click.echo(f"Version: {__version__}")
        click.echo(f"Python: {machine.python_version()}")
        click.echo(f"OS: {machine.system().lower()}")
        click.echo(f"Arch: {machine.machine()}")
        click.echo(f"Preconfigured connection: {terminal.open_platform().settings.home}")
        ctx.exit()


@click.group(
    cls=Verbs,
    places=PLACES,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExample: nsml run -d review_img -g 2",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print what this is, one `Key: value` per line, and exit.",
)
def nsml() -> None:
    """An NSML-compatible competition platform on your own machine.

    \b
    nsml run -d review_img -g 2            start main.py in this folder as a session
    nsml logs -f team/review_img/1         watch it
    nsml submit team/review_img/1 best     score its checkpoint `best`
    nsml dataset board review_img          see where it stands
    """


nsml.params.append(hide_client_log())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an error is one message on standard error, and a non-zero exit code."""
    # What is imported stays; looking through it for garbage is a tenth of a short command.
    gc.freeze()
    ended: list[int] = []
    if arguments is None:  # else this is somebody's own process
        atexit.register(_leave, ended)  # registered first, called last
    ended.append(_run(sys.argv[1:] if arguments is None else list(arguments)))
    sys.exit(ended[0])


def _leave(ended: Sequence[int]) -> None:
    """Let the kernel take the process apart, which Python does in a fifth of a short command."""
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError):  # a full disk or a closed pipe, of which Python tells itself
        return
    if ended:  # an error of ours has no code, but a traceback
        os._exit(ended[0])


def _run(given: Sequence[str]) -> int:
    """Run one command; its exit code."""
    try:
        code = nsml.main(given, prog_name="nsml", standalone_mode=False, terminal_width=_width())
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except ShimError as error:
        click.echo(f"Error: {error}", err=True)
        return 1
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            f"\n{terminal.stamped(f'{_verb(given)} aborted: Interrupted by user')}", err=True
        )
        click.echo("What was started goes on: see `nsml ps`.", err=True)
        return INTERRUPTED
    except BrokenPipeError:  # `nsml logs S | head`
        sys.stderr.close()
        return 0


def _width() -> int:
    """Columns of a help. click finds the same, but loads `shutil` and its compressors for it."""
    columns = os.environ.get("COLUMNS", "")
    try:
        found = int(columns) if columns.isdecimal() else os.get_terminal_size(1).columns
    except OSError:  # standard output is no terminal
        found = 0
    return max(min(found or WIDEST, WIDEST) - 2, NARROWEST)


def _verb(words: Sequence[str]) -> str:
    """The command that was typed."""
    return next((word for word in words if word in PLACES), "nsml")
