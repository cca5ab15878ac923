"""Training steps on a GPU whose next batch is on its way, and such that wait for their batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
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

STEPS = 20
"""Of one run."""
BATCHES = 8
"""Different batches, which return in turn."""


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

    def waiting(batches: Iterable[Batch]) -> Iterable[Batch]:
        for batch in batches:
            images = batch.images.to(device)
            yield Batch(images, batch.labels, batch.indices, batch.readable)

    def copying() -> None:
        for batch in islice(cycle(pool), STEPS):
            batch.images.to(device)
        torch.cuda.synchronize()

    contestants: dict[str, Callable[[], None]] = {
        "prefetched": steps(backbone, pool, lambda stream: prefetched(stream, device), device),
        "waiting": steps(backbone, pool, waiting, device),
        "copy": copying,
    }
    contest = interleave(contestants, rounds=rounds, clock=time.perf_counter)
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


def steps(
    backbone: str,
    pool: list[Batch],
    fetch: Callable[[Iterable[Batch]], Iterable[Batch]],
    device: torch.device,
) -> Callable[[], None]:
    """STEPS steps of a training, its batches fetched one way or the other."""
    batch_size, size = pool[0].images.shape[:2]
    task = Task(backbone, count=len(pool) * batch_size, batch_size=batch_size)
    recipe = override(task.recipe, [f"image_size={size}"])
    labels = torch.cat([batch.labels for batch in pool]).numpy()
    # The steps get their batches from the pool; the course asks for the labels only.
    source = InMemory(torch.empty(0), labels, [()] * len(labels))
    trainee = new_trainee(
        recipe, class_names=tuple(map(str, range(NUM_CLASSES))), vocabulary=Vocabulary(())
    )
    trainee.to(device)
    everyone = np.arange(len(labels), dtype=np.int64)
    lesson = Lesson(Split(everyone, everyone[:0]), labels)
    compute = choose_compute(recipe.precision, trainee.network, device)
    course = plan_course(trainee, source, lesson, compute=compute, group=SOLO)
    learner = trainee.begin()
    learner.start_epoch(head_only=False)

    def run() -> None:
        for number, batch in enumerate(fetch(islice(cycle(pool), STEPS))):
            train_step(trainee, learner, course, batch, Position(0, number, STEPS), None)
        torch.cuda.synchronize()

    return run
