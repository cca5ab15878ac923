"""Contestants take turns, and the last line has one shape."""

from __future__ import annotations

import pytest

from benchmarks.measure import interleave, last_line, medians, speed_ratio
from benchmarks.peers import PeerMissing, peer, requirement


def test_every_contestant_runs_once_a_round_after_one_run_that_does_not_count():
    ran: list[str] = []
    contest = interleave({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, rounds=4)
    assert ran[:2] == ["a", "b"]
    assert [sorted(ran[i : i + 2]) for i in range(2, 10, 2)] == [["a", "b"]] * 4
    assert {name: len(seconds) for name, seconds in contest.items()} == {"a": 4, "b": 4}


def test_the_order_changes_between_rounds():
    ran: list[str] = []
    interleave({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, rounds=20)
    assert {tuple(ran[i : i + 2]) for i in range(2, 42, 2)} == {("a", "b"), ("b", "a")}


def test_only_the_contestant_s_own_time_counts():
    now = [0.0]

    def work(seconds: float) -> None:
        now[0] += seconds

    contest = interleave(
        {"slow": lambda: work(4), "fast": lambda: work(1)}, rounds=3, clock=lambda: now[0]
    )
    assert medians(contest) == {"slow": 4.0, "fast": 1.0}
    assert speed_ratio(contest, "fast", "slow") == 4.0


def test_a_round_s_neighbours_slow_both_sides_of_its_ratio():
    assert speed_ratio({"us": [1, 10, 1], "them": [2, 20, 2]}, "us", "them") == 2.0


def test_the_last_line():
    line = last_line("decode", "3.1", "ms", peer="8.5", ratio=2.742)
    assert line == "decode: 3.1 ms (peer 8.5, ratio 2.74)"


def test_a_peer_is_named_with_its_version():
    assert requirement("cleanlab").startswith("cleanlab==")


def test_a_peer_that_is_not_listed_is_refused_by_name():
    with pytest.raises(PeerMissing, match=r"no_such_peer does not stand in requirements\.txt"):
        peer("no_such_peer")
