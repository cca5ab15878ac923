"""What is learned and how; knows nothing of the platform it runs on.

Names are fetched from their modules when they are first used, so that what needs no torch, such as
`model.noise`, loads without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.batch import UNKNOWN_LABEL, Batch, ExampleSource, Framing
    from model.checkpoint import publish_checkpoint
    from model.config import Recipe
    from model.devices import loader_workers
    from model.errors import (
        CheckpointError,
        ConfigError,
        ModelError,
        RankDied,
        TrainingError,
        WeightsError,
    )
    from model.experiment import Setting, settle, start_trainee, train, train_as_child
    from model.metrics import class_f1, confusion_matrix, geometric_mean
    from model.prediction import Prediction, predict
    from model.progress import ProgressLines
    from model.ranks import Launch, is_child
    from model.recipes import RECIPES, changes, find_recipe, override
    from model.rehearsal import Rehearsal, rehearse
    from model.trainee import EpochResult, Trainee, load_trainee
    from model.training import Listener

__all__ = [
    "RECIPES",
    "UNKNOWN_LABEL",
    "Batch",
    "CheckpointError",
    "ConfigError",
    "EpochResult",
    "ExampleSource",
    "Framing",
    "Launch",
    "Listener",
    "ModelError",
    "Prediction",
    "ProgressLines",
    "RankDied",
    "Recipe",
    "Rehearsal",
    "Setting",
    "Trainee",
    "TrainingError",
    "WeightsError",
    "changes",
    "class_f1",
    "confusion_matrix",
    "find_recipe",
    "geometric_mean",
    "is_child",
    "load_trainee",
    "loader_workers",
    "override",
    "predict",
    "publish_checkpoint",
    "rehearse",
    "settle",
    "start_trainee",
    "train",
    "train_as_child",
]

_HOMES = {
    "batch": (
        "UNKNOWN_LABEL",
        "Batch",
        "ExampleSource",
        "Framing",
    ),
    "checkpoint": ("publish_checkpoint",),
    "config": ("Recipe",),
    "devices": ("loader_workers",),
    "errors": (
        "CheckpointError",
        "ConfigError",
        "ModelError",
        "RankDied",
        "TrainingError",
        "WeightsError",
    ),
    "experiment": (
        "Setting",
        "settle",
        "start_trainee",
        "train",
        "train_as_child",
    ),
    "metrics": (
        "class_f1",
        "confusion_matrix",
        "geometric_mean",
    ),
    "prediction": (
        "Prediction",
        "predict",
    ),
    "progress": ("ProgressLines",),
    "ranks": (
        "Launch",
        "is_child",
    ),
    "recipes": (
        "RECIPES",
        "changes",
        "find_recipe",
        "override",
    ),
    "rehearsal": (
        "Rehearsal",
        "rehearse",
    ),
    "trainee": (
        "EpochResult",
        "Trainee",
        "load_trainee",
    ),
    "training": ("Listener",),
}
"""Public names by the module that holds them."""


def __getattr__(name: str) -> object:
    """Fetch a public name; Python calls this for names that are not there yet (PEP 562)."""
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"model.{home}"), name)
    raise AttributeError(f"module 'model' has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names."""
    return sorted(__all__)
