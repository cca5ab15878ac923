"""How this project measures speed: contestants in turn, processor time, medians, one last line."""

from __future__ import annotations

import gc
import random
import resource
import time
from collections.abc import Callable, Mapping
from statistics import median

Clock = Callable[[], float]
Contest = dict[str, list[float]]
"""Seconds of every round, by contestant."""

ROUNDS = 7


def interleave(
    contestants: Mapping[str, Callable[[], object]],
    *,
    rounds: int = ROUNDS,
    clock: Clock = time.process_time,
) -> Contest:
    """Let every contestant run once a round, in a random order, after one run that is not counted.

    Neighbours on the machine slow all contestants of a round alike, so that ratios of medians
    stay comparable where absolute times are not.

    Args:
        contestants: What to run, by name; each does the same work.
        rounds: Counted runs of each, at least 1.
        clock: Seconds; processor time of the process by default. Contestants that start processes
            need `processor_time_of_children`, those that wait for the disk `time.perf_counter`.
    """
    for run in contestants.values():
        run()
    contest: Contest = {name: [] for name in contestants}
    shuffle = random.Random(0)
    for _ in range(rounds):
        order = list(contestants)
        shuffle.shuffle(order)
        for name in order:
            gc.collect()
            begin = clock()
            contestants[name]()
            contest[name].append(clock() - begin)
    return contest


def clock_for(device: str) -> Clock:
    """Processor time; wall time for a device ("cuda:0") for which the processor only waits."""
    return time.process_time if device == "cpu" else time.perf_counter


def medians(contest: Contest) -> dict[str, float]:
    """Median seconds of each contestant."""
    return {name: median(seconds) for name, seconds in contest.items()}


def processor_time_of_children() -> float:
    """Seconds of processor time that ended child processes have used, all together."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def speed_ratio(contest: Contest, ours: str, peer: str) -> float:
    """How many times as fast as the peer we are: the median over the rounds' own ratios."""
    return median(theirs / mine for mine, theirs in zip(contest[ours], contest[peer], strict=True))


def last_line(name: str, figure: str, unit: str, *, peer: str, ratio: float) -> str:
    """The line that ends every benchmark: `NAME: FIGURE unit (peer FIGURE, ratio R)`."""
    return f"{name}: {figure} {unit} (peer {peer}, ratio {ratio:.2f})"
