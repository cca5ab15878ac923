"""The interpreter of a session: the one that runs `nsml` if it will do, else one built once.

An environment lies where it was built, for virtual environments cannot be moved. It counts as there
when its `complete` marker is; a half-built one is removed and built again, under a lock.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nsml_shim.errors import EnvironmentFailed
from nsml_shim.protocol import write_atomic
from nsml_shim.sessions import inventory
from nsml_shim.sessions.installer import QUIET, install, python_of
from nsml_shim.sessions.leases import Lease, hold
from nsml_shim.sessions.manifest import Manifest

if TYPE_CHECKING:
    from packaging.requirements import Requirement

MARKER = "complete"
"""File inside an environment that says that nothing is missing in it."""
KEY_LENGTH = 20
"""Hexadecimal digits of a key; 80 bits, so two manifests never share one by chance."""


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs a session."""

    python: Path
    """Its executable."""
    built: bool
    """It lies in an environment that the platform built, not where `nsml` itself runs."""
    key: str
    """Identifies manifest and kind of interpreter; the name of the environment's folder."""
    missing: tuple[str, ...] = ()
    """Requirements it does not satisfy; never empty only where building was forbidden."""


def missing(requirements: Sequence[str], python: str = sys.executable) -> list[str]:
    """Requirements that the interpreter `python` does not satisfy, in the order given.

    Names are compared in normal form; markers are evaluated for that interpreter; an extra is
    satisfied if what it adds is. Text that is no requirement counts as missing.
    """
    facts = _facts(python)
    return [text for text in requirements if not _is_satisfied(text, facts, frozenset())]


def key(manifest_texts: Iterable[str], interpreter: str) -> str:
    """Name of the environment for these manifest files and this kind of interpreter."""
    digest = hashlib.sha256(interpreter.encode())
    for text in manifest_texts:
        digest.update(f"\0{len(text)}\0{text}".encode())
    return digest.hexdigest()[:KEY_LENGTH]


def describe_interpreter() -> str:
    """What decides whether an environment built by this interpreter fits another one."""
    implementation = platform.python_implementation()
    return f"{implementation} {platform.python_version()} {sysconfig.get_platform()}"


def ensure(
    manifest: Manifest,
    *,
    envs: Path,
    build: bool,
    echo: Callable[[str], None],
    time_limit: float = 3600.0,
) -> Interpreter:
    """Find or build an interpreter that satisfies the manifest.

    Args:
        manifest: What the session needs.
        envs: Folder of environments.
        build: False (`--no-build`) never builds: own interpreter, whatever is missing is named.
        echo: Receives progress, at least one line every five seconds.
        time_limit: Seconds that building may take.

    Raises:
        EnvironmentFailed: If building fails; names the requirement and the last lines of the tool.
    """
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in manifest.source_files]
    name = key(texts, describe_interpreter())
    lacking = missing(manifest.requirements)
    own = Path(sys.executable)
    if not lacking:
        return Interpreter(own, built=False, key=name)
    if not build:
        echo(f"Not built (--no-build); {own} lacks: {', '.join(lacking)}")
        return Interpreter(own, built=False, key=name, missing=tuple(lacking))
    folder = envs / name
    if not _is_complete(folder):
        envs.mkdir(parents=True, exist_ok=True)
        with _locked(envs / f"{name}.lock", echo):
            if not _is_complete(folder):
                echo(f"{own} lacks: {', '.join(lacking)}")
                _build(manifest, folder, echo, time_limit)
    return Interpreter(python_of(folder), built=True, key=name)


def _build(
    manifest: Manifest, folder: Path, echo: Callable[[str], None], time_limit: float
) -> None:
    if folder.exists():
        echo(f"Removing an environment that was left half-built: {folder.name}")
        shutil.rmtree(folder)
    install(
        manifest.requirements,
        options=manifest.options,
        folder=folder,
        echo=echo,
        time_limit=time_limit,
    )
    about = {"interpreter": describe_interpreter(), "requirements": manifest.requirements}
    write_atomic(folder / MARKER, json.dumps(about).encode())


def _is_complete(folder: Path) -> bool:
    # The interpreter is a link to the one it was made from, which may have been removed since.
    return (folder / MARKER).is_file() and python_of(folder).exists()


def _locked(lock: Path, echo: Callable[[str], None]) -> Lease:
    """Hold `lock`, however long another builder takes; it holds it only while it lives."""
    told = float("-inf")
    while (lease := hold(lock, patience=0)) is None:
        if time.monotonic() - told >= QUIET:
            echo("Another session builds this environment; waiting for it.")
            told = time.monotonic()
        time.sleep(0.1)
    return lease


def _facts(python: str) -> inventory.Report:
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


def _is_satisfied(text: str, facts: inventory.Report, extras: frozenset[str]) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(text)
    except InvalidRequirement:
        return False
    if not _applies(wanted, facts, extras):
        return True
    found = facts["installed"].get(inventory.normalise(wanted.name))
    if found is None or not _fits(found["version"], wanted):
        return False
    # Only what an extra adds: the rest came with the distribution.
    added = [more for more in found["requires"] if wanted.extras and "extra ==" in more]
    return all(_is_satisfied(more, facts, frozenset(wanted.extras)) for more in added)


def _applies(wanted: Requirement, facts: inventory.Report, extras: frozenset[str]) -> bool:
    if wanted.marker is None:
        return True
    environments = [{**facts["markers"], "extra": extra} for extra in extras or {""}]
    return any(wanted.marker.evaluate(environment) for environment in environments)


def _fits(version: str, wanted: Requirement) -> bool:
    from packaging.version import InvalidVersion

    try:
        return wanted.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return False
