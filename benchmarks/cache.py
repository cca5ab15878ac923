"""From a cached copy to a crop of 224 pixels, beside those who read the file, or a cache like ours.

    python -m benchmarks.cache [--quick]

Processor time of one thread, copy to uint8 batch, with the whole way of a training's loader: the
box is drawn, the copy is found, its pixels end up in the batch. FFCV has no wheels; its rows are
its recipe on our very copies: the whole JPEG decoded by libjpeg-turbo with the fast transforms, and
a box of whole pixels resized by OpenCV.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.corpus import photographs
from benchmarks.decode_peers import SIZE, Job, Pass, pillow
from benchmarks.measure import ROUNDS, Contest, interleave, last_line, medians, speed_ratio
from benchmarks.peers import PeerMissing, peer
from model.augment.framing import RandomCrop
from model.devices import keep_freed_memory
from model.pixels.cache.kinds import JPEG, KINDS, RAW
from model.pixels.cache.pictures import PictureCache
from model.pixels.cache.plan import build, open_cache
from model.pixels.cache.shrink import make_entry
from model.pixels.decode import decode_into

BILINEAR = Image.Resampling.BILINEAR
FILES = "Pillow + torchvision, files"
"""The peer of the last line: timm's path, no cache."""
RAW_REPEATS = 8
"""Passes over raw copies that count as one: a single one ends before the processor's caches hold
what it needs of the code."""
TASK_PICTURES = 171_000
"""Pictures of the competition."""


def reading(cache: PictureCache, job: Job) -> Pass:
    """Our way from the cache; other random boxes in every pass."""
    batch, keys = np.empty((len(job.paths), SIZE, SIZE, 3), dtype=np.uint8), count()
    names = [path.name for path in job.paths]

    def run() -> None:
        framing = RandomCrop(SIZE, 0.08, 4 / 3, next(keys))
        for slot, name in enumerate(names):
            cache.read_into(name, framing, slot, batch[slot])

    return run


def repeated(run: Pass) -> Pass:
    """RAW_REPEATS passes."""

    def run_again() -> None:
        for _ in range(RAW_REPEATS):
            run()

    return run_again


def ffcv_recipe(cache: PictureCache, job: Job) -> Pass:
    """What FFCV does with a copy, by the same libraries.

    Raises:
        PeerMissing: If OpenCV cannot be had here.

    Source: libffcv.cpp and ffcv/fields/rgb_image.py of FFCV 1.0.2.
    """
    cv2: Any = peer("opencv-python-headless", "cv2")
    cv2.setNumThreads(1)
    batch, keys = np.empty((len(job.paths), SIZE, SIZE, 3), dtype=np.uint8), count()
    entries = [entry for path in job.paths if (entry := cache.entry(path.name)) is not None]

    def run() -> None:
        framing = RandomCrop(SIZE, 0.08, 4 / 3, next(keys))
        for slot, entry in enumerate(entries):
            width, height = entry.size
            if cache.kind is JPEG:
                data = bytes(entry.payload)
                pixels = simplejpeg.decode_jpeg(data, fastdct=True, fastupsample=True)
            else:
                pixels = np.frombuffer(entry.payload, np.uint8).reshape(height, width, 3)
            left, top, right, bottom = map(round, framing.box(width, height, slot))
            part = pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
            cv2.resize(part, (SIZE, SIZE), dst=batch[slot], interpolation=cv2.INTER_AREA)

    return run


def pillow_on_copies(cache: PictureCache, job: Job) -> Pass:
    """A JPEG copy read like any file by Pillow and torchvision."""
    folder = Path(tempfile.mkdtemp(dir=cache.store.folder))
    for path in job.paths:
        entry = cache.entry(path.name)
        assert entry is not None
        (folder / path.name).write_bytes(entry.payload)
    return pillow(Job([folder / path.name for path in job.paths], job.training))


def files(job: Job) -> Pass:
    """Our way from the files, without a cache."""
    batch, keys = np.empty((len(job.paths), SIZE, SIZE, 3), dtype=np.uint8), count()

    def run() -> None:
        framing = RandomCrop(SIZE, 0.08, 4 / 3, next(keys))
        for slot, path in enumerate(job.paths):
            decode_into(path, framing, slot, batch[slot])

    return run


def making(kind: str, job: Job) -> Pass:
    """All copies made, none kept."""

    def run() -> None:
        for path in job.paths:
            make_entry(path, KINDS[kind])

    return run


def filling(kind: str, job: Job, root: Path) -> Pass:
    """A first epoch that fills a new cache: made, kept, and read back."""
    numbers = count()

    def run() -> None:
        cache = open_cache(job.paths[0].parent, KINDS[kind], root / f"{kind}{next(numbers)}")
        reading(cache, job)()
        cache.flush()
        cache.store.close()

    return run


def caches_in(root: Path, job: Job) -> dict[str, PictureCache]:
    """Both kinds, built."""
    caches = {name: open_cache(job.paths[0].parent, kind, root) for name, kind in KINDS.items()}
    for cache in caches.values():
        names = [path.name for path in job.paths]
        build(cache, names, workers=1, on_progress=lambda _done, _total: None)
    return caches


