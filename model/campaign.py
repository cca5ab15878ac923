"""Several trainings in one session, and how an interrupted one goes on.

The code that decides what to train next is plain and deterministic, and asks for one training after
the other. A campaign keeps their results in that order; after an interruption the same code runs
again and gets the results that are there, until it reaches the training that was under way.

N examples, M predicted examples, K classes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from model.checkpoint import Save
from model.config import Recipe
from model.dynamics import Dynamics
from model.errors import CheckpointError
from model.job import JobResult
from model.trainee import Blueprint, EpochResult, Trainee, load_trainee

DOCUMENT = "campaign.json"
"""Written last: a folder without it is an unfinished checkpoint."""
FORMAT = 1
CURRENT, BEST, FINISHED = "current", "current_best.safetensors", "finished"
_NETWORK, _DYNAMICS, _PROBS = "network.", "dynamics.", "pred_probs"

Tensors = Mapping[str, torch.Tensor]


@dataclass(eq=False)
class Campaign:
    """What is known of a campaign; the state that its checkpoints keep."""

    recipe: Recipe
    class_names: tuple[str, ...]
    finished: list[JobResult] = field(default_factory=list[JobResult])
    """Results in the order in which the trainings were asked for."""
    current: Trainee | None = None
    """The training under way."""
    current_best: Tensors = field(default_factory=dict[str, torch.Tensor])
    """Network of its best epoch so far, on the CPU."""

    def save(self, folder: Path) -> None:
        """Write a checkpoint with which the campaign can go on exactly as without a stop."""
        self._write(folder, None if self.current is None else self.current.save)

    def snapshot(self) -> Save:
        """What `save` would write now, to be written later, while training goes on."""
        # Finished results and the best network never change; the training under way does.
        frozen = replace(self, finished=list(self.finished))
        current = None if self.current is None else self.current.snapshot()
        return lambda folder: frozen._write(folder, current)

    def _write(self, folder: Path, save_current: Save | None) -> None:
        (folder / FINISHED).mkdir()
        entries: list[dict[str, Any]] = []
        for number, result in enumerate(self.finished):
            save_file(_tensors_of(result), folder / FINISHED / f"{number:03d}.safetensors")
            blueprint = None if result.blueprint is None else result.blueprint.to_json()
            entries.append({"best": asdict(result.best), "blueprint": blueprint})
        if save_current is not None:
            (folder / CURRENT).mkdir()
            save_current(folder / CURRENT)
            save_file(dict(self.current_best), folder / BEST)
        document = {
            "format": FORMAT,
            "recipe": asdict(self.recipe),
            "class_names": self.class_names,
            "finished": entries,
        }
        text = json.dumps(document, ensure_ascii=False, indent=1)
        (folder / DOCUMENT).write_text(text, encoding="utf-8")

    @property
    def steps(self) -> int:
        """Optimizer steps of the finished trainings, each up to the epoch that was kept."""
        return sum(result.best.step for result in self.finished)


def is_campaign(folder: Path) -> bool:
    """Whether a checkpoint folder holds a campaign."""
    return (folder / DOCUMENT).is_file()


def load_campaign(folder: Path, device: torch.device) -> Campaign:
    """Read what `Campaign.save` wrote.

    Args:
        folder: The checkpoint.
        device: Where the training under way shall go on.

    Raises:
        CheckpointError: If the folder is no complete checkpoint of a campaign.
    """
    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
        if document["format"] != FORMAT:
            raise CheckpointError(
                f"Checkpoint {folder} has format {document['format']!r}; this version reads "
                f"{FORMAT}. Use the version of the code that wrote it."
            )
        campaign = Campaign(Recipe(**document["recipe"]), tuple(document["class_names"]))
        for number, entry in enumerate(document["finished"]):
            tensors = load_file(folder / FINISHED / f"{number:03d}.safetensors")
            campaign.finished.append(_result_of(tensors, entry))
        if (folder / CURRENT).is_dir():
            campaign.current = load_trainee(folder / CURRENT, device, training=True)
            campaign.current_best = load_file(folder / BEST)
    # A damaged file, a missing one and one of another version all mean the same to the user.
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{folder} is no complete checkpoint of a campaign: {error}. "
            "Use another checkpoint of the session."
        ) from error
    return campaign


def _tensors_of(result: JobResult) -> dict[str, torch.Tensor]:
    tensors = {f"{_NETWORK}{name}": value for name, value in result.network.items()}
    tensors[_PROBS] = torch.from_numpy(result.pred_probs)
    if result.dynamics is not None:
        for name, value in vars(result.dynamics).items():
            tensors[f"{_DYNAMICS}{name}"] = torch.from_numpy(value)
    return tensors


def _result_of(tensors: Tensors, entry: Mapping[str, Any]) -> JobResult:
    recorded = {
        name.removeprefix(_DYNAMICS): value.numpy()
        for name, value in tensors.items()
        if name.startswith(_DYNAMICS)
    }
    best = {**entry["best"], "class_f1": tuple(entry["best"]["class_f1"])}
    return JobResult(
        pred_probs=tensors[_PROBS].numpy(),
        best=EpochResult(**best),
        network={
            name.removeprefix(_NETWORK): value
            for name, value in tensors.items()
            if name.startswith(_NETWORK)
        },
        dynamics=Dynamics(**recorded) if recorded else None,
        blueprint=Blueprint.from_json(entry["blueprint"]) if entry["blueprint"] else None,
    )
