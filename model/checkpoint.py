"""The files of a checkpoint: tensors as safetensors, everything else as one JSON file.

    checkpoint.json        recipe, class names, category vocabulary, preprocessing; written last
    network.safetensors    weights that inference uses
    training.safetensors   only where training can go on: weights in training, optimizer

Loading runs no code from the files. The folder becomes visible as a whole by whoever calls (draft,
then rename); a folder without checkpoint.json is an unfinished one.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from model.errors import CheckpointError

FORMAT = 1
"""Number of this layout; another one is refused."""
DOCUMENT, NETWORK, TRAINING = "checkpoint.json", "network.safetensors", "training.safetensors"

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Checkpoint:
    """What one checkpoint folder holds."""

    document: Mapping[str, Any]
    """Everything that is not a tensor; JSON types."""
    network: Tensors
    """Weights that inference uses, by name."""
    training: Tensors | None
    """Weights in training and optimizer state; None where training cannot go on."""


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write all files into an existing folder."""
    save_file(_storable(checkpoint.network), folder / NETWORK)
    if checkpoint.training is not None:
        save_file(_storable(checkpoint.training), folder / TRAINING)
    text = json.dumps({"format": FORMAT, **checkpoint.document}, ensure_ascii=False, indent=1)
    (folder / DOCUMENT).write_text(text, encoding="utf-8")


def publish_checkpoint(folder: Path, save: Callable[[Path], None]) -> None:
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


def _storable(tensors: Tensors) -> Tensors:
    """Same tensors on the CPU in plain memory order, which the file format asks for."""
    return {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
