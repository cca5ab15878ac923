"""Start a session: number, folder, detached supervisor. What run, fork and submit share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from nsml_shim.commands.platform import START_SECONDS, Platform
from nsml_shim.errors import NotEnoughMachine, ShimError
from nsml_shim.protocol import SessionFolder
from nsml_shim.sessions import leases
from nsml_shim.sessions.machine import machine_slots as machine_slots
from nsml_shim.sessions.processes import parse_memory as parse_memory
from nsml_shim.settings import SETTINGS_FILE
from nsml_shim.store.sessions import NewSession, SessionRow

POLL_SECONDS = 0.02


def check_machine(gpus: int) -> None:
    """Refuse what could never start here.

    Raises:
        NotEnoughMachine: If more GPUs (or CPU workers) are asked for than there are.
    """
    slots = machine_slots()
    if gpus > len(slots.names):
        unit = "GPUs" if slots.kind == "gpu" else "CPU workers (it has no GPU)"
        raise NotEnoughMachine(f"-g {gpus}", f"{len(slots.names)} {unit}")


def check_quota(platform: Platform, gpus: int) -> None:
    """Refuse what the owner's quota could never grant; what it grants later waits instead.

    Raises:
        ShimError: If more is asked for than the owner may use at once.
    """
    quota = platform.settings.quota
    if quota and gpus > quota:
        raise ShimError(
            "Fail to run nsml session due to lack of available GPU for you\n"
            f"Your maximum available GPU is {quota} (`quota` in {SETTINGS_FILE})\n"
            f"The number of GPU you requested is {gpus} GPU"
        )


@contextmanager
def draft_folder(platform: Platform) -> Generator[SessionFolder]:
    """A session folder under construction, invisible until `launch` gives it its name."""
    platform.settings.sessions.mkdir(parents=True, exist_ok=True)
    root = Path(tempfile.mkdtemp(prefix=".draft-", dir=platform.settings.sessions))
    root.chmod(0o755)
    folder = SessionFolder(root)
    folder.checkpoints.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(root, ignore_errors=True)


def link_code(source: SessionFolder, draft: SessionFolder) -> None:
    """Give a session the frozen code of another one; the files are shared, so it costs nothing."""
    shutil.copytree(source.code, draft.code, copy_function=os.link)


def launch(platform: Platform, new: NewSession, draft: SessionFolder) -> SessionRow:
    """Number the session, publish its folder, start its supervisor and wait until that is up.

    Raises:
        ShimError: If the supervisor did not come up; its own words are quoted.
    """
    row = create(platform, new, draft)
    start(platform, row)
    return row


def create(platform: Platform, new: NewSession, draft: SessionFolder) -> SessionRow:
    """Number the session and publish its folder."""
    row = platform.sessions.create(new, now=platform.clock())
    folder = platform.folder(row)
    folder.root.parent.mkdir(parents=True, exist_ok=True)
    os.replace(draft.root, folder.root)
    return row


def start(platform: Platform, row: SessionRow) -> None:
    """Start the supervisor of a session, detached from this terminal, and wait until it is up.

    Raises:
        ShimError: If it did not come up; its own words are quoted.
    """
    folder = platform.folder(row)
    with open(folder.supervisor_log, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "nsml_shim.commands.supervise", str(row.name)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder.root,
            env={**os.environ, "NSML_HOME": str(platform.settings.home)},
            start_new_session=True,
        )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if leases.is_held(folder.lock) or folder.exit.exists():
            # It outlives this command on purpose; nobody is left to wait for it.
            process.returncode = 0
            return
        if process.poll() is not None:
            break
        time.sleep(POLL_SECONDS)
    words = folder.supervisor_log.read_text(encoding="utf-8", errors="replace").strip()
    raise ShimError(
        f"{row.name}: launching is failed. Its supervisor ended with code {process.poll()}: "
        f"{words[-500:] or 'it said nothing'}. See {folder.supervisor_log}."
    )
