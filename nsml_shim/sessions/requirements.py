"""Requirements (PEP 508) and whether an interpreter satisfies them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nsml_shim.errors import EnvironmentFailed
from nsml_shim.sessions import inventory

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_ADDRESS = re.compile(r"(\w+\+)?\w+://|git@")


def missing(requirements: Sequence[str], python: str = sys.executable) -> list[str]:
    """Requirements that the interpreter `python` does not satisfy, in the order given.

    Names are compared in normal form; markers are evaluated for that interpreter; an extra is
    satisfied if what it adds is. Text that is no requirement counts as missing.
    """
    return missing_from(requirements, facts(python))


def missing_from(requirements: Sequence[str], report: inventory.Report) -> list[str]:
    """Requirements that an interpreter with this inventory does not satisfy."""
    return [text for text in requirements if not _is_satisfied(text, report, frozenset())]


def facts(python: str) -> inventory.Report:
    """Inventory of an interpreter.

    Raises:
        EnvironmentFailed: If it does not start, or is older than Python 3.8.
    """
    if python == sys.executable:
        return inventory.report()
    run = subprocess.run(
        [python, "-I", inventory.__file__], capture_output=True, text=True, check=False
    )
    if run.returncode:
        raise EnvironmentFailed(
            f"{python} cannot tell what it has installed; is it a Python of version 3.8 or newer? "
            f"It said: {run.stderr.strip()[-500:]}"
        )
    return json.loads(run.stdout)


def parse(text: str) -> Requirement | None:
    """The requirement, or None for text that is none."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement:
        return None


def is_address(text: str) -> bool:
    """Whether the distribution is named by where it lies, such as `git+https://…`."""
    wanted = parse(text)
    return bool(_ADDRESS.match(text)) or (wanted is not None and wanted.url is not None)


def name_of(text: str) -> str:
    """Name of the distribution, also in old or broken spellings such as `torch=1.0`; "" if none.

    An address tells its name in the fragment `#egg=NAME`, if anywhere.
    """
    if (wanted := parse(text)) is not None:
        return wanted.name
    if _ADDRESS.match(text):
        egg = re.search(r"#.*\begg=([\w.-]+)", text)
        return egg[1] if egg else ""
    name = re.match(r"([A-Za-z][\w.-]*?)\s*(?:\[[\w, -]*\])?\s*(?:[=<>!~(;].*)?$", text)
    return name[1] if name else ""


def _is_satisfied(text: str, report: inventory.Report, extras: frozenset[str]) -> bool:
    wanted = parse(text)
    if wanted is None:
        name = inventory.normalise(name_of(text)) if _ADDRESS.match(text) else ""
        return name in report["installed"]
    if not applies(wanted, report, extras):
        return True
    found = report["installed"].get(inventory.normalise(wanted.name))
    if found is None or not _fits(found["version"], wanted):
        return False
    # Only what an extra adds: the rest came with the distribution.
    added = [more for more in found["requires"] if wanted.extras and "extra ==" in more]
    return all(_is_satisfied(more, report, frozenset(wanted.extras)) for more in added)


def applies(
    wanted: Requirement, report: inventory.Report, extras: frozenset[str] = frozenset()
) -> bool:
    """Whether the marker of a requirement holds for that interpreter."""
    if wanted.marker is None:
        return True
    environments = [{**report["markers"], "extra": extra} for extra in extras or {""}]
    return any(wanted.marker.evaluate(environment) for environment in environments)


def _fits(version: str, wanted: Requirement) -> bool:
    from packaging.version import InvalidVersion

    try:
        return wanted.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return False
