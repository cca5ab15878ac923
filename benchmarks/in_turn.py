"""Contestants that need a process of their own, because they set it up in their own way.

Each is started once, and runs when it is its turn; it measures its own time.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection

from benchmarks.measure import ROUNDS, Clock, Contest, interleave

Prepare = Callable[[], Callable[[], object]]
"""Sets the process up, and returns what is to be measured; a function at the top of a module."""


def interleave_processes(
    contestants: Mapping[str, Prepare], *, rounds: int = ROUNDS, clock: Clock = time.process_time
) -> Contest:
    """As `interleave`, with every contestant in a process of its own.

    Args:
        contestants: How to prepare each, by name.
        rounds: Counted runs of each.
        clock: Seconds, read in the contestant's process.

    Raises:
        EOFError: If a contestant ended with an error, which stands above.
    """
    spawn = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    processes = []
    for name, prepare in contestants.items():
        lines[name], other_end = spawn.Pipe()
        processes.append(
            spawn.Process(target=_serve, args=(prepare, other_end, clock), daemon=True)
        )
        processes[-1].start()
        other_end.close()
    spent = [0.0]

    def turn(name: str) -> None:
        lines[name].send(True)
        spent[0] += lines[name].recv()

    turns = {name: lambda name=name: turn(name) for name in contestants}
    try:
        return interleave(turns, rounds=rounds, clock=lambda: spent[0])
    finally:
        for line in lines.values():
            line.close()
        for process in processes:
            process.join()


def _serve(prepare: Prepare, line: Connection, clock: Clock) -> None:
    run = prepare()
    while True:
        try:
            line.recv()
        except EOFError:
            return
        begin = clock()
        run()
        line.send(clock() - begin)
