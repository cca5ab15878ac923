"""What the loader adds to the decoding, and what a second worker gives.

    python -m benchmarks.loader [--quick]

Overhead: processor time of one thread, batches by the loader against the same pictures read one
after the other into one array. Workers: wall time, since that is what workers are for; torch's
DataLoader reads the same pictures by the same function in worker processes. Its batches are 64
pictures of 224 pixels, as ours.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from benchmarks.corpus import photographs
from benchmarks.decode_peers import SIZE
from benchmarks.measure import ROUNDS, interleave, last_line, medians, speed_ratio
from model.augment.framing import RandomCrop
from model.batch import UNKNOWN_LABEL
from model.devices import keep_freed_memory
from model.pixels.cache.kinds import KINDS
from model.pixels.cache.plan import build, open_cache
from model.pixels.loader import PictureFiles, stream_batches

BATCH = 64
RAW_REPEATS = 16
"""Raw copies are read so fast that one pass would measure the start of the threads."""

Pass = Callable[[], object]


class Reading(Dataset[torch.Tensor]):
    """Single pictures for torch's DataLoader, by the function that our loader calls."""

    def __init__(self, files: PictureFiles, order: np.ndarray) -> None:
        """Read `files` in this order, int [M]."""
        self.files, self.order = files, order
        self.framing = framing_of(0)

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> torch.Tensor:
        out = np.empty((SIZE, SIZE, 3), dtype=np.uint8)
        self.files.read_into(int(self.order[place]), self.framing, out)
        return torch.from_numpy(out)


def framing_of(key: int) -> RandomCrop:
    """The box of a training picture."""
    return RandomCrop(SIZE, 0.08, 4 / 3, key)


def bare(files: PictureFiles, order: np.ndarray) -> Pass:
    """The reading alone, into one array."""
    out, keys = np.empty((BATCH, SIZE, SIZE, 3), dtype=np.uint8), count()

    def run() -> None:
        framing = framing_of(next(keys))
        for place, index in enumerate(order.tolist()):
            files.read_into(index, framing, out[place % BATCH])

    return run


def loaded(files: PictureFiles, order: np.ndarray, workers: int) -> Pass:
    """Batches by our loader."""
    keys = count()

    def run() -> None:
        framing = framing_of(next(keys))
        for _ in stream_batches(files, order, batch_size=BATCH, framing=framing, workers=workers):
            pass

    return run


def by_torch(files: PictureFiles, order: np.ndarray, workers: int) -> Pass:
    """Batches by torch's DataLoader, its processes kept over the passes."""
    loader = DataLoader(
        Reading(files, order),
        batch_size=BATCH,
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context="fork",
    )

    def run() -> None:
        for _ in loader:
            pass

    return run


def sources(paths: Sequence[Path], root: Path) -> dict[str, tuple[PictureFiles, np.ndarray]]:
    """The same pictures as files and as raw copies, each with the order in which they are read."""
    names = [path.name for path in paths]
    labels = np.full(len(names), UNKNOWN_LABEL, dtype=np.int64)
    order = np.arange(len(names), dtype=np.int64)
    cache = open_cache(paths[0].parent, KINDS["raw"], root)
    build(cache, names, workers=1, on_progress=lambda _done, _total: None)
    loose = PictureFiles(paths[0].parent, names, labels)
    copies = PictureFiles(paths[0].parent, names, labels, cache=cache)
    return {"files": (loose, order), "raw cache": (copies, np.tile(order, RAW_REPEATS))}


def measure(pictures: int, rounds: int) -> str:
    """Run the contests and print the table; returns the last line."""
    print(
        "| pictures from | bare loop, ms | loader / bare | 2 workers / 1 | 2 workers / DataLoader |"
    )
    print("|---|---|---|---|---|")
    line = ""
    with tempfile.TemporaryDirectory() as folder:
        for name, (files, order) in sources(photographs(pictures), Path(folder)).items():
            alone = interleave(
                {"bare": bare(files, order), "loader": loaded(files, order, 0)}, rounds=rounds
            )
            ways: Mapping[str, Pass] = {
                "one": loaded(files, order, 1),
                "two": loaded(files, order, 2),
                "torch": by_torch(files, order, 2),
            }
            together = interleave(ways, rounds=rounds, clock=time.perf_counter)
            each = 1000 * medians(alone)["bare"] / len(order)
            gain, ratio = (speed_ratio(together, "two", other) for other in ("one", "torch"))
            overhead = 1 / speed_ratio(alone, "loader", "bare")
            print(f"| {name} | {each:.3f} | {overhead:.2f} | {gain:.2f} | {ratio:.2f} |")
            rates = {way: len(order) / medians(together)[way] for way in together}
            line = last_line(
                "loader", f"{rates['two']:.0f}", "img/s", peer=f"{rates['torch']:.0f}", ratio=ratio
            )
    return line


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.loader", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pictures, under 45 seconds")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    keep_freed_memory()  # as every training does; else threads wait for one another's page faults
    print(measure(*((128, 5) if options.quick else (256, ROUNDS))))


if __name__ == "__main__":
    main()
