"""Open the platform for a command, and show life while something takes long."""

from __future__ import annotations

import atexit
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from nsml_shim.commands.platform import Platform
    from nsml_shim.commands.run import Step

HIDDEN = "nsml.hide_client_log"
"""Set in the context of a command that was called with --hide-client-log."""
LINE_SECONDS = 2.0
"""Between two progress lines when the output is no terminal."""


def open_platform() -> Platform:
    """The platform of this user, from the settings."""
    from nsml_shim import settings
    from nsml_shim.commands.platform import Platform

    platform = Platform(settings.load())
    # Closed, the database is one file again; nothing else is taken apart when a command ends.
    atexit.register(platform.close)
    return platform


def note(text: str) -> None:
    """Say something beside the result, on standard error, unless --hide-client-log forbids it."""
    context = click.get_current_context(silent=True)
    if context is None or not context.meta.get(HIDDEN):
        click.echo(text, err=True)


def info(text: str) -> None:
    """Say something with the time in front, as NSML's client did."""
    note(stamped(text))


def stamped(text: str) -> str:
    """A line of the client's log: `INFO[2019/07/18 16:11:20.959] text`."""
    now = time.time()
    clock = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(now))
    return f"INFO[{clock}.{int(now % 1 * 1000):03d}] {text}"


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


def uploading(step: Step) -> None:
    """Two lines per uploaded file, as NSML's client wrote them."""
    from nsml_shim.cli import tables

    line = f"{step.name} {tables.binary_size(step.size)}"
    if not step.done:
        info(f"{line} - start")
        return
    sent, total = tables.binary_size(step.sent), tables.binary_size(step.total)
    info(
        f"{line} - done ({step.number}/{step.files} {100 * step.number / step.files:.2f}%) "
        f"({sent}/{total} {100 * step.sent / (step.total or 1):.2f}%)"
    )
