"""Predicting as a submission does, against eager float32 on the same pictures; then memory.

    python -m benchmarks.infer [--quick]

Processor time per picture on one thread. A random network changes its mind at every rounding, so
predictions are compared where the network was trained first: our narrow one, on drawn shapes, which
are cleaner with --quick; to train the larger ones would take too long. The test set of 171 000
pictures (only without --quick) is 200 files under many names, so that it is read like a real one
and still fits a disk.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import data_loader
from benchmarks.measure import clock_for, interleave, last_line, medians, speed_ratio
from benchmarks.shapes import CLASS_NAMES, GRAIN, MARGIN, SIZE, Shapes, draw_shapes
from benchmarks.smoke import shapes_recipe
from benchmarks.train_task import draw_folder
from model.devices import choose_compute, choose_device, prepare_device
from model.experiment import start_trainee
from model.prediction import predict
from model.preprocess import IMAGENET_MEAN, IMAGENET_STD
from model.trainee import Trainee
from model.training import Listener, fit

OURS, EAGER = "ours", "eager fp32"
EAGER_BATCH = 128
"""Pictures of a forward pass of the peer; it is slower with 256."""
COMPETITION = 171_000
"""Pictures of the task's test set in the memory measurement."""
FILES = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.infer")
    parser.add_argument("--quick", action="store_true", help="one small network, short streams")
    quick = parser.parse_args(arguments).quick
    torch.set_num_threads(1)
    prepare_device(choose_device(), ranks=1)
    print(
        "| network | device | ours, images/s | eager fp32 | ratio | equal predictions | accuracy |"
    )
    print("|---|---|---|---|---|---|---|")
    epochs = {"resnet18": 0, "efficientnet_b0": 0, "narrow": 13}
    if quick:
        epochs = {"resnet18": 0, "narrow": 9}
    rows = [compare(backbone, count, quick=quick) for backbone, count in epochs.items()]
    stream(quick=quick)
    ours, theirs, ratio = rows[0]
    print(
        "\n"
        + last_line("infer", f"{ours:.0f}", "images/s", peer=f"{EAGER} {theirs:.0f}", ratio=ratio)
    )
    return 0


def compare(backbone: str, epochs: int, *, quick: bool) -> tuple[float, float, float]:
    """Print the row of one network; returns images per second of both, and the ratio."""
    grain = 8.0 if quick else GRAIN
    trainee = trained(backbone, epochs, 4000 if quick else 6000, grain)
    # So many that making the copy which predicts, once in every run, does not weigh much.
    count = 1024 if quick and not epochs else 4096
    test = draw_shapes(count, size=SIZE, seed=99, grain=grain)
    found: dict[str, NDArray[np.int64]] = {}

    def ours() -> None:
        compute = choose_compute("auto", trainee.network, choose_device())
        found[OURS] = predict(trainee, test, compute=compute, workers=0).y_pred

    eager = eager_float32(trainee, test)

    def theirs() -> None:
        found[EAGER] = eager()

    clock = clock_for(choose_device().type)
    contest = interleave({OURS: ours, EAGER: theirs}, rounds=5, clock=clock)
    speeds = {name: len(test) / seconds for name, seconds in medians(contest).items()}
    ratio = speed_ratio(contest, OURS, EAGER)
    equal = f"{(found[OURS] == found[EAGER]).mean():.2%}" if epochs else "not trained"
    right = f"{(found[OURS] == test.labels).mean():.3f}" if epochs else ""
    print(
        f"| {backbone} | {choose_device()} | {speeds[OURS]:.0f} | {speeds[EAGER]:.0f} "
        f"| {ratio:.2f} | {equal} | {right} |",
        flush=True,
    )
    return speeds[OURS], speeds[EAGER], ratio


