"""A recipe as a whole, from examples to a trained network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from model.batch import ExampleSource
from model.config import Recipe
from model.devices import Compute, choose_compute, choose_device, prepare_device
from model.ranks import Launch, child_rank, child_size, joined, lead
from model.trainee import Trainee, load_trainee, new_trainee
from model.training import Listener, fit
from model.vocabulary import learn_vocabulary


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
    vocabulary = learn_vocabulary(source.categories, recipe.category_levels)
    return new_trainee(recipe, class_names=class_names, vocabulary=vocabulary, weights=weights)


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


def train_as_child(source: ExampleSource) -> None:
    """Train as one of the other ranks, from the state that rank 0 left for it."""
    device = choose_device(child_rank())
    started: list[Trainee] = []

    def read(folder: Path) -> None:
        started.append(load_trainee(folder, device, training=True))

    with joined(read, device.type) as group:
        (trainee,) = started
        setting = settle(trainee, ranks=child_size(), rank=child_rank())
        listener = Listener(on_epoch=lambda _result: None)
        fit(trainee, source, compute=setting.compute, listener=listener, group=group)
