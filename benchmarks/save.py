"""Saving and loading a checkpoint of 30 MB, against torch.save with fsync and torch.load.

    python -m benchmarks.save [--quick]

Wall time, for a disk is what is waited for. The save runs through `nsml.save` in a session folder
of its own, so it is atomic: draft, fsync, rename, index. torch.save just overwrites its file.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import torch

from benchmarks.measure import Contest, interleave, last_line, medians
from model.checkpoint import BackgroundWriter, Save, read_checkpoint
from model.devices import choose_device, prepare_device
from model.recipes import effnet_b1, override
from model.trainee import Trainee, new_trainee
from model.vocabulary import learn_vocabulary
from nsml_shim.protocol import ENV_FOLDER, ENV_SESSION, ENV_STORE

CLASSES = ("a", "b", "c", "d", "e")
PEER, SYNCHRONOUS, BACKGROUND = "torch.save + fsync", "nsml.save", "in the background, blocked for"
PEER_LOAD, LOAD = "torch.load", "read_checkpoint"
PEER_INTO, INTO = "torch.load and load_state_dict", "read_checkpoint and load_state_dict"
PEERS = {SYNCHRONOUS: PEER, BACKGROUND: PEER, LOAD: PEER_LOAD, INTO: PEER_INTO}
"""Whom each of ours is compared with."""
LIMITS = {SYNCHRONOUS: 0.75, BACKGROUND: 0.35, LOAD: 0.25}
"""Largest share of the peer's time that is aimed at."""


class Stopwatch:
    """Wall time without what happens inside `stopped`."""

    def __init__(self) -> None:
        self._left_out = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return time.perf_counter() - self._left_out

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Leave out what happens in the block."""
        begin = time.perf_counter()
        yield
        self._left_out += time.perf_counter() - begin


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.save")
    parser.add_argument("--quick", action="store_true", help="7 rounds instead of 15")
    rounds = 7 if parser.parse_args(arguments).quick else 15
    build = Path(__file__).resolve().parents[1] / "build"
    build.mkdir(exist_ok=True)
    prepare_device(choose_device(), ranks=1)
    # Beside the code and not in the system's temporary folder, which may be memory.
    with tempfile.TemporaryDirectory(prefix="save-", dir=build) as folder:
        trainee = untrained()
        size = sum(value.nbytes for value in trainee.network.state_dict().values())
        saved = measure_saves(trainee, Path(folder), rounds)
        loaded = measure_loads(trainee, Path(folder), rounds)
    print(f"Checkpoint of {size / 1e6:.1f} MB, {rounds} rounds, wall time\n")
    print("| what | ms, median | of the peer | limit |\n|---|---|---|---|")
    print_rows(saved)
    print_rows(loaded)
    middle = medians(saved)
    print()
    print(
        last_line(
            "save",
            f"{1e3 * middle[BACKGROUND]:.1f}",
            "ms blocked",
            peer=f"{PEER} {1e3 * middle[PEER]:.1f} ms",
            ratio=share(saved, BACKGROUND, PEER),
        )
    )
    return 0


def untrained() -> Trainee:
    """An EfficientNet-B1 with a head that makes it 30 MB."""
    recipe = override(effnet_b1(), ["pretrained=false", "hidden_size=1100"])
    vocabulary = learn_vocabulary([("shop", "shelf")], recipe.category_levels, min_count=1)
    return new_trainee(recipe, class_names=CLASSES, vocabulary=vocabulary)


def measure_saves(trainee: Trainee, folder: Path, rounds: int) -> Contest:
    """Seconds that each way to save keeps the training waiting."""
    nsml_save, watch, writer = session_save(folder), Stopwatch(), BackgroundWriter()

    def synchronous() -> None:
        nsml_save("now", trainee.save_network)
        with watch.stopped():
            wait_for_threads()

    def background() -> None:
        snapshot = trainee.snapshot_network()
        writer.write(partial(nsml_save, "background", snapshot))
        with watch.stopped():
            writer.wait()
            wait_for_threads()

    with writer:
        return interleave(
            {
                PEER: lambda: torch_save(trainee, folder / "peer.pt"),
                SYNCHRONOUS: synchronous,
                BACKGROUND: background,
            },
            rounds=rounds,
            clock=watch,
        )


def measure_loads(trainee: Trainee, folder: Path, rounds: int) -> Contest:
    """Seconds until the tensors are there; the files are in the page cache for all."""
    folder, file = folder / "ours", folder / "peer.pt"
    folder.mkdir()
    trainee.save_network(folder)
    network = untrained().network

    def theirs() -> dict[str, torch.Tensor]:
        return torch.load(file, weights_only=True)

    def ours() -> dict[str, torch.Tensor]:
        return read_checkpoint(folder, training=False).network

    return interleave(
        {
            PEER_LOAD: theirs,
            LOAD: ours,
            PEER_INTO: lambda: network.load_state_dict(theirs()),
            INTO: lambda: network.load_state_dict(ours()),
        },
        rounds=rounds,
        clock=time.perf_counter,
    )


def session_save(folder: Path) -> Callable[[str, Save], None]:
    """`nsml.save` of a process that is the session bench/save/1."""
    session = folder / "bench" / "save" / "1"
    (session / "checkpoints").mkdir(parents=True)
    os.environ.update(
        {ENV_SESSION: "bench/save/1", ENV_FOLDER: str(session), ENV_STORE: str(folder)}
    )
    # The library reads these once, when it is loaded.
    import nsml

    def save(name: str, fill: Save) -> None:
        nsml.save(name, save_fn=lambda path, **_: fill(Path(path)))

    return save


def torch_save(trainee: Trainee, path: Path) -> None:
    """What a script without a platform does, and on disk when it returns."""
    with open(path, "wb") as file:
        torch.save(trainee.network.state_dict(), file)
        file.flush()
        os.fsync(file.fileno())


def wait_for_threads() -> None:
    """Let the library finish what it does aside: removing the checkpoint that was replaced."""
    for thread in threading.enumerate():
        if thread.name == "remove checkpoint":
            thread.join()


def share(contest: Contest, ours: str, peer: str) -> float:
    """Our time as a share of the peer's: the median over the rounds' own ratios."""
    pairs = zip(contest[ours], contest[peer], strict=True)
    return median(mine / theirs for mine, theirs in pairs)


def print_rows(contest: Contest) -> None:
    """Rows of the table."""
    for name, seconds in medians(contest).items():
        ratio = f"{share(contest, name, PEERS[name]):.2f}" if name in PEERS else ""
        limit = f"{LIMITS[name]:.2f}" if name in LIMITS else ""
        print(f"| {name} | {1e3 * seconds:.1f} | {ratio} | {limit} |")


if __name__ == "__main__":
    sys.exit(main())
