"""`nsml exec` and `nsml sh`: evaluate Python inside a session, run a shell beside it."""

from __future__ import annotations

import subprocess

from nsml_shim import channel
from nsml_shim.commands import process
from nsml_shim.commands.fork import refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import SessionRefused, ShimError
from nsml_shim.names import SessionName
from nsml_shim.protocol import Answer


def evaluate(platform: Platform, name: SessionName, code: str, *, timeout: float) -> Answer:
    """Let a running session evaluate Python in the scope it published last.

    Args:
        platform: Settings and store.
        name: Which session.
        code: An expression, or statements.
        timeout: Seconds to wait for the answer.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission, or has ended.
        ShimError: If it does not answer in time.
    """
    row = platform.find_session(name)
    refuse_submission("exec", row)
    if row.has_ended:
        raise SessionRefused("exec", str(name), f"it has ended: {row.cause}")
    return channel.ask(platform.folder(row), code, timeout=timeout)


def shell(platform: Platform, name: SessionName, command: str) -> int:
    """Run a shell command with the files, variables and interpreter of a session.

    It shares the terminal, and sees `/app` and `/data` as the session does, but is a process of its
    own; the session need not run any more.

    Args:
        platform: Settings and store.
        name: Which session.
        command: Words for `sh -c`; "" is an interactive shell.

    Returns:
        Its exit code.

    Raises:
        NoSuchSession: If there is no such session.
        SessionRefused: If it is a submission.
        ShimError: If the session waits for its turn and has no working directory yet.
    """
    row = platform.find_session(name)
    # A dry run's log may be read, but its working directory is gone with it.
    refuse_submission("sh", row)
    if not platform.folder(row).work.is_dir():
        raise ShimError(f"{name} has no files yet: it is {row.status} and waits for its turn.")
    start = process.shell(platform, row, command)
    done = subprocess.run(start.argv, cwd=start.cwd, env=dict(start.env), check=False)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode
