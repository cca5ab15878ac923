"""`nsml stop` and `nsml rm`: end a session, forget a session."""

from __future__ import annotations

import time

from nsml_shim.commands.fork import refuse_submission
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import SessionRefused, ShimError
from nsml_shim.protocol import write_atomic
from nsml_shim.sessions import snapshot
from nsml_shim.store.sessions import SessionRow

POLL_SECONDS = 0.05
STOP_SECONDS = 30.0
"""A supervisor that has not ended its session after this long is reported."""


def stop(platform: Platform, row: SessionRow) -> None:
    """End a running session; it stays listed, with its log and checkpoints.

    Raises:
        SessionRefused: If it is a submission, or has ended already.
    """
    refuse_submission("stop", row)
    if row.has_ended:
        raise SessionRefused("stop", str(row.name), f"it has ended: {row.cause}")
    end(platform, row)


def end(platform: Platform, row: SessionRow) -> None:
    """Ask the supervisor to end the session, and wait until it has.

    Raises:
        ShimError: If it does not answer.
    """
    folder = platform.folder(row)
    write_atomic(folder.stop, platform.settings.owner.encode())
    platform.sessions.set_stopping(row)
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        if platform.find_session(row.name).has_ended:
            return
        time.sleep(POLL_SECONDS)
    raise ShimError(
        f"Failed to stop session [{row.name}]: its supervisor has not answered for "
        f"{STOP_SECONDS:g} seconds. Its own log is {folder.supervisor_log}."
    )


def remove(platform: Platform, row: SessionRow, *, force: bool, keep_files: bool) -> int:
    """Forget a session.

    Args:
        platform: Settings and store.
        row: Which session.
        force: End it first if it is still running.
        keep_files: Leave its folder on disk.

    Returns:
        Bytes that were really freed: files shared with other sessions stay.

    Raises:
        SessionRefused: If it is running and `force` is off.
    """
    if not row.has_ended:
        if not force:
            raise SessionRefused("rm", str(row.name), "Please stop the session first, or add -f")
        end(platform, row)
    folder = platform.folder(row)
    platform.sessions.remove(row)
    return 0 if keep_files else snapshot.remove_tree(folder.root, platform.settings.blobs)
