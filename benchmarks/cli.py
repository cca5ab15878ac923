"""What the command line costs beside a bare Python: processor time of whole processes.

    python -m benchmarks.cli [--quick]

The store holds 1,000 sessions, of which 20 are waiting to start and the others have ended. The
platform is installed as a wheel into an environment of its own, and everything is compiled.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.installed import NotInstalled, install
from benchmarks.measure import (
    ROUNDS,
    interleave,
    last_line,
    medians,
    processor_time_of_children,
    speed_ratio,
)
from nsml_shim.commands.platform import Platform
from nsml_shim.protocol import RUN
from nsml_shim.settings import Settings
from nsml_shim.store.sessions import NewSession

SESSIONS, LIVING = 1000, 20
OWNER = "team"
BARE, CLICK = "pass", "import click"
"""What Python alone runs."""
TARGETS = {"nsml --help": 4.0, "nsml ps": 5.5, "nsml ps -a": 5.5}
"""How many times a bare Python each may cost; the issue names no figure for `-a` of its own."""


def fill(home: Path) -> None:
    """Put the sessions into a new store."""
    platform = Platform(Settings(home=home, owner=OWNER, quota=0, max_files=1000, max_bytes=2**30))
    platform.db.execute("PRAGMA synchronous = OFF")
    now = time.time()
    for number in range(SESSIONS):
        living = number >= SESSIONS - LIVING
        row = platform.sessions.create(
            NewSession(
                owner=OWNER,
                dataset="review_img",
                kind=RUN,
                entry="main.py",
                args=["--recipe", "smoke", "--seed", str(number)],
                interpreter=sys.executable,
            ),
            # One that is younger than its supervisor's grace period counts as starting.
            now=now + 3600 if living else now - 86400,
        )
        if not living:
            platform.sessions.set_summary(row, {"train/loss": 1 / (1 + number), "step": number})
            platform.sessions.set_exited(row, cause="finished", exit_code=0, now=now)


def command(words: Sequence[str], home: Path) -> Callable[[], None]:
    """Run a command once, its output thrown away."""
    environment = {**os.environ, "NSML_HOME": str(home), "NSML_TEAM": OWNER}

    def run() -> None:
        subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=True)

    return run


def measure(rounds: int) -> str:
    """Run the contest and print the table; returns the last line."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        fill(home)
        python = install(Path(folder))
        nsml = str(python.with_name("nsml"))
        words = {told: [str(python), "-c", told] for told in (BARE, CLICK)}
        words |= {told: [nsml, *told.split()[1:]] for told in TARGETS}
        contest = interleave(
            {told: command(line, home) for told, line in words.items()},
            rounds=rounds,
            clock=processor_time_of_children,
        )
    middle = medians(contest)
    print(f"| {SESSIONS} sessions, of which {LIVING} live | ms | times `python -c pass` | limit |")
    print("|---|---|---|---|")
    times = {told: 1 / speed_ratio(contest, told, BARE) for told in words}
    for told in words:
        limit = TARGETS.get(told, "")
        print(f"| `{told}` | {1000 * middle[told]:.0f} | {times[told]:.2f} | {limit} |")
    ps = "nsml ps"
    figures = {told: f"{1000 * middle[told]:.0f}" for told in words}
    return last_line("cli", figures[ps], "ms", peer=f"python {figures[BARE]} ms", ratio=times[ps])


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.cli", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args(arguments)
    try:
        print(measure(15 if options.quick else 5 * ROUNDS))
    except NotInstalled as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
