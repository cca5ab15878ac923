"""What an interpreter has installed. Imported for our own, run as a script by another one.

As a script it prints its inventory, or of the modules named as arguments those it does not have.

Standard library only, and nothing newer than Python 3.8 at run time, because the other interpreter
may be older than ours.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import PathFinder
from typing import Any, TypedDict


class About(TypedDict):
    """One installed distribution."""

    version: str
    requires: list[str]


class Report(TypedDict):
    """Everything another process wants to know about this interpreter."""

    installed: dict[str, About]
    markers: dict[str, str]


def normalise(name: str) -> str:
    """The form in which names of distributions are compared. Source: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed() -> dict[str, About]:
    """All distributions by normalised name; the first on the path wins, as it does for imports."""
    # Imported here: it loads more than most starts of a session need.
    from importlib import metadata

    found: dict[str, About] = {}
    for distribution in metadata.distributions():
        about = distribution.metadata
        # An interrupted installation leaves folders without metadata.
        if "Name" in about and "Version" in about:
            requires = list(distribution.requires or [])
            found.setdefault(
                normalise(about["Name"]), {"version": about["Version"], "requires": requires}
            )
    return found


def marker_environment() -> dict[str, str]:
    """Values that environment markers are compared with. Source: PEP 508."""
    info = sys.implementation.version
    version = f"{info.major}.{info.minor}.{info.micro}"
    if info.releaselevel != "final":
        version += f"{info.releaselevel[0]}{info.serial}"
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def absent(modules: Iterable[str]) -> list[str]:
    """Top-level modules that this interpreter cannot import from where it has things installed."""
    here = {os.getcwd(), ""}
    path = [entry for entry in sys.path if entry not in here]
    return [name for name in modules if not any(_finds(it, name, path) for it in sys.meta_path)]


def _finds(finder: Any, name: str, path: Sequence[str]) -> bool:
    # Finders of editable installations and of the standard library know by themselves.
    searches_path = finder is PathFinder
    return finder.find_spec(name, path if searches_path else None) is not None


def report() -> Report:
    """Everything another process wants to know about this interpreter."""
    return {"installed": installed(), "markers": marker_environment()}


if __name__ == "__main__":
    print(json.dumps(absent(sys.argv[1:]) if sys.argv[1:] else report()))