def trained(backbone: str, epochs: int, pictures: int, grain: float) -> Trainee:
    """A network that has learned shapes, or with 0 epochs a random one."""
    recipe = shapes_recipe(backbone, max(1, epochs))
    source = draw_shapes(pictures if epochs else 100, size=SIZE, seed=0, grain=grain)
    trainee = start_trainee(recipe, source, CLASS_NAMES).to(choose_device())
    compute = choose_compute(recipe.precision, trainee.network, choose_device())
    if epochs == 0:
        return trainee
    fit(trainee, source, compute=compute, listener=Listener(lambda _result: None))
    return trainee


def eager_float32(trainee: Trainee, test: Shapes) -> Callable[[], NDArray[np.int64]]:
    """What a script does that knows nothing of precision and layout."""
    device = choose_device()
    network = trainee.network
    window = test.pixels[:, MARGIN : MARGIN + SIZE, MARGIN : MARGIN + SIZE]
    pixels = torch.from_numpy(np.ascontiguousarray(window))
    mean = torch.tensor(IMAGENET_MEAN, device=device).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, device=device).view(1, 3, 1, 1)

    def run() -> NDArray[np.int64]:
        plain = network.to(memory_format=torch.contiguous_format).eval()  # pyright: ignore
        answers: list[torch.Tensor] = []
        with torch.no_grad():
            for part in pixels.split(EAGER_BATCH):
                images = part.to(device).permute(0, 3, 1, 2).contiguous().float() / 255
                logits = plain((images - mean) / std, torch.empty(len(part), 0, device=device))
                answers.append(logits.argmax(dim=1).cpu())
        # The network is ours again when our turn comes.
        network.to(memory_format=torch.channels_last)  # pyright: ignore
        return torch.cat(answers).numpy()

    return run


def stream(*, quick: bool) -> None:
    """Print peak memory for test sets of several lengths, and how decoding overlaps computing."""
    counts = [500, 2000] if quick else [4000, 16_000, COMPETITION]
    print("\n| test set, JPEG files | memory at its peak, MB | wall, s | CPU, s |")
    print("|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory(prefix="infer-") as folder:
        draw_folder(Path(folder), FILES)
        tests = [link_test_set(Path(folder), count) for count in counts]
        process = multiprocessing.get_context("spawn").Process(target=predict_all, args=(tests,))
        process.start()
        process.join()
    if process.exitcode:
        raise RuntimeError("predicting the test sets failed, see above")


def link_test_set(folder: Path, count: int) -> Path:
    """A test folder of `count` names for the files of the drawn training folder."""
    test = folder / f"test {count}"
    (test / "test_data").mkdir(parents=True)
    for number in range(count):
        drawn = folder / "train" / "train_data" / f"{number % FILES:05d}.jpg"
        (test / "test_data" / f"{number:06d}.jpg").hardlink_to(drawn)
    return test


def predict_all(tests: Sequence[Path]) -> None:
    """Predict test sets, ever larger ones, in one process; print a row for each."""
    torch.set_num_threads(1)
    device = choose_device()
    prepare_device(device, ranks=1)
    few = draw_shapes(len(CLASS_NAMES) * 4, size=SIZE, seed=0)
    trainee = start_trainee(shapes_recipe("narrow", 1), few, CLASS_NAMES).to(device)
    compute = choose_compute("auto", trainee.network, device)
    for test in (tests[0], *tests):
        begin, wall = time.process_time(), time.perf_counter()
        images = data_loader.read_test(test)
        prediction = predict(trainee, images, compute=compute, workers=1)
        table = data_loader.prediction_table(images.names, prediction.y_pred)
        spent, waited = time.process_time() - begin, time.perf_counter() - wall
        print(f"| {len(table)} | {peak_memory():.0f} | {waited:.1f} | {spent:.1f} |", flush=True)


def peak_memory() -> float:
    """Most memory that this process has had so far, MB; NaN where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if "VmHWM" in line), float("nan"))


if __name__ == "__main__":
    sys.exit(main())
