"""The platform as its users have it: a wheel in an environment of its own, compiled.

What a checkout is run with differs: its environment looks for our modules at every start of
Python, which makes a bare Python twice as slow and flatters whoever is compared with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "nsml_shim"
MADE = ("build", "*.egg-info", "__pycache__")
"""What an earlier installation may have left among the sources."""


class NotInstalled(Exception):
    """The platform cannot be installed here; the message says why."""


def install(folder: Path) -> Path:
    """Install the platform below a new folder; returns the Python that has it.

    Raises:
        NotInstalled: If there is no way to the packages it needs.
    """
    # Building leaves files beside the sources, so that happens with a copy.
    source, environment = folder / "source" / "nsml_shim", folder / "environment"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns(*MADE))
    venv.create(environment, with_pip=False, symlinks=True)
    python = environment / "bin" / "python"
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--compile-bytecode"]
    done = subprocess.run([*uv, "--python", python, source], capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(f"The platform cannot be installed: {done.stderr.strip()}")
    return python
