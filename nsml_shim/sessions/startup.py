"""Runs first in every session, as `sitecustomize`: the platform's `nsml` wins over a guest's own.

Many guests bring a stand-in `nsml.py` for their own machine, and the folder of the entry script
comes first on the path. A finder in front of the path answers for the platform's names and nothing
else. Then old code gets back what libraries have dropped since (`old_names`). Copied out of the
platform, so it must not import from it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

ENV_COMPAT = "NSML_COMPAT"
"""`0` leaves every library as it is."""
SHELF = os.path.dirname(os.path.abspath(__file__))
PACKAGES = ("nsml", "nsml_shim")
"""`nsml` is built on `nsml_shim`, so both must come from the same place."""


class ShelfFinder:
    """Finds the platform's packages on the shelf, whatever stands first on `sys.path`."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the platform's names.

        Raises:
            ModuleNotFoundError: For a part of the platform that is not on the shelf, which an
                installed copy of it would otherwise supply.
        """
        package, inside, _ = fullname.partition(".")
        if package not in PACKAGES:
            return None
        spec = PathFinder.find_spec(fullname, path if inside else [SHELF], target)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {fullname!r} in a session", name=fullname)
        return spec


def run_next() -> None:
    """Run the `sitecustomize` that this one hides, if the machine has one."""
    run("sitecustomize", [entry for entry in sys.path if os.path.abspath(entry) != SHELF])


def run(name: str, folders: Sequence[str]) -> ModuleType | None:
    """Run the module `name` of the first folder that has it, out of the reach of imports."""
    spec = PathFinder.find_spec(name, folders)
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, ShelfFinder)
    if os.environ.get(ENV_COMPAT) != "0":
        old_names = run("old_names", [os.path.join(SHELF, "nsml_shim")])
        if old_names:
            old_names.install(sys.meta_path)
    run_next()
