"""Open the platform for a command, and show life while something takes long."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from nsml_shim.cli import tables

if TYPE_CHECKING:
    from nsml_shim.commands.platform import Platform

LINE_SECONDS = 2.0
"""Between two progress lines when the output is no terminal."""


def open_platform() -> Platform:
    """The platform of this user, from the settings."""
    from nsml_shim import settings
    from nsml_shim.commands.platform import Platform

    return Platform(settings.load())


def note(text: str) -> None:
    """Say something beside the result, on standard error."""
    click.echo(text, err=True)


def counting(verb: str) -> Callable[[int, int], None]:
    """Progress of a count: one line that renews itself on a terminal, a line now and then else."""
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


def uploading(name: str, size: int, done: int, total: int) -> None:
    """One line per uploaded file, as NSML's client wrote them."""
    note(
        f"INFO[{time.strftime('%Y/%m/%d %H:%M:%S')}] {name} {tables.binary_size(size)} - done "
        f"({done}/{total} {100 * done / total:.2f}%)"
    )
