"""The interpreter of a session: the one that runs `nsml` if it will do, else one built once.

An environment lies where it was built, for virtual environments cannot be moved. It counts as there
when its `complete` marker is; a half-built one is removed and built again, under a lock. Pins that
cannot be had never stop a run: what is used instead is said, or refused if the user is strict.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsml_shim.errors import EnvironmentFailed
from nsml_shim.protocol import write_atomic
from nsml_shim.sessions import building, inventory
from nsml_shim.sessions.index import Index
from nsml_shim.sessions.installer import QUIET, check, install, python_of
from nsml_shim.sessions.leases import Lease, hold
from nsml_shim.sessions.manifest import Manifest
from nsml_shim.sessions.requirements import facts, missing_from
from nsml_shim.sessions.substitution import Outcome, Wish, judge, plan, unavailable

Echo = Callable[[str], None]

MARKER = "complete"
"""File inside an environment that says that nothing more is to be done to it."""
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
    """Requirements that it does not satisfy, and nothing else stands in for."""
    substitutions: tuple[str, ...] = ()
    """One sentence for each requirement that something else stands in for."""


@dataclass(frozen=True)
class _Task:
    manifest: Manifest
    folder: Path
    """Where its environment lies, or would lie."""
    strict: bool
    echo: Echo
    time_limit: float


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
    echo: Echo,
    strict: bool = False,
    time_limit: float = 3600.0,
) -> Interpreter:
    """Find or build an interpreter that satisfies the manifest, as nearly as can be.

    Args:
        manifest: What the session needs.
        envs: Folder of environments.
        build: False (`--no-build`) never builds: own interpreter, whatever is missing is named.
        echo: Receives progress, at least one line every five seconds, and each substitution.
        strict: Refuse to use anything but what the manifest names.
        time_limit: Seconds that building may take.

    Raises:
        EnvironmentFailed: If the user is strict and a requirement cannot be met; names each. Else
            only if no environment can be made at all.
    """
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in manifest.source_files]
    # A setup.py that had to be run may have read anything.
    texts += [*manifest.requirements, *(["--strict"] if strict else [])]
    name = key(texts, describe_interpreter())
    report = inventory.report()
    lacking = missing_from(manifest.requirements, report)
    if not lacking:
        return Interpreter(Path(sys.executable), built=False, key=name)
    task = _Task(manifest, envs / name, strict, echo, time_limit)
    if not build:
        return _as_it_is(task, report, f"Not built (--no-build); {sys.executable} is used")
    if strict:
        check(manifest.requirements)
        return _built(task, [Wish(text, (text,)) for text in manifest.requirements])
    if _is_complete(task.folder):
        return _built(task, [])
    index = Index(manifest.options)
    wishes = plan(manifest.requirements, report, index)
    if any(wish.builds for wish in wishes) and not index.unreachable:
        return _built(task, wishes)
    return _as_it_is(task, report, index.unreachable and _offline_note(index))


def _offline_note(index: Index) -> str:
    return f"No package index can be reached ({index.unreachable}); {sys.executable} is used"


def _as_it_is(task: _Task, report: inventory.Report, note: str) -> Interpreter:
    """Our own interpreter, with whatever stands in for what it lacks."""
    outcome = judge(task.manifest.requirements, report, own=True, asked=not note)
    if task.strict:
        lacking = missing_from(task.manifest.requirements, report)
        raise EnvironmentFailed(_refusal(lacking, outcome))
    if note:
        task.echo(f"{note}.")
    return _tell(task, Interpreter(Path(sys.executable), False, task.folder.name), outcome)


def _built(task: _Task, wishes: Sequence[Wish]) -> Interpreter:
    """The environment of the session's own, built unless it is there."""
    if not _is_complete(task.folder):
        task.folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(task.folder.with_name(f"{task.folder.name}.lock"), task.echo):
            if not _is_complete(task.folder):
                _build(task, wishes)
    if not _is_complete(task.folder):
        note = f"The environment would lack more than {sys.executable} does, which is used instead"
        return _as_it_is(task, inventory.report(), note)
    about = json.loads((task.folder / MARKER).read_text(encoding="utf-8"))
    outcome = Outcome(tuple(about["substitutions"]), tuple(about["missing"]))
    return _tell(task, Interpreter(python_of(task.folder), True, task.folder.name), outcome)


def _build(task: _Task, wishes: Sequence[Wish]) -> None:
    """Build the environment; removes it again if our own interpreter serves better."""
    wanted, folder, own = task.manifest.requirements, task.folder, inventory.report()
    if folder.exists():
        task.echo(f"Removing an environment that was left half-built: {folder.name}")
        shutil.rmtree(folder)
    task.echo(f"{sys.executable} lacks: {', '.join(missing_from(wanted, own))}")
    fill = _install_exactly if task.strict else building.build
    fill(
        wishes,
        options=task.manifest.options,
        folder=folder,
        echo=task.echo,
        time_limit=task.time_limit,
    )
    outcome = judge(wanted, facts(str(python_of(folder))), own=False)
    if set(outcome.missing) - set(judge(wanted, own, own=True).missing):
        shutil.rmtree(folder)
        return
    about = {
        "interpreter": describe_interpreter(),
        "requirements": wanted,
        "substitutions": outcome.substitutions,
        "missing": outcome.missing,
    }
    write_atomic(folder / MARKER, json.dumps(about).encode())


def _install_exactly(
    wishes: Sequence[Wish], *, options: Sequence[str], folder: Path, echo: Echo, time_limit: float
) -> None:
    """Install each requirement as it is written.

    Raises:
        EnvironmentFailed: Names each that no index has for this Python, then what the tool said.
    """
    wanted = [wish.asked for wish in wishes]
    try:
        install(wanted, options=options, folder=folder, echo=echo, time_limit=time_limit)
    except EnvironmentFailed as error:
        lacking = unavailable(wanted, inventory.report(), Index(options))
        if not lacking:
            raise
        outcome = judge(lacking, inventory.report(), own=True)
        raise EnvironmentFailed(f"{_refusal(lacking, outcome)}\n{error}") from error


def _refusal(lacking: Sequence[str], outcome: Outcome) -> str:
    """Why a strict user gets no session."""
    lines = [
        f"These requirements cannot be met as they are written: {', '.join(lacking)}. "
        "Correct them in setup.py or requirements.txt, or leave out --strict, and then:",
        *(f"  {sentence}" for sentence in outcome.substitutions),
        *(f"  {text} is left out" for text in outcome.missing),
    ]
    return "\n".join(lines)


def _tell(task: _Task, found: Interpreter, outcome: Outcome) -> Interpreter:
    """Say what stands in and what is missing; returns the interpreter with both."""
    for sentence in outcome.substitutions:
        task.echo(sentence)
    for text in outcome.missing:
        again = f" (remove {task.folder} to try again)" if found.built else ""
        task.echo(f"{text} cannot be installed here; the session goes on without it{again}")
    return Interpreter(found.python, found.built, found.key, outcome.missing, outcome.substitutions)


def _is_complete(folder: Path) -> bool:
    # The interpreter is a link to the one it was made from, which may have been removed since.
    return (folder / MARKER).is_file() and python_of(folder).exists()


def _locked(lock: Path, echo: Echo) -> Lease:
    """Hold `lock`, however long another builder takes; it holds it only while it lives."""
    told = float("-inf")
    while (lease := hold(lock, patience=0)) is None:
        if time.monotonic() - told >= QUIET:
            echo("Another session builds this environment; waiting for it.")
            told = time.monotonic()
        time.sleep(0.1)
    return lease
