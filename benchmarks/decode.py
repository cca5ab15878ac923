"""From a picture file to a crop of 224 pixels, without a cache, beside those who do the same.

    python -m benchmarks.decode [--quick] [--sheet]

Processor time of one thread, file to uint8 batch, in milliseconds a picture. `--sheet` draws crops
by the full-resolution path, by ours and their difference into build/decode-sheet.png.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from benchmarks.corpus import Coding, photographs
from benchmarks.decode_peers import PEERS, SHORT_SIDE, SIZE, Job, Pass, pillow
from benchmarks.measure import ROUNDS, Contest, interleave, last_line, medians, speed_ratio
from benchmarks.peers import PeerMissing
from model.augment.framing import CenterCrop, RandomCrop
from model.batch import Framing
from model.devices import keep_freed_memory
from model.pixels.decode import decode, decode_into

OURS = "ours"
PILLOW = next(iter(PEERS))
BILINEAR = Image.Resampling.BILINEAR
SHEET = Path(__file__).resolve().parents[1] / "build" / "decode-sheet.png"
PICTURES_ON_SHEET = 12
"""The worst, and at most as many evenly spread ones."""
AMPLIFIED = 8
"""Factor of the differences on the sheet."""
OTHER_CODINGS = {
    "4:4:4": Coding(subsampling="4:4:4"),
    "quality 75": Coding(quality=75),
    "progressive": Coding(progressive=True),
    "160 pixels or less": Coding(longest=160),
}


@dataclass(frozen=True)
class Scale:
    """How much is measured."""

    pictures: int
    rounds: int
    boxes: int
    """Random boxes of each picture whose pixels are compared."""
    other_codings: Mapping[str, Coding]


FULL = Scale(96, ROUNDS, 3, OTHER_CODINGS)
QUICK = Scale(24, 5, 1, {})


def training_crop(key: int) -> Framing:
    """A random-resized crop as torchvision draws it by default."""
    return RandomCrop(SIZE, 0.08, 4 / 3, key)


def evaluation_crop() -> Framing:
    """The centre of a picture resized to SHORT_SIDE."""
    return CenterCrop(SIZE, SIZE / SHORT_SIDE)


def ours(job: Job) -> Pass:
    """`decode_into`, picture after picture; other random boxes in every pass."""
    batch = np.empty((len(job.paths), SIZE, SIZE, 3), dtype=np.uint8)
    keys = count()

    def run() -> NDArray[np.uint8]:
        framing = training_crop(next(keys)) if job.training else evaluation_crop()
        for slot, path in enumerate(job.paths):
            decode_into(path, framing, slot, batch[slot])
        return batch

    return run


def compete(
    contestants: Mapping[str, Callable[[Job], Pass]], job: Job, rounds: int
) -> tuple[Contest, list[str]]:
    """Time of every contestant that can be had here, and a sentence about each other one."""
    passes: dict[str, Pass] = {}
    missing: list[str] = []
    for name, prepare in contestants.items():
        try:
            passes[name] = prepare(job)
        except PeerMissing as error:
            missing.append(f"{name} is left out: {error}")
    return interleave(passes, rounds=rounds), missing


def table(contest: Contest, pictures: int) -> str:
    """Markdown: milliseconds a picture, and how many times as fast we are."""
    lines = ["| path | ms | ours is faster by |", "|---|---|---|"]
    for name, seconds in medians(contest).items():
        ratio = "" if name == OURS else f"{speed_ratio(contest, OURS, name):.2f}"
        lines.append(f"| {name} | {1000 * seconds / pictures:.2f} | {ratio} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Likeness:
    """One crop by both paths."""

    path: Path
    full: NDArray[np.uint8]
    """All pixels decoded, one antialiased resize of the box: RGB, uint8 [S, S, 3]."""
    ours: NDArray[np.uint8]
    """RGB, uint8 [S, S, 3]."""

    @property
    def psnr(self) -> float:
        """Peak signal-to-noise ratio, dB."""
        error = np.mean((self.full.astype(np.float64) - self.ours) ** 2)
        return float("inf") if error == 0 else float(10 * np.log10(255**2 / error))


def likenesses(paths: Sequence[Path], boxes: int) -> list[Likeness]:
    """Random crops of all pictures, `boxes` of each, the least alike first."""
    found: list[Likeness] = []
    for key in range(boxes):
        framing = training_crop(key)
        for index, path in enumerate(paths):
            image = Image.open(path).convert("RGB")
            box = framing.box(*image.size, index)
            full = np.asarray(image.resize((SIZE, SIZE), BILINEAR, box))
            found.append(Likeness(path, full, decode(path, framing, index).pixels))
    return sorted(found, key=lambda likeness: likeness.psnr)


def draw_sheet(found: Sequence[Likeness]) -> None:
    """Full path, ours, difference: one column a crop, the least alike and an even selection."""
    half = PICTURES_ON_SHEET // 2
    chosen = [*found[:half], *found[half :: max(1, len(found) // half)][:half]]
    columns = [
        np.concatenate([item.full, item.ours, amplified_difference(item)]) for item in chosen
    ]
    SHEET.parent.mkdir(exist_ok=True)
    Image.fromarray(np.concatenate(columns, axis=1)).save(SHEET)
    shown = ", ".join(f"{item.path.stem} {item.psnr:.1f} dB" for item in chosen)
    print(f"\nContact sheet {SHEET}: {shown}")


def amplified_difference(item: Likeness) -> NDArray[np.uint8]:
    """Difference of two crops around grey, AMPLIFIED times, uint8 [S, S, 3]."""
    difference = item.ours.astype(np.int16) - item.full
    return (128 + AMPLIFIED * difference).clip(0, 255).astype(np.uint8)


def measure(scale: Scale, with_sheet: bool) -> str:
    """Run the contests and print their tables; returns the last line."""
    paths = photographs(scale.pictures)
    contestants = {**PEERS, OURS: ours}
    training, missing = compete(contestants, Job(paths, training=True), scale.rounds)
    print(f"\nRandom-resized crop of {SIZE} pixels, {len(paths)} pictures, {scale.rounds} rounds\n")
    print(table(training, len(paths)))
    evaluation, _ = compete(contestants, Job(paths, training=False), scale.rounds)
    print(f"\nResized to {SHORT_SIDE}, centre of {SIZE} pixels\n")
    print(table(evaluation, len(paths)))
    print("\n".join(["", *missing]))
    for name, coding in scale.other_codings.items():
        job = Job(photographs(scale.pictures // 2, coding), training=True)
        contest, _ = compete({PILLOW: pillow, OURS: ours}, job, scale.rounds)
        print(f"\nRandom-resized crop, JPEGs of another kind: {name}\n")
        print(table(contest, len(job.paths)))
    found = likenesses(paths, scale.boxes)
    print(
        f"\nPSNR against the full-resolution path, {len(found)} random crops, dB: {spread(found)}"
    )
    if with_sheet:
        draw_sheet(found)
    middle = medians(training)
    figures = {name: f"{1000 * middle[name] / len(paths):.2f}" for name in (OURS, PILLOW)}
    ratio = speed_ratio(training, OURS, PILLOW)
    return last_line("decode", figures[OURS], "ms/picture", peer=figures[PILLOW], ratio=ratio)


def spread(found: Sequence[Likeness]) -> str:
    """Median, worst decile and worst of the likenesses."""
    values = [likeness.psnr for likeness in found]
    median, decile = np.median(values), np.quantile(values, 0.1)
    return f"median {median:.1f}, worst decile {decile:.1f}, worst {min(values):.1f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.decode", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer pictures, under 45 seconds")
    parser.add_argument("--sheet", action="store_true", help=f"draw build/{SHEET.name}")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    # As in a process that has read for a while. In a new one the C library may hand every picture's
    # memory back to the system, which costs Pillow 1200 page faults and 2 ms a picture.
    keep_freed_memory()
    print(measure(QUICK if options.quick else FULL, options.sheet))


if __name__ == "__main__":
    main()
