"""What a checkpoint restores: a network that can predict, and, if wanted, go on learning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from model.checkpoint import Checkpoint, Save, read_checkpoint, write_checkpoint
from model.config import Recipe
from model.errors import CheckpointError
from model.learner import Learner
from model.networks import build_network
from model.networks.classifier import Classifier
from model.preprocess import Preprocess, preprocess_of
from model.prior import CategoryPrior
from model.seeding import Purpose, seed_generators
from model.vocabulary import Vocabulary


@dataclass(frozen=True)
class Blueprint:
    """Everything but the weights that decides a prediction."""

    recipe: Recipe
    class_names: tuple[str, ...]
    """Names of the K classes, in label order."""
    vocabulary: Vocabulary
    preprocess: Preprocess
    prior: CategoryPrior | None = None
    """p(class | category) of the training labels, where the recipe uses it."""

    def to_json(self) -> dict[str, Any]:
        """As JSON types."""
        document = asdict(replace(self, prior=None))
        document["prior"] = None if self.prior is None else self.prior.to_json()
        return document

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Blueprint:
        """Read what `to_json` returned, also after a trip through a file."""
        known = {item.name for item in fields(Recipe)}
        strange = document["recipe"].keys() - known
        if strange:
            raise CheckpointError(
                f"The checkpoint's recipe has the unknown field {sorted(strange)[0]!r}. "
                "Use the version of the code that wrote it."
            )
        preprocess = dict(document["preprocess"])
        for name in ("mean", "std"):
            preprocess[name] = tuple(preprocess[name])
        return cls(
            Recipe(**document["recipe"]),
            tuple(document["class_names"]),
            Vocabulary(tuple(tuple(names) for names in document["vocabulary"]["levels"])),
            Preprocess(**preprocess),
            CategoryPrior.from_json(document["prior"]) if document.get("prior") else None,
        )


@dataclass(frozen=True)
class EpochResult:
    """What one epoch brought; numbers over all ranks."""

    epoch: int
    """Counts up from 1."""
    step: int
    """Optimizer steps since the beginning."""
    train_loss: float
    """Mean over the epoch's training examples, with smoothing and adjustment."""
    valid_loss: float
    """Mean plain cross-entropy over the held-out examples."""
    learning_rate: float
    """Of the last step."""
    class_f1: tuple[float, ...]
    """F1 of each class on the held-out examples, 0..1."""
    gmean_f1: float
    """Geometric mean of `class_f1`, 0..1."""
    images_per_second: float
    """Training examples per second, all ranks together."""
    skipped: int
    """Training examples without a readable picture in this epoch."""
    is_best: bool
    """No earlier epoch is as good: by `gmean_f1`, and where that is equal by the mean F1."""

    @property
    def rank(self) -> tuple[float, float]:
        """What epochs are compared by; the mean tells them apart while a class still scores 0."""
        return self.gmean_f1, sum(self.class_f1) / len(self.class_f1)


@dataclass(frozen=True)
class Progress:
    """How far a training has come; with the seed, the state of sampler and generators too."""

    epoch: int = 0
    """Finished epochs."""
    step: int = 0
    """Finished optimizer steps."""
    history: tuple[EpochResult, ...] = ()
    """Results of the finished epochs."""

    @property
    def best(self) -> EpochResult | None:
        """The best epoch so far; None before the first."""
        return next((result for result in reversed(self.history) if result.is_best), None)

    @property
    def stale(self) -> int:
        """Epochs since the best one; what early stopping counts."""
        return self.epoch - (self.best.epoch if self.best else 0)

    def judge(self, result: EpochResult) -> EpochResult:
        """The result with its `is_best` set by comparison with the best so far."""
        return replace(result, is_best=self.best is None or result.rank > self.best.rank)

    def after(self, result: EpochResult) -> Progress:
        """Progress once `result` is in."""
        return Progress(result.epoch, result.step, (*self.history, result))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Progress:
        """Read what `dataclasses.asdict` made of a progress."""
        results = [
            EpochResult(**{**entry, "class_f1": tuple(entry["class_f1"])})
            for entry in document["history"]
        ]
        return cls(**{**document, "history": tuple(results)})


