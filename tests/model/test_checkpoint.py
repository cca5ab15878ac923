import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.checkpoint import (
    BackgroundWriter,
    Checkpoint,
    publish_checkpoint,
    read_checkpoint,
    write_checkpoint,
)


def checkpoint(value: float, size: int = 4) -> Checkpoint:
    return Checkpoint({"value": value}, {"w": torch.full((size,), value)}, None)


def test_a_snapshot_does_not_follow_the_training(recipe, make_trainee, tmp_path):
    trainee = make_trainee(recipe)
    trainee.begin()
    (tmp_path / "before").mkdir()
    trainee.save(tmp_path / "before")
    later = trainee.snapshot()
    for learned in (trainee.network, trainee.begin().network):
        for value in learned.state_dict().values():
            value.zero_()
    (tmp_path / "later").mkdir()
    later(tmp_path / "later")
    for name in ("network.safetensors", "training.safetensors", "checkpoint.json"):
        files = [tmp_path / folder / name for folder in ("before", "later")]
        assert files[0].read_bytes() == files[1].read_bytes()


def test_writes_happen_in_order_and_all_are_done_at_the_end():
    may_write, written = threading.Event(), []

    def first() -> None:
        assert may_write.wait(10)
        written.append(1)

    with BackgroundWriter() as writer:
        writer.write(first)
        writer.write(lambda: written.append(2))
        assert written == []  # The caller goes on meanwhile.
        may_write.set()
        writer.wait()
        assert written == [1, 2]
        writer.write(lambda: written.append(3))
    assert written == [1, 2, 3]


def full_disk() -> None:
    raise OSError(28, "No space left on device")


def test_a_failed_write_is_told_at_the_next_one_and_only_once():
    failed = threading.Event()

    def fail() -> None:
        try:
            full_disk()
        finally:
            failed.set()

    with BackgroundWriter() as writer:
        writer.write(fail)
        assert failed.wait(10)
        with pytest.raises(OSError, match="No space left"):
            writer.wait()
        writer.write(lambda: None)


def test_a_failed_write_is_told_at_the_end_at_the_latest():
    with pytest.raises(OSError, match="No space left"), BackgroundWriter() as writer:
        writer.write(full_disk)


def test_an_error_of_the_training_itself_comes_first_and_still_loses_no_checkpoint():
    written = []

    def train(save: Callable[[], None]) -> None:
        with BackgroundWriter() as writer:
            writer.write(save)
            raise ValueError("diverged")

    with pytest.raises(ValueError, match="diverged"):
        train(lambda: written.append("last"))
    assert written == ["last"]
    with pytest.raises(ValueError, match="diverged"), pytest.warns(UserWarning, match="No space"):
        train(full_disk)


def test_a_script_that_never_ends_its_writer_still_writes_all(tmp_path):
    code = (
        "import time; from model.checkpoint import BackgroundWriter; from pathlib import Path\n"
        f"writer = BackgroundWriter(); place = Path({str(tmp_path / 'kept')!r})\n"
        "writer.write(lambda: (time.sleep(0.3), place.touch()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
    assert (tmp_path / "kept").exists()


def test_a_kill_in_the_middle_of_a_write_leaves_a_whole_checkpoint(tmp_path):
    code = f"""
import torch
from pathlib import Path
from functools import partial
from model.checkpoint import *
with BackgroundWriter() as writer:
    for value in range(1000):
        whole = Checkpoint({{"value": value}}, {{"w": torch.full((300_000,), float(value))}}, None)
        save = partial(write_checkpoint, checkpoint=whole.snapshot())
        writer.write(partial(publish_checkpoint, Path({str(tmp_path / "last")!r}), save))
        writer.wait() if value < 3 else print(value, flush=True)
"""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    # Between its two renames the old one lies beside, under a name that begins with a dot.
    places = [tmp_path / "last", *tmp_path.glob(".last-*/old")]
    found = next(place for place in places if (place / "checkpoint.json").exists())
    read = read_checkpoint(found, training=False)
    assert torch.equal(read.network["w"], torch.full((300_000,), float(read.document["value"])))


def test_a_published_checkpoint_replaces_the_old_one_whole(tmp_path):
    for value in (1.0, 2.0):
        publish_checkpoint(
            tmp_path / "best", lambda folder, v=value: write_checkpoint(folder, checkpoint(v))
        )
    assert read_checkpoint(tmp_path / "best", training=False).document["value"] == 2.0

    def fails(folder: Path) -> None:
        write_checkpoint(folder, checkpoint(3.0))
        full_disk()

    with pytest.raises(OSError, match="No space left"):
        publish_checkpoint(tmp_path / "best", fails)
    assert read_checkpoint(tmp_path / "best", training=False).document["value"] == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["best"]
