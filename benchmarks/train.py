"""Our training loop against a bare one by hand, and against timm's loader and loop.

    python -m benchmarks.train [--quick]

The bare loop has what cannot be left out: a flip, a forward and a backward pass, clipping and a
step. Ours also keeps a moving average, counts, tells its progress and could go on after a kill.
Processor time on one thread, wall time on a GPU; each contestant has a process of its own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from benchmarks.in_turn import interleave_processes
from benchmarks.measure import Contest, clock_for, last_line, medians, speed_ratio
from benchmarks.overheads import measure_overheads
from benchmarks.train_bare import bare_loop
from benchmarks.train_ours import our_files, our_loop
from benchmarks.train_task import Task, draw_folder
from benchmarks.train_timm import TimmFlags, timm_loop

OURS, BARE = "ours", "bare loop by hand"
TIMM = "timm's loader and loop"
TIMM_TUNED = "the same with --amp-dtype bfloat16 --channels-last"
COUNTS = {"narrow": 1536, "resnet18": 320, "mobilenetv3_small_100": 512}
"""Pictures of an epoch from memory; with --quick, only the first network."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.train")
    parser.add_argument("--quick", action="store_true", help="fewer pictures and rounds")
    quick = parser.parse_args(arguments).quick
    rounds = 5 if quick else 7
    devices = ["cpu"] + (["cuda:0"] if torch.cuda.is_available() else [])
    print("| network | pictures | device | loop | images/s | ours is faster by |")
    print("|---|---|---|---|---|---|")
    bare: dict[str, Contest] = {}
    for device in devices:
        for backbone, count in COUNTS.items():
            if backbone == "narrow" or not quick:
                task = Task(backbone, count=count, device=device)
                bare[f"{backbone} {device}"] = against_bare(task, rounds)
    with tempfile.TemporaryDirectory(prefix="train-") as folder:
        task = Task("resnet18", count=128 if quick else 256, batch_size=32, device=devices[-1])
        draw_folder(Path(folder), task.count)
        against_timm(task, Path(folder), rounds if not quick else 3)
    overheads = measure_overheads(quick=quick)
    print("\nShare of the processor time of a training (narrow, moving average and all):\n")
    print("| what | share |\n|---|---|")
    for name, share in overheads.items():
        print(f"| {name} | {share:.2%} |")
    print(f"| together | {sum(overheads.values()):.2%} |\n")
    first = bare["narrow cpu"]
    speeds = {name: COUNTS["narrow"] / seconds for name, seconds in medians(first).items()}
    print(
        last_line(
            "train",
            f"{speeds[OURS]:.0f}",
            "images/s",
            peer=f"{BARE} {speeds[BARE]:.0f}",
            ratio=speed_ratio(first, OURS, BARE),
        )
    )
    return 0


def against_bare(task: Task, rounds: int) -> Contest:
    """Pictures in memory, same network and settings."""
    contest = interleave_processes(
        {OURS: partial(our_loop, task), BARE: partial(bare_loop, task)},
        rounds=rounds,
        clock=clock_for(task.device),
    )
    print_rows(contest, task, "in memory")
    return contest


def against_timm(task: Task, folder: Path, rounds: int) -> Contest:
    """JPEG files of 320 pixels a side, random crops and flips."""
    contest = interleave_processes(
        {
            OURS: partial(our_files, task, folder),
            TIMM: partial(timm_loop, task, folder, TimmFlags(tuned=False)),
            TIMM_TUNED: partial(timm_loop, task, folder, TimmFlags(tuned=True)),
        },
        rounds=rounds,
        clock=clock_for(task.device),
    )
    print_rows(contest, task, "JPEG files")
    return contest


def print_rows(contest: Contest, task: Task, pictures: str) -> None:
    """Rows of the table; the ratio stands beside the peer."""
    for name, seconds in medians(contest).items():
        ratio = "" if name == OURS else f"{speed_ratio(contest, OURS, name):.2f}"
        print(
            f"| {task.backbone} | {pictures} | {task.device} | {name} "
            f"| {task.count / seconds:.0f} | {ratio} |",
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main())
