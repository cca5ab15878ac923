"""Several networks that look at the same pictures, each of which is decoded once.

Decoding costs more than most networks do, and an ensemble over folds or seeds wants the very same
pixels for each member.

N examples, B batch, K classes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import Batch, ExampleSource, Framing
from model.devices import Compute
from model.prediction import forward
from model.progress import Clock
from model.trainee import Trainee

ComputeOf = Callable[[Trainee], Compute]
"""Device and precision for a network."""

Answer = tuple[Batch, NDArray[np.float32]]
"""A batch and one network's class probabilities, float32 [B, K]."""


class SideBySide:
    """One pass of several networks over all examples of a source, in its order."""

    def __init__(self, source: ExampleSource, trainees: Sequence[Trainee], clock: Clock) -> None:
        self.pictures = SharedPictures(source, clock)
        self.computed = [0.0] * len(trainees)
        """Seconds that each network has computed so far."""
        self._trainees = trainees
        self._clock = clock

    def batches(
        self, compute_of: ComputeOf, workers: int
    ) -> Iterator[tuple[Batch, list[NDArray[np.float32]]]]:
        """Each batch with the probabilities of each network, float32 [B, K].

        Args:
            compute_of: Where and how a network computes; it is moved there.
            workers: Threads that decode pictures.
        """
        order = np.arange(len(self.pictures), dtype=np.int64)
        streams: list[Iterator[Answer]] = []
        for place, trainee in enumerate(self._trainees):
            compute = compute_of(trainee)
            trainee.to(compute.device)
            steps = forward(trainee, self.pictures, order, compute=compute, workers=workers)
            streams.append(self._timed(place, steps))
        for answers in zip(*streams, strict=True):
            yield answers[0][0], [probs for _, probs in answers]

    def _timed(self, place: int, steps: Iterator[tuple[Batch, torch.Tensor]]) -> Iterator[Answer]:
        """Answers of one network; its time without the pictures' is booked."""
        while True:
            began = self._clock() - self.pictures.waited
            step = next(steps, None)
            if step is None:
                return
            # Fetching the numbers waits for the device, so that its time is counted.
            probs = step[1].softmax(dim=1).cpu().numpy()
            self.computed[place] += self._clock() - self.pictures.waited - began
            yield step[0], probs


class SharedPictures:
    """A source for readers that go in step: all take a batch before any takes the one after next.

    Only two batches per framing are held, since `prefetched` is one ahead; so memory stays flat.
    """

    def __init__(self, source: ExampleSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._feeds: dict[tuple[Framing, int], _Feed] = {}

    @property
    def labels(self) -> NDArray[np.int64]:
        """As of the source."""
        return self._source.labels

    @property
    def categories(self) -> Sequence[tuple[str, ...]]:
        """As of the source."""
        return self._source.categories

    def __len__(self) -> int:
        return len(self._source)

    @property
    def waited(self) -> float:
        """Seconds for which readers have waited for pictures so far."""
        return sum(feed.waited for feed in self._feeds.values())

    def duplicate_groups(self, workers: int) -> NDArray[np.int64]:
        """As of the source."""
        return self._source.duplicate_groups(workers)

    def batches(
        self, order: NDArray[np.int64], *, batch_size: int, framing: Framing, workers: int
    ) -> Iterator[Batch]:
        """Batches as of the source; decoded for the first reader of each framing only."""
        key = (framing, batch_size)
        if key not in self._feeds:
            batches = self._source.batches(
                order, batch_size=batch_size, framing=framing, workers=workers
            )
            self._feeds[key] = _Feed(order, batches, self._clock)
        return self._feeds[key].read(order)


class _Feed:
    """One pass over the pictures, and its two newest batches."""

    def __init__(self, order: NDArray[np.int64], batches: Iterator[Batch], clock: Clock) -> None:
        self._order = order
        self._batches = batches
        self._clock = clock
        self._newest: deque[Batch | None] = deque(maxlen=2)
        self._taken = 0
        self.waited = 0.0

    def read(self, order: NDArray[np.int64]) -> Iterator[Batch]:
        """All batches, as one reader meets them.

        Raises:
            ValueError: If the reader wants another order than the first one, or is out of step.
        """
        if not np.array_equal(order, self._order):
            raise ValueError("Readers that share pictures must want the same order.")
        number = 0
        while (batch := self._at(number)) is not None:
            number += 1
            yield batch

    def _at(self, number: int) -> Batch | None:
        if number == self._taken:
            began = self._clock()
            self._newest.append(next(self._batches, None))
            self.waited += self._clock() - began
            self._taken += 1
        elif number < self._taken - len(self._newest):
            raise ValueError("A reader fell behind; its batch is gone.")
        return self._newest[number - self._taken]
