"""Open the platform for a command, and show life while something takes long."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

from nsml_shim.cli import tables

LINE_SECONDS = 2.0
"""Between two progress lines when the output is no terminal."""


def open_platform():  # noqa: ANN201 - the type would load the whole platform for `nsml --help`
    """The platform of this user, from the settings."""
    from nsml_shim import settings
    from nsml_shim.commands.platform import Platform

    return Platform(settings.load())


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    click.echo(text, err=True)


def counting(verb: str) -> Callable[[int, int], None]:
    """Progress of a count: a line that renews itself on a terminal, a line now and then elsewhere."""
    last = time.monotonic()

    def show(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if sys.stderr.isatty():
            if now - last > 0.1 or done == total:
                last = now
                click.echo(f"\r{verb} {done}/{total}", err=True, nl=done == total)
        elif now - last > LINE_SECONDS or done == total:
            last = now
            note(f"{verb} {done}/{total}")

    return show


def uploading(name: str, count: int, done: int, total: int, sent: int, size: int) -> None:
    """One line per uploaded file, as NSML's client wrote them."""
    share = 100 * sent / size if size else 100.0
    sizes = f"{tables.binary_size(sent)}/{tables.binary_size(size)} {share:.2f}%"
    note(
        f"INFO[{time.strftime('%Y/%m/%d %H:%M:%S')}] {name} {tables.binary_size(count)} - done "
        f"({done}/{total} {100 * done / total:.2f}%) ({sizes})"
    )
