"""The process of a session: its command line, its variables, what it may see."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nsml_shim import protocol
from nsml_shim.commands.platform import Platform
from nsml_shim.commands.reserved import reserved
from nsml_shim.protocol import Instruction
from nsml_shim.sessions import shelf
from nsml_shim.sessions.machine import machine_slots
from nsml_shim.sessions.mounts import Mount, View
from nsml_shim.sessions.sandbox import find_overlay, find_sandbox
from nsml_shim.store.sessions import SessionRow

COMPAT = "NSML_COMPAT"
"""The user's switch: 0 leaves out the names that old code misses in new libraries."""
KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CUDA_HOME")
"""Variables of the user that a submission keeps; a training session keeps all but NSML_*."""
SHELL = "import os, sys; os.execvp('sh', ['sh', *sys.argv[1:]])"
"""Program that becomes a shell."""


@dataclass(frozen=True)
class Start:
    """How to start the process of a session."""

    argv: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    warning: str = ""
    """First line of the log."""


def training(platform: Platform, row: SessionRow, slots: Sequence[str]) -> Start:
    """A run, fork or service: the guest's command in its directory, with the user's variables."""
    return _in_session(platform, row, slots, _command(row))


def shell(platform: Platform, row: SessionRow, command: str) -> Start:
    """A shell with the view and the variables of a session, but without its GPUs.

    Args:
        platform: Settings and store.
        row: Which session; no submission.
        command: Words for `sh -c`; "" is an interactive shell.
    """
    # Through the interpreter, whose folders the view is built around.
    words = ["-c", command] if command else []
    start = _in_session(platform, row, (), [row.interpreter, "-c", SHELL, *words])
    programs = str(Path(row.interpreter).parent)
    return replace(start, env={**start.env, "PATH": os.pathsep.join([programs, start.env["PATH"]])})


def _in_session(
    platform: Platform, row: SessionRow, slots: Sequence[str], argv: list[str]
) -> Start:
    """A command with the view of a session that is no submission."""
    folder = platform.folder(row)
    datasets = platform.find_datasets(row.dataset)
    overlay = find_overlay()
    env = {key: value for key, value in os.environ.items() if not key.startswith("NSML_")}
    env |= _variables(platform, row, slots)
    paths = [f"/data/{d.name}" if overlay else str(d.run_view) for d in datasets]
    env |= _data([d.name for d in datasets], paths)
    limit = min((d.settings.model_limit for d in datasets), default=float("inf"))
    if limit != float("inf"):
        env[protocol.ENV_MODEL_LIMIT] = str(limit)
    if row.kind in (protocol.FORK, protocol.INFER):
        instruction = Instruction(row.kind, row.parent, row.checkpoint)
        env[protocol.ENV_INSTRUCTION] = instruction.to_json()
    cache = protocol.cache_folder(platform.settings.sessions, row.owner, row.dataset)
    cache.mkdir(parents=True, exist_ok=True)
    env[protocol.ENV_CACHE] = str(cache)
    if overlay is None:
        warning = (
            "NSML Warning) bubblewrap does not work here, so /app and /data do not exist in this "
            f"session: the code is in {folder.work}, nsml.DATASET_PATH says where the data is.\n"
        )
        return Start(argv, env, folder.work, warning)
    mounts = [
        _same_place(platform.settings.sessions / row.owner),
        _same_place(cache, writable=True),
        _same_place(folder.root, writable=True),
        _same_place(folder.code),
        Mount(folder.work, "/app", writable=True),
        *(Mount(d.run_view, f"/data/{d.name}") for d in datasets),
        _same_place(Path(env["PYTHONPATH"])),
    ]
    # The labels, the store and other owners' sessions lie in the home.
    view = View(mounts, "/app", network=True, hidden=[platform.settings.home])
    argv, env = overlay(argv, view, env)
    return Start(argv, env, folder.work)


