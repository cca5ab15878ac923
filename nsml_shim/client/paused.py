"""`nsml.paused`: do what the platform asked for, then go on (fork) or end (submit)."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from nsml_shim import protocol
from nsml_shim.client import checkpoints, constants, hooks, reports
from nsml_shim.client.session import CURRENT, Session
from nsml_shim.protocol import Instruction

POLL_SECONDS = 0.2
RELEASED = "released"
"""File in the session folder whose appearance ends a plain wait."""


def paused(scope: Mapping[str, Any] | None = None) -> None:
    """Hand control to the platform; call it right after `bind`, when `--pause` is 1.

    In a fork the checkpoint is loaded and the call returns. In a submission the checkpoint is
    loaded, the dataset's loader calls the bound infer function, its prediction is written, and
    the process ends inside the call. In a session that was started with `--pause 1` by hand the
    call waits until it is released. Outside a session it returns at once.

    Args:
        scope: The caller's `locals()`, published for `nsml exec`.

    Source: NSML docs, nsml.paused.
    """
    if CURRENT is None:
        return
    reports.publish(scope)
    if CURRENT.rank == 0:
        print("Paused.", flush=True)
    instruction = CURRENT.instruction
    if instruction is None:
        _wait(CURRENT)
    elif instruction.action == protocol.FORK:
        checkpoints.load(instruction.checkpoint, session=instruction.session)
    else:
        _submit(CURRENT, instruction)


def _wait(session: Session) -> None:
    while not (session.folder.root / RELEASED).exists():
        time.sleep(POLL_SECONDS)


def _submit(session: Session, instruction: Instruction) -> None:
    """Load, predict, write; ends the process."""
    stage = "load"
    try:
        started = time.perf_counter()
        checkpoints.load(instruction.checkpoint, session=instruction.session)
        took = time.perf_counter() - started
        _tell(session, "loaded", f"load nsml model takes {took} seconds")
        stage = "infer"
        limit = f"{instruction.time_limit:g} seconds"
        _tell(
            session,
            "infer",
            f"Infer test set. The inference should be completed within {limit}.",
        )
        started = time.perf_counter()
        predict(Path(instruction.loader), Path(instruction.prediction))
        _tell(session, "inferred", f"Infer test set takes {time.perf_counter() - started} seconds")
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code in (0, None):
            traceback.print_exc()
            error = RuntimeError(f"the script called exit() during {stage}")
        else:
            traceback.print_exc()
        _tell(session, f"failed {stage}", f"{type(error).__name__}: {error}")
        _leave(1)
    _leave(0)


def predict(loader: Path, prediction: Path) -> None:
    """Let the dataset owner's loader feed the bound infer function and write the prediction.

    `feed_infer(output_file, infer_func)` writes the file itself. Older loaders have only
    `test_data_loader(root_path)`: its result goes to infer (a tuple is spread), and infer returns
    pairs of (probability, result), of which the results are written, one per line.

    Raises:
        AssertionError: If nothing was written.

    Source: NSML docs, leaderboard.
    """
    module = _import(loader)
    infer = hooks.infer_hook()
    if hasattr(module, "feed_infer"):
        module.feed_infer(str(prediction), infer)
    else:
        root = constants.DATASET_PATH
        data = module.test_data_loader(root if isinstance(root, str) else root[0])
        answers = infer(*data) if isinstance(data, tuple) else infer(data)
        lines = "".join(f"{result}\n" for _, result in answers)
        prediction.write_text(lines, encoding="utf-8")
    if not prediction.is_file() or prediction.stat().st_size == 0:
        raise AssertionError("output result of inference is nothing")


def _import(path: Path) -> ModuleType:
    """Load the owner's file under a private name: a guest's own data_loader.py stays its own."""
    spec = importlib.util.spec_from_file_location("_nsml_dataset_data_loader", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"The dataset's loader {path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _tell(session: Session, event: str, text: str) -> None:
    """Say it in the log, and in the file that the waiting terminal reads."""
    print(text, flush=True)
    line = json.dumps({"event": event, "text": text, "walltime": time.time()}) + "\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    descriptor = os.open(session.folder.events, flags, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def _leave(code: int) -> None:
    """End the process here: code after `paused()` must not run in a submission."""
    sys.stdout.flush()
    sys.stderr.flush()
    # exit() could be caught by the guest, and atexit handlers could hang on idle workers.
    os._exit(code)
