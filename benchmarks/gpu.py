"""Pictures into a GPU: by the processor, by nvJPEG, from raw copies; then a training step.

    python -m benchmarks.gpu [--quick]

Wall time up to `torch.cuda.synchronize`, since the point is what runs beside what; contestants take
turns. Without a GPU it says so and ends. The last line is about copies that are resident, against
the same copies cropped by the processor.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.corpus import photographs
from benchmarks.decode_peers import SIZE
from benchmarks.gpu_step import BATCHES, STEPS, fed_contest, step_contest
from benchmarks.measure import Contest, interleave, last_line, medians, speed_ratio
from benchmarks.train_task import Task
from model.augment.framing import RandomCrop
from model.batch import UNKNOWN_LABEL, Batch
from model.devices import prepare_device, usable_cores
from model.pixels.cache.kinds import RAW
from model.pixels.cache.plan import build, open_cache
from model.pixels.device.copies import DeviceCopies
from model.pixels.device.loader import stream_copies
from model.pixels.device.nvjpeg import is_present, stream_decoded
from model.pixels.loader import PictureFiles, stream_batches
from model.prefetch import prefetched

BATCH = 128
PICTURES = 48
"""Different pictures; each is read often."""
FILES, NVJPEG = "files, decoded by the processor", "files, decoded by nvJPEG"
HERE, SENT = "raw copies, cropped by the processor", "raw copies, sent and cropped there"
RESIDENT = "raw copies, resident and cropped there"
NETWORKS = ("resnet18", "efficientnet_b1")


@dataclass(frozen=True)
class Way:
    """One way of pictures into the GPU."""

    pictures: int
    """Pictures of one run, so many that it takes some tenths of a second."""
    workers: int
    make: Callable[..., Iterator[Batch]]
    """Called with an order, and with batch_size, framing and workers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu")
    parser.add_argument("--quick", action="store_true", help="one network, fewer rounds")
    quick = parser.parse_args(arguments).quick
    if not torch.cuda.is_available():
        print("gpu: skipped, torch finds no GPU here")
        return 0
    device, rounds = torch.device("cuda", 0), 5 if quick else 7
    prepare_device(device, ranks=1)
    torch.set_num_threads(1)  # as many threads decode as there are cores
    print(
        f"{torch.cuda.get_device_name(device)}, {usable_cores()} cores, torch {torch.__version__}"
    )
    print_steps(device, NETWORKS[:1] if quick else NETWORKS, rounds)
    with tempfile.TemporaryDirectory() as folder:
        ways = ways_in(Path(folder), device)
        contest = print_ways(ways, device, rounds)
        print_likeness(ways)
        print_fed_steps(ways, device, NETWORKS[:1] if quick else NETWORKS, rounds=5)
    rates = {name: 1 / seconds for name, seconds in medians(contest).items()}
    ours, peer = (best_of(rates, way) for way in (RESIDENT, HERE))
    ratio = speed_ratio(contest, ours, peer)
    figure, other = f"{rates[ours]:.0f}", f"{HERE} {rates[peer]:.0f}"
    print("\n" + last_line("gpu", figure, "pictures/s", peer=other, ratio=ratio))
    return 0


def print_steps(device: torch.device, networks: Sequence[str], rounds: int) -> None:
    """A training step with the next batch on its way, and without."""
    print(f"\nTraining step, batch {BATCH}, {SIZE} pixels, pictures in page-locked memory:\n")
    print("| network | a batch's copy, ms | step without prefetch, ms | with, ms | ratio |")
    print("|---|---|---|---|---|")
    for backbone in networks:
        contest = step_contest(backbone, device, batch_size=BATCH, size=SIZE, rounds=rounds)
        spent = {name: 1000 * seconds for name, seconds in medians(contest).items()}
        ratio = speed_ratio(contest, "prefetched", "waiting")
        print(
            f"| {backbone} | {spent['copy']:.2f} | {spent['waiting']:.2f} "
            f"| {spent['prefetched']:.2f} | {ratio:.3f} |",
            flush=True,
        )


def ways_in(root: Path, device: torch.device) -> dict[str, Way]:
    """All ways that this machine has, by name and number of threads."""
    paths, cores = photographs(PICTURES), usable_cores()
    names = [path.name for path in paths]
    labels = np.full(len(names), UNKNOWN_LABEL, dtype=np.int64)
    loose = PictureFiles(paths[0].parent, names, labels)
    cache = open_cache(paths[0].parent, RAW, root)
    build(cache, names, workers=cores, on_progress=lambda _done, _total: None)
    kept = PictureFiles(paths[0].parent, names, labels, cache=cache)

    def say(line: str) -> None:
        print(f"({line})")

    resident = DeviceCopies(cache, device, say)
    sent = DeviceCopies(cache, device, say, room=lambda _device: 0)

    def here(files: PictureFiles) -> Callable[..., Iterator[Batch]]:
        return lambda order, **options: stream_batches(files, order, **options)

    def there(copies: DeviceCopies) -> Callable[..., Iterator[Batch]]:
        return lambda order, **options: stream_copies(kept, copies, order, **options)

    ways: dict[str, Way] = {}
    for workers in sorted({1, cores}):
        ways[named(FILES, workers)] = Way(256 * min(workers, 8), workers, here(loose))
        ways[named(HERE, workers)] = Way(4096, workers, here(kept))
        ways[named(SENT, workers)] = Way(4096, workers, there(sent))
        ways[named(RESIDENT, workers)] = Way(16_384, workers, there(resident))
    if is_present(device):
        ways[named(NVJPEG, cores)] = Way(
            1024,
            cores,
            lambda order, **options: stream_decoded(loose, device, order, **options),
        )
    else:
        print("(nvJPEG is left out: this torchvision has none)")
    return ways


