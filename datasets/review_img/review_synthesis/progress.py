"""How far a long job is: a bar on a terminal, a line every two seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO

LINE_EVERY = 2.0
"""Seconds between two lines where the output is no terminal."""
BAR_WIDTH = 30


class Progress:
    """Tells a reader how many of `total` pieces are done; never silent while it is updated.

    Attributes:
        done: Pieces finished so far.
    """

    def __init__(
        self,
        total: int,
        unit: str,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total, self.done, self.unit = total, 0, unit
        self.stream = sys.stderr if stream is None else stream
        self.clock = clock
        self.started = clock()
        self.shown: float | None = None

    def update(self, done: int) -> None:
        """Note that `done` pieces are finished, and show it if it is time to."""
        self.done = done
        now = self.clock()
        live = self.stream.isatty()
        pause = 0.1 if live else LINE_EVERY
        if done < self.total and self.shown is not None and now - self.shown < pause:
            return
        self.shown = now
        text = self._line(now - self.started)
        last = "\n" if not live or done >= self.total else ""
        self.stream.write(f"\r{text}\x1b[K{last}" if live else f"{text}\n")
        self.stream.flush()

    def _line(self, seconds: float) -> str:
        share = self.done / self.total if self.total else 1.0
        filled = round(BAR_WIDTH * share)
        bar = "#" * filled + "-" * (BAR_WIDTH - filled)
        left = f", {seconds / share - seconds:.0f} s left" if 0 < share < 1 else ""
        return f"[{bar}] {self.done}/{self.total} {self.unit}, {seconds:.0f} s{left}"
