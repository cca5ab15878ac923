"""Contestants in processes of their own take turns, too."""

from __future__ import annotations

import time
from functools import partial

from benchmarks.in_turn import interleave_processes


def spin(seconds: float):
    def run() -> None:
        begin = time.process_time()
        while time.process_time() - begin < seconds:
            pass

    return run


def test_contestants_in_processes_report_their_own_processor_time():
    contest = interleave_processes(
        {"long": partial(spin, 0.2), "short": partial(spin, 0.05)}, rounds=2
    )
    assert {name: len(seconds) for name, seconds in contest.items()} == {"long": 2, "short": 2}
    assert min(contest["long"]) >= 0.2
    assert 0.05 <= min(contest["short"]) < min(contest["long"])
