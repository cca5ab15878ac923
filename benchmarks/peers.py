"""Peers that benchmarks compare with, each installed into a folder of its own when it is asked for.

Nothing of the product needs them, and nothing of theirs replaces a package of the product: their
folders come last on `sys.path`.
"""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INSTALLED = Path(__file__).resolve().parents[1] / "build" / "peers"
ENOUGH_TIME = 600
"""Seconds an installation may take."""


class PeerMissing(Exception):
    """A peer cannot be had here; the message says why."""


def peer(distribution: str, module: str | None = None) -> ModuleType:
    """The module of a peer, installed first if need be.

    Args:
        distribution: Its name in `benchmarks/requirements.txt`.
        module: What to import; the distribution's own name by default.

    Raises:
        PeerMissing: If it cannot be installed or imported on this machine.
    """
    name = module or distribution.replace("-", "_")
    try:
        return importlib.import_module(name)
    except ImportError:
        folder = install(distribution)
    sys.path.append(str(folder))
    # The folder without code that the first attempt has found would hide the peer's own.
    root = name.partition(".")[0]
    if getattr(sys.modules.get(root), "__file__", None) is None:
        sys.modules.pop(root, None)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise PeerMissing(f"{distribution} is installed, but does not load: {error}") from error


def install(distribution: str) -> Path:
    """Folder with a peer and what it needs; filled once, complete or not at all.

    Raises:
        PeerMissing: If there is no wheel, or no way to it.
    """
    folder = INSTALLED / distribution
    if folder.is_dir():
        return folder
    draft = INSTALLED / f".{distribution}"
    shutil.rmtree(draft, ignore_errors=True)
    uv = (sys.executable, "-m", "uv", "pip", "install", "--quiet", "--only-binary", ":all:")
    try:
        done = subprocess.run(
            [*uv, "--python", sys.executable, "--target", str(draft), requirement(distribution)],
            capture_output=True,
            text=True,
            timeout=ENOUGH_TIME,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PeerMissing(f"{distribution} cannot be installed: {error}") from error
    if done.returncode:
        raise PeerMissing(f"{distribution} cannot be installed: {done.stderr.strip()}")
    draft.rename(folder)
    return folder


def requirement(distribution: str) -> str:
    """The line of `benchmarks/requirements.txt` for a peer.

    Raises:
        PeerMissing: If there is none.
    """
    for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
        if re.split(r"[=<>~!\[ ]", line, maxsplit=1)[0] == distribution:
            return line
    raise PeerMissing(f"{distribution} does not stand in {REQUIREMENTS.name}; add its line there.")
