"""Is the arithmetic that `choose_compute` looks up the fastest one here?

    python -m benchmarks.precision [--quick]

One training step and one forward pass at 64 pixels, batch 16, processor time on one thread.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import nn
from torch.nn import functional

from benchmarks.measure import clock_for, interleave, last_line, medians
from benchmarks.shapes import SIZE
from benchmarks.train_task import NUM_CLASSES, Task
from model.devices import choose_compute, choose_device, prepare_device

BATCH = 16
NETWORKS = ("narrow", "resnet18", "mobilenetv3_small_100", "efficientnet_b0", "efficientnet_b1")
WORDS = {torch.float32: "fp32", torch.bfloat16: "bf16"}
WAYS = tuple(product((torch.float32, torch.bfloat16), (False, True)))
"""Type of the forward pass, and whether memory is channels last."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.precision")
    parser.add_argument("--quick", action="store_true", help="three networks")
    quick = parser.parse_args(arguments).quick
    torch.set_num_threads(1)
    prepare_device(choose_device(), ranks=1)
    heads = [name_of(way) for way in WAYS]
    print(f"| network | pass | {' | '.join(heads)} | looked up | best / looked up |")
    print("|---" * (len(heads) + 4) + "|")
    worst = 1.0
    for backbone in NETWORKS[:3] if quick else NETWORKS:
        for training in (True, False):
            worst = max(worst, print_row(backbone, training))
    share = f"{1 / worst:.2f}"
    print()
    print(last_line("precision", share, "of the best at worst", peer="the best 1", ratio=1 / worst))
    return 0


def print_row(backbone: str, training: bool) -> float:
    """Images per second of each way; returns how much faster the best one is than ours."""
    network = Task(backbone, count=BATCH).network()
    compute = choose_compute("auto", network, choose_device())
    chosen = name_of((compute.training if training else compute.inference, True))
    contest = interleave(
        {name_of(way): one_pass(backbone, way, training) for way in WAYS},
        rounds=5,
        clock=clock_for(choose_device().type),
    )
    seconds = medians(contest)
    best = seconds[chosen] / min(seconds.values())
    speeds = " | ".join(f"{BATCH / seconds[name_of(way)]:.0f}" for way in WAYS)
    kind = "training" if training else "inference"
    print(f"| {backbone} | {kind} | {speeds} | {chosen} | {best:.2f} |", flush=True)
    return best


def name_of(way: tuple[torch.dtype, bool]) -> str:
    """Words for a type and a layout."""
    return WORDS[way[0]] + (" channels last" if way[1] else "")


def one_pass(backbone: str, way: tuple[torch.dtype, bool], training: bool) -> Callable[[], None]:
    """A training step or a forward pass in one type and layout."""
    dtype, last = way
    layout = torch.channels_last if last else torch.contiguous_format
    device = choose_device()
    network: nn.Module = Task(backbone, count=BATCH).network().to(device)
    network = network.to(memory_format=layout).train(training)  # pyright: ignore
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    images = torch.randn(BATCH, 3, SIZE, SIZE, device=device).contiguous(memory_format=layout)
    labels = torch.arange(BATCH, device=device) % NUM_CLASSES
    categories = labels[:, None][:, :0]

    def run() -> None:
        with (
            torch.set_grad_enabled(training),
            torch.autocast(device.type, torch.bfloat16, enabled=dtype is torch.bfloat16),
        ):
            logits = network(images, categories)
        if training:
            optimizer.zero_grad()
            functional.cross_entropy(logits.float(), labels).backward()
            optimizer.step()
        if device.type == "cuda":
            torch.cuda.synchronize()

    return run


if __name__ == "__main__":
    sys.exit(main())
