"""A program of several ranks for test_ranks.py: `rank_program.py SIZE WHAT FOLDER`."""

import os
import sys
import time
from pathlib import Path

import torch

from model.ranks import Launch, RankGroup, child_rank, is_child, joined, lead


def leave_note(folder: Path) -> None:
    (folder / "note").write_text("hello")


def check_note(folder: Path) -> None:
    assert (folder / "note").read_text() == "hello"


def work(group: RankGroup, what: str, folder: Path) -> None:
    (folder / f"pid{group.rank}").write_text(str(os.getpid()))
    if what == "sum":
        total = group.sum(torch.tensor([float(group.rank + 1)])).item()
        answer = group.decide(group.rank == 0, torch.device("cpu"))
        norm = torch.nn.BatchNorm1d(2)
        mean = norm.get_buffer("running_mean").fill_(group.rank)
        group.average_statistics(norm)
        # A child is told before any library of it starts threads.
        threads = os.environ["OMP_NUM_THREADS"] if is_child() else torch.get_num_threads()
        (folder / f"out{group.rank}").write_text(f"{total} {answer} {mean.tolist()} {threads}")
        return
    if what == "apart" and group.rank == 1:
        # Busy with something that no broken connection would interrupt.
        time.sleep(600)
    for step in range(10_000):
        if what == "raise" and group.rank == 1 and step == 3:
            raise ZeroDivisionError("planted in rank 1")
        group.sum(torch.ones(10))
        time.sleep(0.01)


def main() -> None:
    size, what, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    if is_child():
        if what == "early" and child_rank() == 1:
            sys.exit(7)
        with joined(check_note, "cpu") as group:
            work(group, what, folder)
        return
    torch.set_num_threads(3)
    launch = Launch(size, [sys.executable, *sys.argv])
    with lead(launch, leave_note, "cpu") as group:
        work(group, what, folder)
    print("done")


if __name__ == "__main__":
    main()
