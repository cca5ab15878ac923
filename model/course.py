"""What stays the same from epoch to epoch of a training.

N examples, B global batch, K classes, L category levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from model.batch import ExampleSource
from model.config import Recipe
from model.devices import Compute, loader_workers
from model.errors import TrainingError
from model.learner import Learner
from model.lesson import Lesson
from model.losses import LossFunction, build_loss, class_offsets
from model.prediction import encode_categories
from model.ranks import RankGroup
from model.sampler import epoch_order, rank_share, steps_per_epoch
from model.split import stratified_split
from model.trainee import Trainee

LOSS_STATE = "loss."
"""Prefix of the loss function's tensors among the extra state of a learner."""


@dataclass(frozen=True, eq=False)
class Course:
    """Examples, labels and everything else that all epochs share."""

    source: ExampleSource
    lesson: Lesson
    taught: np.ndarray
    """Positions that training visits, int [T]."""
    labels: torch.Tensor
    """Labels to learn, int [N], on the device."""
    weights: torch.Tensor
    """Weight of each example in the loss, float [N], on the device."""
    category_ids: torch.Tensor
    """Ids of all examples' categories, int [N, L], on the device."""
    logit_terms: torch.Tensor
    """What is added to the logits before the loss: class offsets and category prior; float [N, K]
    or [1, K], on the device."""
    plausibility: torch.Tensor | None
    """Weights of the classes in label smoothing, float [N, K], on the device; None is even."""
    loss: LossFunction
    compute: Compute
    group: RankGroup
    workers: int
    """Decoding threads of this rank."""

    @property
    def steps(self) -> int:
        """Optimizer steps of an epoch."""
        return steps_per_epoch(len(self.taught), self.batch_size)

    @property
    def batch_size(self) -> int:
        """Examples per step over all ranks."""
        return self._recipe.batch_size

    _recipe: Recipe

    def my_share(self, epoch: int) -> tuple[np.ndarray, int]:
        """This rank's examples of an epoch in order, and how many of them make one step."""
        recipe = self._recipe
        order = epoch_order(
            self.taught,
            batch_size=recipe.batch_size,
            seed=recipe.seed,
            epoch=epoch,
            labels=self.lesson.labels,
            balance=recipe.balance,
        )
        return rank_share(
            order, batch_size=recipe.batch_size, rank=self.group.rank, ranks=self.group.size
        )

    def restore(self, learner: Learner) -> None:
        """Give the loss function the memory that a checkpoint kept of it."""
        self.loss.restore(learner.extras_under(LOSS_STATE))

    def remember(self, learner: Learner) -> None:
        """Add up over the ranks what the loss function learned about examples, and keep it."""
        before = learner.extras_under(LOSS_STATE)
        for name, value in self.loss.tensors().items():
            if self.group.size > 1:
                # Each example was visited by one rank, so the changes add up.
                known = before.get(name, torch.zeros_like(value)).to(value.device)
                value.copy_(known + self.group.sum(value - known))
            learner.extras[LOSS_STATE + name] = value.clone()


def default_lesson(recipe: Recipe, source: ExampleSource, class_names: tuple[str, ...]) -> Lesson:
    """All given labels, with the recipe's share of each class held out.

    Raises:
        TrainingError: If a class has fewer than two examples.
    """
    split = stratified_split(source.labels, class_names, share=recipe.valid_share, seed=recipe.seed)
    return Lesson(split, source.labels)


def plan_course(
    trainee: Trainee,
    source: ExampleSource,
    lesson: Lesson,
    *,
    compute: Compute,
    group: RankGroup,
) -> Course:
    """Prepare what all epochs share.

    Raises:
        TrainingError: If there are too few examples.
    """
    blueprint, device = trainee.blueprint, compute.device
    recipe = blueprint.recipe
    taught = lesson.taught(unlabelled=recipe.consistency > 0)
    smallest = min(recipe.batch_size, len(taught))
    # Batch statistics of a single example are undefined, so every rank needs two.
    if smallest < 2 * group.size:
        raise TrainingError(
            f"{group.size} ranks cannot share a batch of {smallest}: each needs at least 2 images. "
            f"Give batch_size >= {2 * group.size}, as many images, or fewer ranks."
        )
    labels = torch.from_numpy(lesson.labels).to(device)
    counts = _class_counts(lesson, len(blueprint.class_names))
    weights = np.ones(len(labels), np.float32) if lesson.weights is None else lesson.weights
    terms = class_offsets(torch.from_numpy(counts), recipe.logit_adjustment)[None, :]
    if blueprint.prior is not None:
        # An example must not find its own label in the prior it is taught with.
        prior_terms = blueprint.prior.logit_terms(
            recipe, source.categories, training=True, labels=lesson.learned_labels()
        )
        terms = terms + torch.from_numpy(prior_terms)
    return Course(
        source=source,
        lesson=lesson,
        taught=taught,
        labels=labels,
        weights=torch.from_numpy(weights).to(device),
        category_ids=encode_categories(blueprint, source, device),
        logit_terms=terms.to(device),
        plausibility=_plausibility(trainee, source, device),
        loss=build_loss(recipe, class_counts=counts, num_examples=len(labels), device=device),
        compute=compute,
        group=group,
        workers=loader_workers(recipe.loader_workers, ranks=group.size),
        _recipe=recipe,
    )


def _class_counts(lesson: Lesson, num_classes: int) -> np.ndarray:
    """Labelled training examples of each class, int [K]; an empty class counts as one."""
    labels = lesson.labels[lesson.split.train]
    return np.bincount(labels[labels >= 0], minlength=num_classes).clip(min=1)


def _plausibility(
    trainee: Trainee, source: ExampleSource, device: torch.device
) -> torch.Tensor | None:
    recipe, prior = trainee.blueprint.recipe, trainee.blueprint.prior
    if prior is None or recipe.smoothing_plausible == 1.0:
        return None
    plausible = prior.plausibility(source.categories, recipe.prior_threshold)
    weights = np.where(plausible, recipe.smoothing_plausible, 1.0).astype(np.float32)
    return torch.from_numpy(weights).to(device)