class Trainee:
    """A network, its blueprint, and as much of its training as is known."""

    def __init__(
        self,
        blueprint: Blueprint,
        network: Classifier,
        *,
        progress: Progress | None = None,
        learner: Learner | None = None,
    ) -> None:
        self.blueprint = blueprint
        self.network = network
        """Weights that inference uses: the moving average over training."""
        self.progress = progress or Progress()
        self.learner = learner
        """Set while training goes on, and after loading a checkpoint with which it can."""

    def begin(self) -> Learner:
        """The learner, made from the network if there is none yet."""
        if self.learner is None:
            self.learner = Learner(self.network, self.blueprint.recipe)
        return self.learner

    def to(self, device: torch.device) -> Trainee:
        """Same trainee on another device; only before training begins.

        Raises:
            ValueError: If the learner's tensors would be left behind.
        """
        if self.learner is not None:
            raise ValueError("A trainee that is in training cannot move to another device.")
        self.network.to(device)
        return self

    def save(self, folder: Path) -> None:
        """Write a checkpoint with which training can go on exactly as without a stop."""
        write_checkpoint(folder, self._whole())

    def save_network(self, folder: Path) -> None:
        """Write a checkpoint for inference only; a quarter of the size."""
        write_checkpoint(folder, self._for_inference())

    def snapshot(self) -> Save:
        """What `save` would write now, to be written later, while training goes on."""
        return partial(write_checkpoint, checkpoint=self._whole().snapshot())

    def snapshot_network(self) -> Save:
        """What `save_network` would write now, to be written later."""
        return partial(write_checkpoint, checkpoint=self._for_inference().snapshot())

    def _whole(self) -> Checkpoint:
        document = {**self.blueprint.to_json(), "progress": asdict(self.progress)}
        tensors = None if self.learner is None else self.learner.tensors()
        return Checkpoint(document, self.network.state_dict(), tensors)

    def _for_inference(self) -> Checkpoint:
        return Checkpoint(self.blueprint.to_json(), self.network.state_dict(), None)


def new_trainee(
    recipe: Recipe,
    *,
    class_names: tuple[str, ...],
    vocabulary: Vocabulary,
    prior: CategoryPrior | None = None,
    weights: Path | None = None,
) -> Trainee:
    """An untrained trainee on the CPU; a pure function of its arguments and published weights.

    Raises:
        ConfigError: If the recipe asks for a network that does not exist.
        WeightsError: If pretrained weights are asked for and cannot be had.
    """
    seed_generators(recipe.seed, Purpose.WEIGHTS)
    network = build_network(
        recipe,
        num_classes=len(class_names),
        category_sizes=vocabulary.sizes,
        pretrained=recipe.pretrained,
        weights=weights,
    )
    preprocess = preprocess_of(recipe, getattr(network.backbone, "pretrained_cfg", {}))
    return Trainee(Blueprint(recipe, class_names, vocabulary, preprocess, prior), network)


def load_trainee(folder: Path, device: torch.device, *, training: bool) -> Trainee:
    """Rebuild a trainee from a checkpoint alone.

    Args:
        folder: The checkpoint.
        device: Where it shall work.
        training: Whether it will go on learning; needs memory for the optimizer. A checkpoint
            without training state begins anew from its weights.

    Raises:
        CheckpointError: If the folder is no checkpoint that this code understands.
    """
    checkpoint = read_checkpoint(folder, training=training)
    blueprint = Blueprint.from_json(checkpoint.document)
    network = build_network(
        blueprint.recipe,
        num_classes=len(blueprint.class_names),
        category_sizes=blueprint.vocabulary.sizes,
        pretrained=False,
    ).to(device)
    try:
        network.load_state_dict(checkpoint.network)
    except RuntimeError as error:
        raise CheckpointError(
            f"Checkpoint {folder} does not fit its own recipe: {error}"
        ) from error
    trainee = Trainee(blueprint, network)
    if "progress" in checkpoint.document and training:
        trainee.progress = Progress.from_json(checkpoint.document["progress"])
    if checkpoint.training is not None:
        trainee.begin().restore(checkpoint.training)
    return trainee