def print_ways(ways: Mapping[str, Way], device: torch.device, rounds: int) -> Contest:
    """Run all ways in turn and print the table; returns the seconds of each picture."""
    contest = interleave(
        {name: into_gpu(way, device) for name, way in ways.items()},
        rounds=rounds,
        clock=time.perf_counter,
    )
    for name, way in ways.items():
        contest[name] = [seconds / way.pictures for seconds in contest[name]]
    print(f"\nRandom-resized crops of {SIZE} pixels in batches of {BATCH}, on the GPU:\n")
    print("| way | pictures/s | times one core that decodes files |\n|---|---|---|")
    for name, seconds in medians(contest).items():
        ratio = speed_ratio(contest, name, named(FILES, 1))
        print(f"| {name} | {1 / seconds:.0f} | {ratio:.1f} |")
    if (nvjpeg := best_of(contest, NVJPEG)) in contest:
        cores = speed_ratio(contest, nvjpeg, named(FILES, 1))
        print(f"\nnvJPEG decodes as much as {cores:.1f} cores.")
    return contest


def print_likeness(ways: Mapping[str, Way]) -> None:
    """How near the pixels that the GPU makes come to those of the processor."""
    print(
        "\n| pixels | beside | PSNR, median / worst, dB | largest difference |\n|---|---|---|---|"
    )
    for mine, theirs in ((RESIDENT, HERE), (SENT, RESIDENT), (NVJPEG, FILES)):
        if (name := best_of(ways, mine)) not in ways:
            continue
        one, other = (pixels_of(ways[key]) for key in (name, best_of(ways, theirs)))
        difference = np.abs(one - other)
        errors = (difference**2).mean(axis=(1, 2, 3))
        quality = 10 * np.log10(255**2 / np.maximum(errors, 1e-9))
        print(
            f"| {mine} | {theirs} | {np.median(quality):.1f} / {quality.min():.1f} "
            f"| {difference.max():.0f} |"
        )


def print_fed_steps(
    ways: Mapping[str, Way], device: torch.device, networks: Sequence[str], rounds: int
) -> None:
    """A training step whose pictures come one way or another: what a user waits for."""
    chosen = [name for name in ways if ways[name].workers == max(w.workers for w in ways.values())]
    order = np.arange(STEPS * BATCH, dtype=np.int64) % PICTURES
    keys = count()

    def fetch(name: str) -> Iterator[Batch]:
        framing, way = RandomCrop(SIZE, 0.08, 4 / 3, next(keys)), ways[name]
        batches = way.make(order, batch_size=BATCH, framing=framing, workers=way.workers)
        return prefetched(batches, device)

    print(f"\nTraining step with pictures from where they lie, batch {BATCH}, {SIZE} pixels:\n")
    print("| network | pictures | step, ms | pictures/s |\n|---|---|---|---|")
    for backbone in networks:
        task = Task(backbone, count=BATCHES * BATCH, device=str(device), batch_size=BATCH)
        contest = fed_contest(task, SIZE, {name: partial(fetch, name) for name in chosen}, rounds)
        for name, seconds in medians(contest).items():
            print(f"| {backbone} | {name} | {1000 * seconds:.2f} | {BATCH / seconds:.0f} |")


def pixels_of(way: Way) -> NDArray[np.float64]:
    """A crop of each picture, [PICTURES, SIZE, SIZE, 3]."""
    framing, order = RandomCrop(SIZE, 0.08, 4 / 3, key=0), np.arange(PICTURES, dtype=np.int64)
    batches = way.make(order, batch_size=BATCH, framing=framing, workers=way.workers)
    return torch.cat([batch.images.cpu() for batch in batches]).double().numpy()


def named(way: str, workers: int) -> str:
    """Name of a way with its threads."""
    return f"{way}, {workers} thread{'s' if workers > 1 else ''}"


def best_of(names: Iterable[str], way: str) -> str:
    """The name of a way with the most threads; the way itself if it is not there."""
    return max((name for name in names if name.startswith(way)), default=way, key=_threads)


def _threads(name: str) -> int:
    return int(name.rsplit(", ", 1)[1].split()[0])


def into_gpu(way: Way, device: torch.device) -> Callable[[], None]:
    """One run: batches with ever new boxes, taken as a training takes them."""
    keys, order = count(), np.arange(way.pictures, dtype=np.int64) % PICTURES

    def run() -> None:
        framing = RandomCrop(SIZE, 0.08, 4 / 3, next(keys))
        batches = way.make(order, batch_size=BATCH, framing=framing, workers=way.workers)
        for _ in prefetched(batches, device):
            pass
        torch.cuda.synchronize()

    return run


if __name__ == "__main__":
    sys.exit(main())
