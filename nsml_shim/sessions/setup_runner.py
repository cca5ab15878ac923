"""Run a `setup.py` that cannot be read, with stand-ins that record what `setup` is called with.

A script for a sandboxed interpreter: `setup_runner.py SCRIPT` prints the list `install_requires` as
JSON, or `null` if `setup` was never called. Standard library only, imports nothing of the platform.
"""

from __future__ import annotations

import json
import os
import resource
import runpy
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

CPU_SECONDS = 5
MEMORY = 2**30
"""Bytes of address space; a manifest needs no more."""
STOOD_IN = ("setuptools", "distutils", "numpy", "Cython")
"""Packages that manifests import before they call `setup`; numpy for the path of its headers."""

_calls: list[dict[str, Any]] = []


class _Thing:
    """What is found in a package that is stood in for: may be called and subclassed."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take any arguments."""


class _Package(ModuleType):
    """Has every attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return {"setup": _record, "find_packages": _nothing}.get(name, _Thing)


class _Finder:
    """Finds the packages that are stood in for, and everything inside them."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name.partition(".")[0] not in STOOD_IN:
            return None
        return ModuleSpec(name, _Finder, is_package=True)  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType:
        return _Package(spec.name)

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        """Nothing is in it."""


def _record(*_: Any, **keywords: Any) -> None:
    _calls.append(keywords)


def _nothing(*_: Any, **__: Any) -> list[str]:
    return []


def requirements_of(script: str) -> list[str] | None:
    """What `script` gives `setup` as `install_requires`; None if it never calls it.

    Raises:
        Exception: Whatever the script raises before it calls `setup`.
    """
    sys.meta_path.insert(0, _Finder)  # type: ignore[arg-type]
    sys.argv = [script, "--version"]
    sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
    try:
        runpy.run_path(script, run_name="__main__")
    except (Exception, SystemExit):
        if not _calls:
            raise
    if not _calls:
        return None
    wanted: str | Iterable[object] = _calls[-1].get("install_requires") or ()
    lines = wanted.splitlines() if isinstance(wanted, str) else map(str, wanted)
    return [line.strip() for line in lines if line.strip()]


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # What the script prints must not be taken for the answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(requirements_of(sys.argv[1])), file=answer)