def submission(platform: Platform, row: SessionRow, slots: Sequence[str]) -> Start:
    """A submission: the guest's command, alone with its code, the test data and its models."""
    folder = platform.folder(row)
    dataset = platform.find_dataset(row.dataset)
    trial = row.kind == protocol.TRIAL
    view = dataset.trial_view if trial else dataset.submit_view
    box = find_sandbox(allow_unsandboxed=dataset.settings.allow_unsandboxed)
    data = f"/data/{dataset.name}" if box.remaps else str(view)
    instruction = Instruction(
        action=row.kind,
        session=row.parent,
        checkpoint=row.checkpoint,
        loader=f"{data}/data_loader.py",
        prediction=str(folder.outbox.prediction),
        time_limit=dataset.settings.time_limit,
    )
    env = {key: os.environ[key] for key in KEPT if key in os.environ}
    env |= _variables(platform, row, slots)
    env |= _data([dataset.name], [data])
    env[protocol.ENV_INSTRUCTION] = instruction.to_json()
    env[protocol.ENV_FOLDER] = str(folder.outbox.root)
    mounts = [
        # Ensembles read checkpoints of the owner's other sessions; labels and store stay outside.
        _same_place(platform.settings.sessions / row.owner),
        _same_place(folder.outbox.root, writable=True),
        Mount(folder.work, "/app", writable=True),
        Mount(view, f"/data/{dataset.name}"),
        _same_place(Path(env["PYTHONPATH"])),
    ]
    argv, env = box.wrap(
        _command(row),
        mounts=mounts,
        workdir="/app" if box.remaps else str(folder.work),
        network=False,
        env=env,
        hidden=[platform.settings.home],
    )
    return Start(argv, env, folder.work)


def evaluator(platform: Platform, row: SessionRow, script: Path, labels: Path) -> tuple[Start, str]:
    """The owner's evaluator, alone with the prediction and the hidden labels.

    Returns:
        How to start it (without its own arguments), and where it will see the labels. It sees the
        prediction where it lies.
    """
    folder = platform.folder(row)
    dataset = platform.find_dataset(row.dataset)
    box = find_sandbox(allow_unsandboxed=dataset.settings.allow_unsandboxed)
    # Evaluators up to 2019 hard-code this path.
    seen_labels = f"/data/{dataset.name}/test/test_label" if box.remaps else str(labels)
    mounts = [
        _same_place(script),
        Mount(labels, seen_labels),
        _same_place(folder.prediction),
    ]
    env = {key: os.environ[key] for key in KEPT if key in os.environ}
    argv, env = box.wrap(
        [row.interpreter, str(script)],
        mounts=mounts,
        workdir="/" if box.remaps else str(folder.work),
        network=False,
        env=env | {"PYTHONUTF8": "1"},
        hidden=[platform.settings.home],
    )
    return Start(argv, env, folder.root), seen_labels


def _same_place(source: Path, *, writable: bool = False) -> Mount:
    """A mount that appears where it lies on the host."""
    return Mount(source, str(source), writable)


def _command(row: SessionRow) -> list[str]:
    return [row.interpreter, "-u", row.entry, *row.args, *reserved(row)]


def _variables(platform: Platform, row: SessionRow, slots: Sequence[str]) -> dict[str, str]:
    folder = platform.folder(row)
    on_gpus = machine_slots().kind == "gpu"
    variables = {
        protocol.ENV_SESSION: str(row.name),
        protocol.ENV_FOLDER: str(folder.root),
        protocol.ENV_STORE: str(platform.settings.sessions),
        # On a machine without a GPU scripts that ask "use cuda?" must hear no, whatever -g says.
        protocol.ENV_GPU_NUM: str(len(slots) if on_gpus else 0),
        protocol.ENV_WORKERS: str(max(1, len(slots))),
        "PYTHONPATH": str(shelf.shelf(platform.settings.home)),
        "PYTHONUTF8": "1",  # scripts open files without naming an encoding
    }
    if COMPAT in os.environ:
        variables[COMPAT] = os.environ[COMPAT]
    if on_gpus:
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(slots)
        variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"  # the order in which slots are numbered
    return variables


def _data(names: Sequence[str], paths: Sequence[str]) -> dict[str, str]:
    return {
        protocol.ENV_DATASET_NAME: ",".join(names),
        protocol.ENV_DATASET_PATH: os.pathsep.join(paths),
    }
