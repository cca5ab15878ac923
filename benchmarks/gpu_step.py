"""Training steps on a GPU whose next batch is on its way, and such that wait for their batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import cycle, islice

import numpy as np
import torch

from benchmarks.measure import Contest, interleave
from benchmarks.train_ours import InMemory
from benchmarks.train_task import NUM_CLASSES, Task
from model.batch import Batch
from model.course import plan_course
from model.devices import choose_compute
from model.lesson import Lesson
from model.prefetch import prefetched
from model.ranks import SOLO
from model.recipes import override
from model.split import Split
from model.step import Position, train_step
from model.trainee import new_trainee
from model.vocabulary import Vocabulary

STEPS = 12
"""Of one run."""
BATCHES = 8
"""Different batches, which return in turn."""


Fetch = Callable[[], Iterable[Batch]]
"""Begins the batches of STEPS steps."""


def step_contest(
    backbone: str, device: torch.device, *, batch_size: int, size: int, rounds: int
) -> Contest:
    """Seconds of one step: "prefetched", "waiting" as before there was a prefetch, and "copy".

    Args:
        backbone: Of the network.
        device: The GPU.
        batch_size: B.
        size: Side of the pictures, pixels.
        rounds: Counted runs of each.
    """
    pool = page_locked(batch_size, size)

    def batches() -> Iterator[Batch]:
        return islice(cycle(pool), STEPS)

    def waiting() -> Iterator[Batch]:
        for batch in batches():
            images = batch.images.to(device)
            yield Batch(images, batch.labels, batch.indices, batch.readable)

    def copying() -> None:
        for batch in batches():
            batch.images.to(device)
        torch.cuda.synchronize()

    count = BATCHES * batch_size
    task = Task(backbone, count=count, device=str(device), batch_size=batch_size)
    contestants = {
        "prefetched": steps(task, size, lambda: prefetched(batches(), device)),
        "waiting": steps(task, size, waiting),
        "copy": copying,
    }
    return of_one_step(interleave(contestants, rounds=rounds, clock=time.perf_counter))


def fed_contest(task: Task, size: int, ways: Mapping[str, Fetch], rounds: int) -> Contest:
    """Seconds of one step whose pictures come one way or another.

    Args:
        task: Network, batch size and device.
        size: Side of the pictures, pixels.
        ways: By name.
        rounds: Counted runs of each.
    """
    contestants = {name: steps(task, size, fetch) for name, fetch in ways.items()}
    return of_one_step(interleave(contestants, rounds=rounds, clock=time.perf_counter))


def of_one_step(contest: Contest) -> Contest:
    """Seconds of a run divided among its steps."""
    return {name: [seconds / STEPS for seconds in runs] for name, runs in contest.items()}


def page_locked(batch_size: int, size: int) -> list[Batch]:
    """Batches of noise, as a loader leaves them."""
    draws = torch.Generator().manual_seed(0)
    pool: list[Batch] = []
    for number in range(BATCHES):
        shape = batch_size, size, size, 3
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=draws).pin_memory()
        places = torch.arange(batch_size) + number * batch_size
        pool.append(Batch(images, places % NUM_CLASSES, places, torch.ones_like(places) > 0))
    return pool


def steps(task: Task, size: int, fetch: Fetch) -> Callable[[], None]:
    """STEPS steps of a training of its own on batches that are fetched in this way."""
    device = torch.device(task.device)
    recipe = override(task.recipe, [f"image_size={size}"])
    labels = np.arange(task.count, dtype=np.int64) % NUM_CLASSES
    # The batches come from elsewhere; the course asks for the labels only.
    source = InMemory(torch.empty(0), labels, [()] * len(labels))
    names = tuple(map(str, range(NUM_CLASSES)))
    trainee = new_trainee(recipe, class_names=names, vocabulary=Vocabulary(()))
    trainee.to(device)
    everyone = np.arange(len(labels), dtype=np.int64)
    lesson = Lesson(Split(everyone, everyone[:0]), labels)
    compute = choose_compute(recipe.precision, trainee.network, device)
    course = plan_course(trainee, source, lesson, compute=compute, group=SOLO)
    learner = trainee.begin()
    learner.start_epoch(head_only=False)

    def run() -> None:
        for number, batch in enumerate(fetch()):
            train_step(trainee, learner, course, batch, Position(0, number, STEPS), None)
        torch.cuda.synchronize()

    return run