def contestants(caches: Mapping[str, PictureCache], job: Job, root: Path) -> dict[str, Pass]:
    """Everyone who can be had here, by name."""
    found: dict[str, Pass] = {FILES: pillow(job), "ours, files": files(job)}
    for name, cache in caches.items():
        passes = repeated if cache.kind is RAW else (lambda run: run)
        found[f"ours, {name}"] = passes(reading(cache, job))
        try:
            found[f"FFCV's recipe, {name}"] = passes(ffcv_recipe(cache, job))
        except PeerMissing as error:
            print(f"FFCV's recipe is left out: {error}")
    found["Pillow + torchvision, jpeg"] = pillow_on_copies(caches[JPEG.name], job)
    for name in caches:
        found[f"making {name}"] = making(name, job)
        found[f"first epoch, {name}"] = filling(name, job, root)
    return found


def of_one_pass(contest: Contest) -> Contest:
    """Seconds of a single pass, also where several were measured together."""
    repeats = {f"ours, {RAW.name}": RAW_REPEATS, f"FFCV's recipe, {RAW.name}": RAW_REPEATS}
    return {
        name: [spent / repeats.get(name, 1) for spent in seconds]
        for name, seconds in contest.items()
    }


def table(contest: Contest, pictures: int) -> str:
    """Markdown: milliseconds a picture, and how many times as fast as the files by Pillow."""
    lines = ["| way | ms | faster than files by Pillow |", "|---|---|---|"]
    for name, seconds in medians(contest).items():
        ratio = speed_ratio(contest, name, FILES)
        lines.append(f"| {name} | {1000 * seconds / pictures:.3f} | {ratio:.2f} |")
    return "\n".join(lines)


def likeness(cache: PictureCache, paths: Sequence[Path], boxes: int) -> str:
    """PSNR of crops from copies against the full-resolution path, median and worst decile, dB."""
    found: list[float] = []
    out = np.empty((SIZE, SIZE, 3), dtype=np.uint8)
    for key in range(boxes):
        framing = RandomCrop(SIZE, 0.08, 4 / 3, key)
        for index, path in enumerate(paths):
            image = Image.open(path).convert("RGB")
            full = np.asarray(image.resize((SIZE, SIZE), BILINEAR, framing.box(*image.size, index)))
            cache.read_into(path.name, framing, index, out)
            found.append(psnr(out, full))
    return f"{np.median(found):.1f} / {np.quantile(found, 0.1):.1f}"


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two pictures, dB."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return 10 * math.log10(255**2 / max(error, 1e-9))


def finding(cache: PictureCache, paths: Sequence[Path]) -> tuple[float, float]:
    """Microseconds to find a copy in the cache, and to read it as a file of its own."""
    names = [path.name for path in paths]
    loose = Path(tempfile.mkdtemp(dir=cache.store.folder))
    for name in names:
        entry = cache.entry(name)
        assert entry is not None
        (loose / name).write_bytes(entry.payload)

    def from_cache() -> None:
        for name in names:
            cache.entry(name)

    def from_folder() -> None:
        for name in names:
            (loose / name).read_bytes()

    contest = interleave({"cache": from_cache, "folder": from_folder}, rounds=ROUNDS)
    middle = medians(contest)
    return 1e6 * middle["cache"] / len(names), 1e6 * middle["folder"] / len(names)


def measure(pictures: int, rounds: int, boxes: int) -> str:
    """Run the contest and print the tables; returns the last line."""
    job = Job(photographs(pictures), training=True)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        caches = caches_in(root, job)
        contest = of_one_pass(interleave(contestants(caches, job, root), rounds=rounds))
        print(f"\nRandom-resized crop of {SIZE} pixels, {pictures} pictures, {rounds} rounds\n")
        print(table(contest, pictures))
        print("\n| kind | KB a picture | all 171 000 | PSNR, dB | made, in epochs of Pillow |")
        print("|---|---|---|---|---|")
        for name, cache in caches.items():
            size = cache.store.size / pictures
            made = speed_ratio(contest, FILES, f"making {name}")
            print(
                f"| {name} | {size / 1000:.0f} | {size * TASK_PICTURES / 1e9:.1f} GB "
                f"| {likeness(cache, job.paths, boxes)} | {made:.2f} |"
            )
        ours, loose = finding(caches[JPEG.name], job.paths)
        print(f"\nTo find a copy: {ours:.1f} us; to read it as a file of its own: {loose:.0f} us")
    middle = medians(contest)
    figures = {name: f"{1000 * middle[name] / pictures:.3f}" for name in contest}
    raw, jpeg = (speed_ratio(contest, f"ours, {kind.name}", FILES) for kind in (RAW, JPEG))
    print(last_line("raw", figures["ours, raw"], "ms/picture", peer=figures[FILES], ratio=raw))
    return last_line("cache", figures["ours, jpeg"], "ms/picture", peer=figures[FILES], ratio=jpeg)


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.cache", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pictures, under 45 seconds")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    # As in a process that has read for a while. In a new one the C library may hand every picture's
    # memory back to the system, which costs Pillow 1200 page faults and 2 ms a picture.
    keep_freed_memory()
    print(measure(*((24, 5, 1) if options.quick else (96, ROUNDS, 3))))


if __name__ == "__main__":
    main()
