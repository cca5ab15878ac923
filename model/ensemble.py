"""Several networks that answer together, as one checkpoint.

    ensemble.json          how the members are averaged, and the decision rule; written last
    members/00, 01, ...    each a checkpoint of one network

M members, N examples, K classes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import ExampleSource, Framing
from model.blend import blend
from model.config import ARITHMETIC, GEOMETRIC
from model.decision import apply_offsets
from model.errors import CheckpointError
from model.networks.classifier import Classifier
from model.progress import Clock, OnProgress, ignore_progress
from model.side_by_side import ComputeOf, SideBySide
from model.trainee import Blueprint, Trainee, load_trainee
from model.tta import prediction_views

FORMAT = 1
"""Number of this layout; another one is refused."""
DOCUMENT, MEMBERS = "ensemble.json", "members"


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble, with all that decides its predictions."""

    blueprint: Blueprint
    network: Classifier

    @property
    def trainee(self) -> Trainee:
        """The member as what saves, loads and predicts; shares the network."""
        return Trainee(self.blueprint, self.network)

    @property
    def framing(self) -> Framing:
        """What is decoded of each picture; members with equal framings share the work."""
        return prediction_views(self.blueprint.preprocess, self.blueprint.recipe.tta)[0]

    def __str__(self) -> str:
        return f"{self.blueprint.recipe.backbone}, {self.blueprint.preprocess.size} px"


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Networks that know the same classes, their weights, and how a class is chosen.

    Raises:
        CheckpointError: If the parts do not fit together.
    """

    members: tuple[Member, ...]
    """At least one; sizes, backbones, vocabularies and preprocessing may differ."""
    weights: tuple[float, ...]
    """Share of each member, >= 0; M."""
    mean: str
    """"arithmetic" or "geometric", see `model.blend`."""
    offsets: tuple[float, ...]
    """Added to the log-probabilities before the largest is taken; K, 0 for the plain argmax."""
    class_names: tuple[str, ...]
    """Names of the K classes, in label order."""

    def __post_init__(self) -> None:
        for member in self.members:
            if member.blueprint.class_names != self.class_names:
                raise CheckpointError(
                    f"Member {member} knows the classes {list(member.blueprint.class_names)}, the "
                    f"ensemble {list(self.class_names)}. Join networks of one task only."
                )
        self._check_numbers()

    def _check_numbers(self) -> None:
        weights, offsets = np.array(self.weights), np.array(self.offsets)
        if self.mean not in (ARITHMETIC, GEOMETRIC):
            raise CheckpointError(f"The ensemble's mean is {self.mean!r}, which this code lacks.")
        if not self.members or len(weights) != len(self.members):
            raise CheckpointError(f"{len(weights)} weights for {len(self.members)} members.")
        if not (np.isfinite(weights).all() and (weights >= 0).all() and weights.any()):
            raise CheckpointError(f"Weights must be >= 0, not all 0; they are {self.weights}.")
        if len(offsets) != len(self.class_names) or not np.isfinite(offsets).all():
            count = len(self.class_names)
            raise CheckpointError(f"Offsets must be {count} numbers; they are {self.offsets}.")

    def save(self, folder: Path) -> None:
        """Write all files into an existing folder; equal members give equal bytes."""
        for number, member in enumerate(self.members):
            place = _member_folder(folder, number)
            place.mkdir(parents=True)
            member.trainee.save_network(place)
        names = ("class_names", "mean", "weights", "offsets")
        document = {"format": FORMAT, **{name: getattr(self, name) for name in names}}
        text = json.dumps(document, ensure_ascii=False, indent=1)
        (folder / DOCUMENT).write_text(text, encoding="utf-8")


def is_ensemble(folder: Path) -> bool:
    """Whether the folder holds an ensemble, completely written."""
    return (folder / DOCUMENT).is_file()


def load_ensemble(folder: Path, device: torch.device) -> Ensemble:
    """Rebuild an ensemble from its folder alone.

    Args:
        folder: What `Ensemble.save` wrote.
        device: Where its networks shall work.

    Raises:
        CheckpointError: If the folder is no ensemble that this code understands.
    """
    document = _read_document(folder)
    try:
        weights = tuple(float(value) for value in document["weights"])
        offsets = tuple(float(value) for value in document["offsets"])
        class_names, mean = tuple(document["class_names"]), document["mean"]
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"Ensemble {folder} is damaged: {DOCUMENT} has no proper {error}. "
            "Use another checkpoint of the session."
        ) from error
    members = [_load_member(_member_folder(folder, n), device) for n in range(len(weights))]
    return Ensemble(tuple(members), weights, mean, offsets, class_names)


def gather_members(folders: Sequence[Path], device: torch.device) -> Ensemble:
    """Join checkpoints, each of one network or of an ensemble, into one flat ensemble.

    Every folder counts equally, and shares its part among its members by their weights. Offsets
    are averaged, which is exact for the geometric mean; fit them anew where predictions allow it.

    Args:
        folders: At least one checkpoint.
        device: Where the networks shall work.

    Raises:
        CheckpointError: If one cannot be read, or they do not fit together.
    """
    parts = [_read_any(folder, device) for folder in folders]
    if not parts:
        raise CheckpointError("An ensemble needs at least one checkpoint.")
    for folder, part in zip(folders, parts, strict=True):
        if part.class_names != parts[0].class_names:
            raise CheckpointError(
                f"{folder} knows the classes {list(part.class_names)}, {folders[0]} "
                f"{list(parts[0].class_names)}. Join networks of one task only."
            )
    means = {part.mean for part in parts if len(part.members) > 1}
    if len(means) > 1:
        raise CheckpointError(
            "These ensembles average their members differently, arithmetic and geometric, so they "
            "cannot become one. Join ensembles of one kind."
        )
    shares = [np.array(part.weights) / sum(part.weights) / len(parts) for part in parts]
    return Ensemble(
        members=tuple(chain.from_iterable(part.members for part in parts)),
        weights=tuple(np.concatenate(shares).tolist()),
        mean=means.pop() if means else ARITHMETIC,
        offsets=tuple(np.mean([part.offsets for part in parts], axis=0).tolist()),
        class_names=parts[0].class_names,
    )


@dataclass(frozen=True)
class MemberCost:
    """What one member costs at inference, seconds per picture."""

    name: str
    """Its backbone and size."""
    decode: float
    """Waiting for pixels; members that share pictures share this evenly."""
    compute: float
    """Passes through the network, all views of test-time augmentation included."""


@dataclass(frozen=True, eq=False)
class EnsemblePrediction:
    """What the ensemble thinks of every example of a source, in the source's order."""

    pred_probs: NDArray[np.float32]
    """Blended class probabilities, float [N, K], rows sum to 1; before the decision rule."""
    y_pred: NDArray[np.int64]
    """Chosen class, after the decision rule, int [N]."""
    unreadable: int
    """Examples whose picture could not be decoded; predicted from a grey one and the category."""
    costs: tuple[MemberCost, ...]
    """Of each member; M."""


