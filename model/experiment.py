"""A recipe as a whole, from examples to a trained network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import ExampleSource
from model.campaign import Campaign, is_campaign, load_campaign
from model.config import Recipe
from model.course import default_lesson
from model.devices import (
    Compute,
    choose_compute,
    choose_device,
    loader_workers,
    prepare_device,
)
from model.pipeline import Outcome, make_material, run_recipe
from model.ranks import Launch, child_rank, child_size, joined, lead
from model.runner import CampaignListener, CampaignRunner, start_network
from model.trainee import Trainee, load_trainee
from model.training import Listener, fit


@dataclass(frozen=True)
class Setting:
    """Where a process works."""

    compute: Compute
    threads: int
    """Threads this process computes with."""

    def __str__(self) -> str:
        return f"{self.compute}, {self.threads} thread{'s' if self.threads > 1 else ''}"


def start_trainee(
    recipe: Recipe,
    source: ExampleSource,
    class_names: tuple[str, ...],
    *,
    weights: Path | None = None,
) -> Trainee:
    """An untrained trainee for these examples.

    Raises:
        ConfigError: If the recipe asks for a network that does not exist.
        WeightsError: If pretrained weights are asked for and cannot be had.
    """
    return start_network(
        recipe,
        source,
        class_names,
        lesson=default_lesson(recipe, source, class_names),
        weights=weights,
    )


def settle(trainee: Trainee, *, ranks: int = 1, rank: int = 0) -> Setting:
    """Prepare this process and move the trainee to its device, unless it is there already."""
    device = choose_device(rank)
    threads = prepare_device(device, ranks=ranks)
    if trainee.learner is None:
        trainee.to(device)
    precision = trainee.blueprint.recipe.precision
    return Setting(choose_compute(precision, trainee.network, device), threads)


def train(
    trainee: Trainee,
    source: ExampleSource,
    *,
    launch: Launch,
    listener: Listener,
    on_start: Callable[[Setting], None],
) -> None:
    """Train as rank 0, with as many other ranks as `launch` says.

    The other ranks run the same program, which must call `train_as_child`.

    Raises:
        TrainingError: If the data or the loss do not allow to go on.
        RankDied: If another rank is gone.
    """
    setting = settle(trainee, ranks=launch.size)
    on_start(setting)
    with lead(launch, trainee.save, setting.compute.device.type) as group:
        fit(trainee, source, compute=setting.compute, listener=listener, group=group)


def conduct(
    campaign: Campaign,
    source: ExampleSource,
    *,
    launch: Launch,
    listener: CampaignListener,
    say: Callable[[str], None],
    weights: Path | None = None,
) -> Outcome:
    """Do all trainings of a campaign's recipe as rank 0, from wherever the campaign stands.

    The other ranks run the same program, which must call `train_as_child`.

    Args:
        campaign: Is changed: results are added as they come.
        source: All labelled examples.
        launch: How many ranks, and how the others start.
        listener: Who is told about epochs and progress.
        say: Gets what people should know, line by line.
        weights: File of published weights.

    Raises:
        TrainingError: If the data or a loss do not allow to go on.
        RankDied: If another rank is gone.
    """
    device = choose_device(0)
    threads = prepare_device(device, ranks=launch.size)
    say(f"{launch.size} x {device}, {threads} thread{'s' if threads > 1 else ''}")
    with lead(launch, campaign.save, device.type) as group:
        runner = CampaignRunner(campaign, source, device, listener, weights, group)
        return _run(runner, say)


def train_as_child(source: ExampleSource, *, weights: Path | None = None) -> None:
    """Train as one of the other ranks, from the state that rank 0 left for it."""
    device = choose_device(child_rank())
    started: list[Trainee | Campaign] = []

    def read(folder: Path) -> None:
        if is_campaign(folder):
            started.append(load_campaign(folder, device))
        else:
            started.append(load_trainee(folder, device, training=True))

    with joined(read, device.type) as group:
        (found,) = started
        if isinstance(found, Campaign):
            prepare_device(device, ranks=child_size())
            listener = CampaignListener(on_epoch=lambda _name, _result: None)
            runner = CampaignRunner(found, source, device, listener, weights, group)
            _run(runner, lambda _line: None)
            return
        setting = settle(found, ranks=child_size(), rank=child_rank())
        fit(
            found,
            source,
            compute=setting.compute,
            listener=Listener(on_epoch=lambda _result: None),
            group=group,
        )


def _run(runner: CampaignRunner, say: Callable[[str], None]) -> Outcome:
    """The recipe of a campaign, on every rank alike."""
    campaign, source = runner.campaign, runner.source
    material = make_material(
        campaign.recipe,
        labels=source.labels,
        categories=list(source.categories),
        groups=_duplicate_groups(runner, say),
        class_names=campaign.class_names,
    )
    return run_recipe(
        campaign.recipe,
        material=material,
        class_names=campaign.class_names,
        train=runner.train,
        say=say,
    )


def _duplicate_groups(runner: CampaignRunner, say: Callable[[str], None]) -> NDArray[np.int64]:
    """Group of each example; found by rank 0 alone, for all ranks, int [N]."""
    recipe, source = runner.campaign.recipe, runner.source
    groups = np.arange(len(source), dtype=np.int64)
    if recipe.folds == 1 or not recipe.group_duplicates:
        return groups
    found = torch.zeros(len(source), dtype=torch.int64, device=runner.device)
    if runner.group.is_first:
        groups = source.duplicate_groups(loader_workers(recipe.loader_workers, ranks=1))
        repeated = len(groups) - len(np.unique(groups))
        say(f"Near-duplicates: {repeated} pictures repeat another one; each stays in its fold")
        found += torch.from_numpy(groups).to(runner.device)
    return runner.group.sum(found).cpu().numpy()
