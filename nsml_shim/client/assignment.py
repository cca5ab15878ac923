"""The two assignments that end a process inside `nsml.paused`: a submission and a service."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from nsml_shim.client import checkpoints, constants, hooks
from nsml_shim.client.session import Session
from nsml_shim.protocol import Instruction


def predict_test_data(session: Session, instruction: Instruction) -> NoReturn:
    """Load, predict, write; ends the process."""
    _load(session, instruction)
    with _stage(session, "infer"):
        limit = f"{instruction.time_limit:g} seconds"
        _tell(
            session,
            "infer",
            f"Infer test set. The inference should be completed within {limit}.",
        )
        started = time.perf_counter()
        predict(Path(instruction.loader), Path(instruction.prediction))
        _tell(session, "inferred", f"Infer test set takes {time.perf_counter() - started} seconds")
    _leave(0)


def answer(
    session: Session, instruction: Instruction, *, wait: Callable[[Session], None]
) -> NoReturn:
    """Load, then answer `nsml exec` until stopped or released; ends the process."""
    _load(session, instruction)
    _tell(session, "serving", f"Answers `nsml exec {session.name} 'nsml.infer(...)'`.")
    wait(session)
    _leave(0)


def _load(session: Session, instruction: Instruction) -> None:
    with _stage(session, "load"):
        started = time.perf_counter()
        checkpoints.load(instruction.checkpoint, session=instruction.session)
        took = time.perf_counter() - started
        _tell(session, "loaded", f"load nsml model takes {took} seconds")


@contextmanager
def _stage(session: Session, stage: str) -> Generator[None]:
    """Whatever goes wrong inside ends the process, with its traceback in the log."""
    try:
        yield
    except BaseException as error:
        traceback.print_exc()
        if isinstance(error, SystemExit) and error.code in (0, None):
            error = RuntimeError(f"the script called exit() during {stage}")
        _tell(session, f"failed {stage}", f"{type(error).__name__}: {error}")
        _leave(1)


def predict(loader: Path, prediction: Path) -> None:
    """Let the dataset owner's loader feed the bound infer function and write the prediction.

    `feed_infer(output_file, infer_func)` writes the file itself. Older loaders have only
    `test_data_loader(root_path)`: its result goes to infer (a tuple is spread), and infer returns
    pairs of (probability, result), of which the results are written, one per line.

    Raises:
        AssertionError: If nothing was written.
        TypeError: If infer returned something else than pairs.

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
        lines = "".join(f"{_result(at, pair)}\n" for at, pair in enumerate(answers))
        prediction.write_text(lines, encoding="utf-8")
    if not prediction.is_file() or prediction.stat().st_size == 0:
        raise AssertionError("output result of inference is nothing")


def _result(at: int, pair: Any) -> object:
    """The second of a pair, however it is spelt: tuple, list, or row of an array."""
    # A text of two letters would come apart as well.
    if isinstance(pair, (str, bytes)) or not hasattr(pair, "__len__") or len(pair) != 2:
        raise TypeError(
            f"infer returned {pair!r} at position {at}; this dataset expects a list of "
            "(probability, result), the probability being any number."
        )
    return pair[1]


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


def _leave(code: int) -> NoReturn:
    """End the process here: code after `paused()` must not run in a submission."""
    sys.stdout.flush()
    sys.stderr.flush()
    # exit() could be caught by the guest, and atexit handlers could hang on idle workers.
    os._exit(code)
