"""Does the trainings of a campaign, one after the other, on all ranks alike.

N examples, M predicted examples, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import ExampleSource
from model.campaign import Campaign, Tensors
from model.config import Recipe
from model.devices import choose_compute, loader_workers
from model.dynamics import DynamicsRecorder
from model.job import Job, JobResult
from model.lesson import Lesson
from model.prediction import forward
from model.prior import learn_prior
from model.progress import OnProgress, ignore_progress
from model.ranks import SOLO, RankGroup
from model.trainee import EpochResult, Trainee, new_trainee
from model.training import Listener, fit
from model.vocabulary import learn_vocabulary


@dataclass(frozen=True)
class CampaignListener:
    """Who is told about a campaign, on rank 0."""

    on_epoch: Callable[[str, EpochResult], None]
    """Gets the name of the training and its epoch; then the campaign is ready to be saved."""
    on_progress: OnProgress = ignore_progress


@dataclass(eq=False)
class CampaignRunner:
    """Does the jobs of a campaign, or remembers that they are done: its `train` is a `Trainer`."""

    campaign: Campaign
    source: ExampleSource
    device: torch.device
    listener: CampaignListener
    weights: Path | None = None
    """File of published weights for backbones that start from such."""
    group: RankGroup = SOLO
    calls: int = 0
    """Jobs asked for so far."""

    def train(self, job: Job) -> JobResult:
        """Result of a job: from memory, or by training; equal on all ranks.

        Raises:
            TrainingError: If the data or the loss do not allow to go on.
        """
        number, self.calls = self.calls, self.calls + 1
        campaign = self.campaign
        if number < len(campaign.finished):
            return campaign.finished[number]
        if campaign.current is None:
            campaign.current = self._begin(job)
        trainee = campaign.current
        compute = choose_compute(trainee.blueprint.recipe.precision, trainee.network, self.device)
        recorder = DynamicsRecorder(len(self.source)) if job.wants_dynamics else None

        def after_epoch(result: EpochResult) -> None:
            if result.is_best:
                campaign.current_best = _on_cpu(trainee.network.state_dict())
            if self.group.is_first:
                self.listener.on_epoch(job.name, result)

        fit(
            trainee,
            self.source,
            job.lesson,
            compute=compute,
            listener=Listener(after_epoch, self.listener.on_progress, recorder=recorder),
            group=self.group,
        )
        trainee.network.load_state_dict(dict(campaign.current_best))
        best = trainee.progress.best
        assert best is not None, "every training has at least one epoch"
        result = JobResult(
            pred_probs=self._predict(trainee, job.predict, job.name),
            best=replace(best, step=trainee.progress.step),
            network=campaign.current_best,
            dynamics=None if recorder is None else recorder.result(),
            blueprint=trainee.blueprint,
        )
        campaign.finished.append(result)
        campaign.current, campaign.current_best = None, {}
        return result

    def _begin(self, job: Job) -> Trainee:
        extra = tuple(f"extra {number}" for number in range(job.extra_classes))
        trainee = start_network(
            job.recipe,
            self.source,
            (*self.campaign.class_names, *extra),
            lesson=job.lesson,
            weights=self.weights,
        )
        if job.initial is not None:
            trainee.network.load_state_dict(dict(job.initial))
        return trainee.to(self.device)

    def _predict(
        self, trainee: Trainee, positions: NDArray[np.int64], name: str
    ) -> NDArray[np.float32]:
        """Probabilities of some examples, each rank doing its part; float [M, K]."""
        num_classes = len(trainee.blueprint.class_names)
        table = torch.zeros(len(self.source), num_classes, device=self.device)
        recipe = trainee.blueprint.recipe
        mine, done = positions[self.group.rank :: self.group.size], 0
        for batch, logits in forward(
            trainee,
            self.source,
            mine,
            compute=choose_compute(recipe.precision, trainee.network, self.device),
            workers=loader_workers(recipe.loader_workers, ranks=self.group.size),
        ):
            table[batch.indices.to(self.device)] = logits.softmax(dim=1)
            done += len(batch.indices)
            if self.group.is_first:
                self.listener.on_progress(f"{name}: predicted", done, len(mine))
        # Every example was predicted by one rank; the others hold zeros.
        return self.group.sum(table).cpu().numpy()[positions]


def start_network(
    recipe: Recipe,
    source: ExampleSource,
    class_names: tuple[str, ...],
    *,
    lesson: Lesson,
    weights: Path | None = None,
) -> Trainee:
    """An untrained trainee that knows the categories, and of the labels only those of its lesson.

    Raises:
        ConfigError: If the recipe asks for a network that does not exist.
        WeightsError: If pretrained weights are asked for and cannot be had.
    """
    prior = None
    if uses_prior(recipe):
        prior = learn_prior(
            source.categories,
            lesson.learned_labels(),
            num_classes=len(class_names),
            levels=recipe.category_levels or 2,
            smoothing=recipe.prior_smoothing,
        )
    vocabulary = learn_vocabulary(
        source.categories, recipe.category_levels, min_count=recipe.category_min_count
    )
    return new_trainee(
        recipe, class_names=class_names, vocabulary=vocabulary, prior=prior, weights=weights
    )


def uses_prior(recipe: Recipe) -> bool:
    """Whether a recipe needs p(class | category)."""
    weighted = recipe.label_smoothing > 0 and recipe.smoothing_plausible != 1.0
    return recipe.category_prior != "none" or weighted


def _on_cpu(tensors: Tensors) -> dict[str, torch.Tensor]:
    """Copies in plain memory order."""
    return {
        name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()
    }
