"""The last resort for a `setup.py` that cannot be read: run it, behind the walls of a sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from nsml_shim.errors import NoSandbox
from nsml_shim.sessions import setup_runner
from nsml_shim.sessions.sandbox import Mount, find_sandbox

PATIENCE = 20.0
"""Seconds that a manifest may run."""


class NotRun(Exception):
    """The script could not be run, or did not say what it needs; the message says why."""


def run_setup(setup: Path) -> list[str]:
    """Run a setup.py without network, without anything to write to, with `setup` stood in for.

    Args:
        setup: The script; it sees the folder it lies in and nothing else of the machine.

    Returns:
        The requirements (PEP 508) that it gives `setup`.

    Raises:
        NotRun: If there is no sandbox, or the script fails, takes too long or never calls `setup`.
    """
    try:
        box = find_sandbox()
    except NoSandbox as error:
        raise NotRun("there is no sandbox on this machine to run it in") from error
    folder, runner = setup.parent.resolve(), Path(setup_runner.__file__).resolve()
    place = "/app" if box.remaps else str(folder)
    argv, env = box.wrap(
        [sys.executable, "-I", str(runner), f"{place}/{setup.name}"],
        mounts=[Mount(folder, place), Mount(runner, str(runner))],
        workdir=place,
        network=False,
        env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    try:
        run = subprocess.run(
            argv, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise NotRun(f"it ran for more than {PATIENCE:.0f} s") from error
    if run.returncode:
        said = (run.stderr.strip().splitlines() or [f"status {run.returncode}"])[-1]
        raise NotRun(f"it failed when it was run: {said[:200]}")
    wanted: list[str] | None = json.loads(run.stdout)
    if wanted is None:
        raise NotRun("it never calls setup()")
    return wanted
