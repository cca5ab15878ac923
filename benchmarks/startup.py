"""From `nsml run` to the guest's first line, and what `import nsml` costs.

    python -m benchmarks.startup [--quick]

The platform is installed as a wheel into an environment of its own, and everything is compiled.
Wall time from typing to the moment the guest's first statement runs, on a warm home: the guest
writes the time down. Its peer is the same file run by Python directly. `import nsml` is processor
time within a Python that has loaded nothing else.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from benchmarks.installed import NotInstalled, install
from benchmarks.measure import ROUNDS, last_line

GUEST = "import time; print(repr(time.time()), flush=True)\n"
IMPORT = """
from time import process_time
begin = process_time()
import nsml
print(process_time() - begin)
"""
LIMIT, IMPORT_LIMIT = 0.4, 0.015
"""Seconds that are aimed at: until the first line over Python's own start, and for the import."""
PATIENCE = 30.0
"""Seconds until a session without a line counts as broken."""


def until_first_line(command: Sequence[str], guest: Path, log: Callable[[], Path | None]) -> float:
    """Seconds from starting a command until the guest's first line was printed."""
    begin = time.time()
    subprocess.run(command, cwd=guest, stdout=subprocess.DEVNULL, check=True)
    while time.time() < begin + PATIENCE:
        path = log()
        text = path.read_text(encoding="utf-8") if path and path.exists() else ""
        if text.endswith("\n"):
            return float(text.splitlines()[-1]) - begin
        time.sleep(0.01)
    raise RuntimeError(f"{' '.join(command)} printed nothing in {PATIENCE:.0f} seconds")


def first_lines(python: Path, folder: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until the first line, by the platform and by Python alone, in turns."""
    guest, home = folder / "guest", folder / "home"
    guest.mkdir()
    (guest / "main.py").write_text(GUEST, encoding="utf-8")
    os.environ |= {"NSML_HOME": str(home), "NSML_TEAM": "team"}
    nsml = str(python.with_name("nsml"))
    bare = guest / "bare.txt"
    ours: list[float] = []
    alone: list[float] = []
    for number in range(1, rounds + 2):
        log = home / "sessions" / "team" / "None" / str(number) / "log"
        ours.append(
            until_first_line([nsml, "run", "--hide-client-log"], guest, lambda log=log: log)
        )
        told = f"{python} main.py > {bare.name}"
        alone.append(until_first_line(["sh", "-c", told], guest, lambda: bare))
        bare.unlink()
    return ours[1:], alone[1:]


def importing(python: Path, rounds: int) -> float:
    """Seconds of processor time that `import nsml` takes in a Python that has loaded nothing."""
    # Elsewhere, or Python would find the checkout first.
    runs = (
        subprocess.run(
            [python, "-c", IMPORT], cwd=python.parent, stdout=subprocess.PIPE, check=True
        )
        for _ in range(rounds)
    )
    return median(float(run.stdout) for run in runs)


def measure(rounds: int) -> str:
    """Run both contests and print them; returns the last line."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        python = install(Path(folder))
        ours, alone = first_lines(python, Path(folder), rounds)
        imported = importing(python, 5 * rounds)
    over = median(ours) - median(alone)
    print("| what | seconds | limit |\n|---|---|---|")
    print(f"| Python to its first line | {median(alone):.3f} | |")
    print(f"| `nsml run` to the guest's first line | {median(ours):.3f} | |")
    print(f"| the difference | {over:.3f} | {LIMIT} |")
    print(f"| `import nsml`, processor time | {imported:.4f} | {IMPORT_LIMIT} |")
    ratio = median(ours) / median(alone)
    peer = f"python {median(alone):.3f} s"
    return last_line("startup", f"{median(ours):.3f}", "s", peer=peer, ratio=ratio)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.startup", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    options = parser.parse_args(arguments)
    try:
        print(measure(ROUNDS if options.quick else 3 * ROUNDS))
    except NotInstalled as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
