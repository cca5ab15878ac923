"""One epoch of our own loop, from memory and from files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import data_loader
from benchmarks.train_task import NUM_CLASSES, Task, draw_memory
from model.batch import Batch, ExampleSource, Framing
from model.course import plan_course
from model.devices import choose_compute, prepare_device
from model.lesson import Lesson
from model.ranks import SOLO
from model.split import Split
from model.trainee import new_trainee
from model.training import Listener, train_epoch
from model.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class InMemory:
    """Pictures that have the size of the input already: an `ExampleSource`."""

    pixels: torch.Tensor
    """uint8 [N, S, S, 3], where the network computes, as the bare loop has them."""
    labels: NDArray[np.int64]
    categories: Sequence[tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self, order: NDArray[np.int64], *, batch_size: int, framing: Framing, workers: int
    ) -> Iterator[Batch]:
        """Batches in the given order; nothing is left to crop."""
        for places in torch.from_numpy(order).split(batch_size):
            labels = torch.from_numpy(self.labels[places.numpy()])
            readable = torch.ones(len(places), dtype=torch.bool)
            chosen = places.to(self.pixels.device, non_blocking=True)
            yield Batch(self.pixels[chosen], labels, places, readable)

    def duplicate_groups(self, workers: int) -> NDArray[np.int64]:
        """Every picture for itself."""
        return np.arange(len(self), dtype=np.int64)


def in_memory(task: Task) -> InMemory:
    """The task's pictures."""
    pixels, labels = draw_memory(task)
    return InMemory(pixels.to(task.device), labels.numpy(), [()] * task.count)


def our_loop(task: Task) -> Callable[[], object]:
    """One epoch from memory."""
    return _epoch(task, in_memory(task))


def our_files(task: Task, folder: Path) -> Callable[[], object]:
    """One epoch from JPEG files, decoded in the loop's own thread."""
    return _epoch(task, data_loader.read_train(folder))


def _epoch(task: Task, source: ExampleSource) -> Callable[[], object]:
    torch.set_num_threads(1)
    device = torch.device(task.device)
    prepare_device(device, ranks=1)
    names = tuple(map(str, range(NUM_CLASSES)))
    trainee = new_trainee(task.recipe, class_names=names, vocabulary=Vocabulary(()))
    trainee.to(device)
    everyone = np.arange(len(source), dtype=np.int64)
    lesson = Lesson(Split(everyone, everyone[:0]), source.labels)
    compute = choose_compute(task.recipe.precision, trainee.network, device)
    course = plan_course(trainee, source, lesson, compute=compute, group=SOLO)
    learner = trainee.begin()
    return lambda: train_epoch(trainee, learner, course, Listener(lambda _result: None))
