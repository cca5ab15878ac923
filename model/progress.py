"""What a long loop tells the outside while it runs: plain functions, handed in by the caller."""

from __future__ import annotations

import time
from collections.abc import Callable

OnProgress = Callable[[str, int, int], None]
"""Called as on_progress(stage, done, total), often; the receiver decides what to show."""

Clock = Callable[[], float]
"""Seconds since an arbitrary moment."""


def ignore_progress(stage: str, done: int, total: int) -> None:
    """Show nothing."""


class ProgressLines:
    """Turns many calls into one plain line every few seconds, so that nobody waits in silence."""

    def __init__(
        self, write: Callable[[str], None], *, interval: float = 3.0, clock: Clock = time.monotonic
    ) -> None:
        """Send lines to `write`, at least `interval` seconds apart."""
        self._write = write
        self._interval = interval
        self._clock = clock
        self._last = clock()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Show "stage done/total" if the last line is old enough."""
        now = self._clock()
        if now - self._last >= self._interval:
            self._last = now
            self._write(f"{stage} {done}/{total} ({done / max(1, total):.0%})")
