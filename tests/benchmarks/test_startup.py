"""The moment of the first line is the one that the guest has written down."""

from __future__ import annotations

import shlex
import sys
import time

import pytest

from benchmarks import startup


def test_the_guest_s_own_time_counts_and_not_when_it_was_read(tmp_path):
    (tmp_path / "main.py").write_text(startup.GUEST)
    told = f"sleep 0.2; {shlex.quote(sys.executable)} main.py > log; sleep 0.5"
    begin = time.time()
    seconds = startup.until_first_line(["sh", "-c", told], tmp_path, lambda: tmp_path / "log")
    assert 0.2 < seconds < time.time() - begin - 0.5


def test_a_line_that_is_half_written_is_waited_for(tmp_path):
    told = 'printf "17" > log; (sleep 0.2; echo "50000000.5" >> log) &'
    seconds = startup.until_first_line(["sh", "-c", told], tmp_path, lambda: tmp_path / "log")
    assert seconds + time.time() == pytest.approx(1750000000.5, abs=60)


def test_a_guest_that_prints_nothing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(startup, "PATIENCE", 0.2)
    with pytest.raises(RuntimeError, match=r"true main\.py printed nothing"):
        startup.until_first_line(["true", "main.py"], tmp_path, lambda: None)
