"""The `nsml` command: words on the terminal, handed to `nsml_shim.commands`.

The command modules load nothing but click until a command runs, so that help answers at once.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import click

from nsml_shim import __version__
from nsml_shim.cli.dataset_commands import dataset
from nsml_shim.cli.model_commands import model
from nsml_shim.cli.session_commands import fork, logs, ps, rm, run, stop
from nsml_shim.cli.submit_command import submit
from nsml_shim.errors import ShimError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nsml", message="Version: %(version)s")
def nsml() -> None:
    """An NSML-compatible competition platform on your own machine.

    \b
    nsml run -d review_img -g 2            start main.py in this folder as a session
    nsml logs -f team/review_img/1         watch it
    nsml submit team/review_img/1 best     score its checkpoint `best`
    nsml dataset board review_img          see where it stands
    """


for _command in (run, ps, logs, stop, rm, fork, submit, model, dataset):
    nsml.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; an error is one message on standard error, and a non-zero exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    # Go's flag parser, which NSML's client used, takes -e=main.py; click would keep the "=".
    given = [re.sub(r"\A(-[a-zA-Z])=", r"\1", word) for word in given]
    try:
        code = nsml.main(given, prog_name="nsml", standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except ShimError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nInterrupted by user. What was started goes on: see `nsml ps`.", err=True)
        sys.exit(130)
    except BrokenPipeError:  # `nsml logs S | head`
        sys.stderr.close()
        sys.exit(0)
