"""The quick set: every speed benchmark in short form, and their last lines together.

    python -m benchmarks [NAME ...]

What trains for long (`ladder`, `real`, `cache_scores`) is not in it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

QUICK = (
    *("decode", "cache", "loader", "train", "infer", "smoke"),
    *("cli", "report", "save", "startup", "noise"),
)
"""In the order in which they run."""


ON_A_GPU = "gpu"
"""Runs only where there is one."""


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks, or all quick ones; returns 1 if one failed, 2 for a wrong name."""
    known = *QUICK, ON_A_GPU
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"There is no quick benchmark {unknown[0]!r}. Known: {', '.join(known)}.")
        return 2
    last_lines: list[str] = []
    failed = False
    for name in names or (known if torch.cuda.is_available() else QUICK):
        begin = time.monotonic()
        print(f"\n== benchmarks.{name}", flush=True)
        code, last = run(name)
        failed = failed or code != 0
        ending = last if code == 0 else f"{name}: failed with exit code {code}"
        last_lines.append(f"{ending}  [{time.monotonic() - begin:.0f} s]")
    print("\n" + "\n".join(last_lines))
    return int(failed)


def run(name: str) -> tuple[int, str]:
    """Run one benchmark, showing what it prints; its exit code and last line."""
    command = [sys.executable, "-u", "-m", f"benchmarks.{name}", "--quick"]
    root = Path(__file__).resolve().parents[1]
    last = ""
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            last = line.strip() or last
    return process.returncode, last


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
