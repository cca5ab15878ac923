"""What a training spends beside training: moving average, metrics, reports and checkpoints.

Measured where it happens, inside a training in a session of the real library, so that a share of a
percent is not lost in the noise of two runs.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch

from benchmarks.train_ours import in_memory
from benchmarks.train_task import NUM_CLASSES, Task
from model import training
from model.checkpoint import BackgroundWriter
from model.devices import choose_compute, prepare_device
from model.optim import MovingAverage
from model.trainee import EpochResult, new_trainee
from model.vocabulary import Vocabulary
from nsml_shim.protocol import ENV_FOLDER, ENV_SESSION, ENV_STORE

AVERAGE, METRICS = "moving average", "metrics"
REPORTS = "lines, reports and checkpoints (thread included)"
MEASURED = {
    "confusion_matrix": METRICS,
    "soft_cross_entropy": METRICS,
    "class_f1": METRICS,
}
"""Functions of the loop and what their time counts as."""


class Account:
    """Processor time of all threads by purpose."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {AVERAGE: 0.0, METRICS: 0.0, REPORTS: 0.0}

    @contextmanager
    def book(self, purpose: str) -> Iterator[None]:
        """What happens in the block counts as `purpose`."""
        begin = time.process_time()
        yield
        self.spent[purpose] += time.process_time() - begin

    def booked(self, purpose: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time booked."""

        def call(*given: Any, **named: Any) -> Any:
            with self.book(purpose):
                return function(*given, **named)

        return call


def measure_overheads(*, quick: bool) -> dict[str, float]:
    """Share of a training's processor time by purpose, 0..1; sets this process up as a session."""
    build = Path(__file__).resolve().parents[1] / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="overheads-", dir=build) as folder:
        session = Path(folder, "bench", "train", "1")
        (session / "checkpoints").mkdir(parents=True)
        os.environ.update(
            {ENV_SESSION: "bench/train/1", ENV_FOLDER: str(session), ENV_STORE: folder}
        )
        return _shares(Task("narrow", count=2048 if quick else 6016))


def _shares(task: Task) -> dict[str, float]:
    # The library reads once, when it is loaded, which session it belongs to.
    from reporting import keep_later, report_epoch

    torch.set_num_threads(1)
    device, account = torch.device("cpu"), Account()
    prepare_device(device, ranks=1)
    source = in_memory(task)
    names = tuple(map(str, range(NUM_CLASSES)))
    trainee = new_trainee(task.recipe, class_names=names, vocabulary=Vocabulary(()))
    compute = choose_compute(task.recipe.precision, trainee.network, device)

    def after_epoch(result: EpochResult) -> None:
        with account.book(REPORTS):
            writer.wait()
            report_epoch(result, epochs=task.recipe.epochs, step=result.step)
            keep_later(writer, "best", trainee.snapshot_network(), None)
            keep_later(writer, "last", trainee.snapshot(), None)
            # Here and not beside the next epoch, so that the thread's time is in the account.
            writer.wait()

    with ExitStack() as stack:
        writer = stack.enter_context(BackgroundWriter())
        for name, purpose in MEASURED.items():
            function = account.booked(purpose, getattr(training, name))
            stack.enter_context(mock.patch.object(training, name, function))
        update = account.booked(AVERAGE, MovingAverage.update)
        stack.enter_context(mock.patch.object(MovingAverage, "update", update))
        begin = time.process_time()
        training.fit(trainee, source, compute=compute, listener=training.Listener(after_epoch))
        whole = time.process_time() - begin
    return {purpose: seconds / whole for purpose, seconds in account.spent.items()}
