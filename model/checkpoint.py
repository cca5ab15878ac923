"""The files of a checkpoint: tensors as safetensors, everything else as one JSON file.

    checkpoint.json        recipe, class names, category vocabulary, preprocessing; written last
    network.safetensors    weights that inference uses
    training.safetensors   only where training can go on: weights in training, optimizer

Loading runs no code from the files. The folder becomes visible as a whole by whoever calls (draft,
then rename); a folder without checkpoint.json is an unfinished one.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import warnings
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.errors import CheckpointError

FORMAT = 1
"""Number of this layout; another one is refused."""
DOCUMENT, NETWORK, TRAINING = "checkpoint.json", "network.safetensors", "training.safetensors"

Tensors = dict[str, torch.Tensor]
Save = Callable[[Path], None]
"""Fills an existing folder."""


@dataclass(frozen=True)
class Checkpoint:
    """What one checkpoint folder holds."""

    document: Mapping[str, Any]
    """Everything that is not a tensor; JSON types."""
    network: Tensors
    """Weights that inference uses, by name."""
    training: Tensors | None
    """Weights in training and optimizer state; None where training cannot go on."""

    def snapshot(self) -> Checkpoint:
        """The same as it is now, in memory of its own, whatever becomes of the live tensors."""
        rest = None if self.training is None else _copied(self.training)
        return Checkpoint(self.document, _copied(self.network), rest)


class BackgroundWriter:
    """Writes checkpoints in a thread of its own while the training goes on.

    They are written one after the other, in the order in which they are handed in. The error of a
    write is raised by the next call, or where the block ends. What was handed in is on disk when
    the block has ended, however it ends; a killed process leaves complete checkpoints only, as the
    writes themselves see to that.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._open: deque[Future[None]] = deque()

    def write(self, save: Callable[[], None]) -> None:
        """Hand a write in and return at once.

        Args:
            save: Must not look at tensors that go on changing: give it a snapshot.

        Raises:
            Exception: Of an earlier write.
        """
        while self._open and self._open[0].done():
            self._open.popleft().result()
        self._open.append(self._thread.submit(save))

    def wait(self) -> None:
        """Return when everything handed in is on disk.

        Raises:
            Exception: Of an earlier write.
        """
        while self._open:
            self._open.popleft().result()

    def __enter__(self) -> BackgroundWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        try:
            self.wait()
        except Exception as late:
            if error is None:
                raise
            # What ended the block must stay the error that people see.
            warnings.warn(f"A checkpoint could not be written: {late}", stacklevel=2)
        finally:
            self._thread.shutdown()


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write all files into an existing folder."""
    save_file(_storable(checkpoint.network), folder / NETWORK)
    if checkpoint.training is not None:
        save_file(_storable(checkpoint.training), folder / TRAINING)
    text = json.dumps({"format": FORMAT, **checkpoint.document}, ensure_ascii=False, indent=1)
    (folder / DOCUMENT).write_text(text, encoding="utf-8")


def publish_checkpoint(folder: Path, save: Save) -> None:
    """Let `save` fill a draft, then show it as `folder`, replacing what was there.

    For use where no platform does this. A crash leaves a complete checkpoint, old or new, except
    between two renames, where the old one still lies beside, under a name that begins with a dot.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        new, old = draft / "new", draft / "old"
        new.mkdir()
        save(new)
        _flush(new)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def read_checkpoint(folder: Path, *, training: bool) -> Checkpoint:
    """Read a folder that `write_checkpoint` filled; tensors arrive on the CPU.

    Args:
        folder: The checkpoint.
        training: Whether to read what training needs, too, if it is there.

    Raises:
        CheckpointError: If the folder is no complete checkpoint of this format.
    """
    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
        found = document.get("format")
        if found != FORMAT:
            raise CheckpointError(
                f"Checkpoint {folder} has format {found!r}; this version reads format {FORMAT}. "
                "Use the version of the code that wrote it."
            )
        network = load_file(folder / NETWORK)
        rest = load_file(folder / TRAINING) if training and (folder / TRAINING).exists() else None
    except FileNotFoundError as error:
        missing = Path(str(error.filename)).name if error.filename else NETWORK
        raise CheckpointError(
            f"{folder} is no complete checkpoint: it lacks {missing}. "
            f"Expected a folder with {DOCUMENT} and {NETWORK}, as a save leaves it behind."
        ) from error
    except (SafetensorError, json.JSONDecodeError) as error:
        raise CheckpointError(
            f"Checkpoint {folder} is damaged: {error}. Use another checkpoint of the session."
        ) from error
    return Checkpoint(document, network, rest)


def _flush(folder: Path) -> None:
    """Have everything below a folder on disk before its name says so."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and os.name == "nt":
            continue  # Windows cannot flush a folder, and need not.
        descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _copied(tensors: Tensors) -> Tensors:
    """Copies on the CPU."""
    return {name: value.detach().to("cpu", copy=True) for name, value in tensors.items()}


def _storable(tensors: Tensors) -> Tensors:
    """Same tensors on the CPU in plain memory order, which the file format asks for."""
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