def predict_ensemble(
    ensemble: Ensemble,
    source: ExampleSource,
    *,
    compute_of: ComputeOf,
    workers: int,
    on_progress: OnProgress = ignore_progress,
    clock: Clock = time.perf_counter,
) -> EnsemblePrediction:
    """Predict every example with every member; members of one framing go side by side.

    So each picture is decoded once per framing, however many members there are.

    Args:
        ensemble: Its networks are moved to where they compute.
        source: Pictures and categories; labels are not looked at.
        compute_of: Device and precision of a network.
        workers: Threads that decode pictures.
        on_progress: Told how many examples are done, each counted once per framing.
        clock: Measures the cost.
    """
    count, groups = len(source), _by_framing(ensemble.members)
    shape = (len(ensemble.members), count, len(ensemble.class_names))
    pred_probs = np.full(shape, np.nan, dtype=np.float32)
    costs: dict[int, MemberCost] = {}
    unreadable = 0
    for place, group in enumerate(groups):
        run = SideBySide(source, [ensemble.members[number].trainee for number in group], clock)
        unreadable = done = 0
        for batch, answers in run.batches(compute_of, workers):
            for number, rows in zip(group, answers, strict=True):
                pred_probs[number, batch.indices.numpy()] = rows
            unreadable += int((~batch.readable).sum())
            done += len(batch.indices)
            on_progress("predicted", place * count + done, len(groups) * count)
        for number, compute in zip(group, run.computed, strict=True):
            decode = run.pictures.waited / len(group) / max(1, count)
            name = str(ensemble.members[number])
            costs[number] = MemberCost(name, decode, compute / max(1, count))
    blended = blend(pred_probs, ensemble.weights, ensemble.mean)
    return EnsemblePrediction(
        blended,
        apply_offsets(blended, np.array(ensemble.offsets)),
        unreadable,
        tuple(costs[number] for number in range(len(ensemble.members))),
    )


def _by_framing(members: Sequence[Member]) -> list[list[int]]:
    """Places of the members that want equal pixels, in order of their first one."""
    groups: dict[Framing, list[int]] = {}
    for number, member in enumerate(members):
        groups.setdefault(member.framing, []).append(number)
    return list(groups.values())


def _member_folder(folder: Path, number: int) -> Path:
    return folder / MEMBERS / f"{number:02d}"


def _read_any(folder: Path, device: torch.device) -> Ensemble:
    """An ensemble, or a single network as an ensemble of one."""
    if is_ensemble(folder):
        return load_ensemble(folder, device)
    member = _load_member(folder, device)
    names = member.blueprint.class_names
    return Ensemble((member,), (1.0,), ARITHMETIC, (0.0,) * len(names), names)


def _load_member(folder: Path, device: torch.device) -> Member:
    trainee = load_trainee(folder, device, training=False)
    return Member(trainee.blueprint, trainee.network)


def _read_document(folder: Path) -> dict[str, Any]:
    """The ensemble's JSON file; CheckpointError if it is missing, damaged or of another format."""
    try:
        document = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise CheckpointError(
            f"{folder} is no complete ensemble: it lacks {DOCUMENT}. "
            f"Expected a folder with {DOCUMENT} and {MEMBERS}, as a save leaves it behind."
        ) from error
    except ValueError as error:  # Neither JSON nor text.
        raise CheckpointError(
            f"Ensemble {folder} is damaged: {error}. Use another checkpoint of the session."
        ) from error
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        raise CheckpointError(
            f"Ensemble {folder} has format {found!r}; this version reads format {FORMAT}. "
            "Use the version of the code that wrote it."
        )
    return document
