"""What is learned and how; knows nothing of the platform it runs on.

Names are fetched from their modules when they are first used, so that what needs no torch, such as
`model.noise`, loads without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.batch import UNKNOWN_LABEL, Batch, ExampleSource, Framing
    from model.campaign import Campaign
    from model.checkpoint import BackgroundWriter, publish_checkpoint
    from model.config import Recipe
    from model.devices import loader_workers
    from model.ensemble import Ensemble, gather_members
    from model.errors import (
        CheckpointError,
        ConfigError,
        ModelError,
        RankDied,
        TrainingError,
        WeightsError,
    )
    from model.experiment import Setting, conduct, settle, start_trainee, train, train_as_child
    from model.joining import Ingredient, join_ensembles
    from model.metrics import class_f1, confusion_matrix, geometric_mean
    from model.out_of_fold import OutOfFold, load_out_of_fold
    from model.pipeline import Outcome, needs_campaign
    from model.prediction import Prediction, predict
    from model.predictor import load_checkpoint, predict_with
    from model.progress import ProgressLines
    from model.ranks import Launch, is_child
    from model.recipes import RECIPES, changes, find_recipe, override
    from model.rehearsal import Rehearsal, rehearse
    from model.runner import CampaignListener
    from model.trainee import EpochResult, Trainee, load_trainee
    from model.training import Listener
    from model.tuning import TrialResult, describe, tune

__all__ = [
    "RECIPES",
    "UNKNOWN_LABEL",
    "BackgroundWriter",
    "Batch",
    "Campaign",
    "CampaignListener",
    "CheckpointError",
    "ConfigError",
    "Ensemble",
    "EpochResult",
    "ExampleSource",
    "Framing",
    "Ingredient",
    "Launch",
    "Listener",
    "ModelError",
    "OutOfFold",
    "Outcome",
    "Prediction",
    "ProgressLines",
    "RankDied",
    "Recipe",
    "Rehearsal",
    "Setting",
    "Trainee",
    "TrainingError",
    "TrialResult",
    "WeightsError",
    "changes",
    "class_f1",
    "conduct",
    "confusion_matrix",
    "describe",
    "find_recipe",
    "gather_members",
    "geometric_mean",
    "is_child",
    "join_ensembles",
    "load_checkpoint",
    "load_out_of_fold",
    "load_trainee",
    "loader_workers",
    "needs_campaign",
    "override",
    "predict",
    "predict_with",
    "publish_checkpoint",
    "rehearse",
    "settle",
    "start_trainee",
    "train",
    "train_as_child",
    "tune",
]

_HOMES = {
    "batch": (
        "UNKNOWN_LABEL",
        "Batch",
        "ExampleSource",
        "Framing",
    ),
    "campaign": ("Campaign",),
    "checkpoint": ("BackgroundWriter", "publish_checkpoint"),
    "config": ("Recipe",),
    "devices": ("loader_workers",),
    "ensemble": (
        "Ensemble",
        "gather_members",
    ),
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
        "conduct",
        "settle",
        "start_trainee",
        "train",
        "train_as_child",
    ),
    "joining": (
        "Ingredient",
        "join_ensembles",
    ),
    "metrics": (
        "class_f1",
        "confusion_matrix",
        "geometric_mean",
    ),
    "out_of_fold": (
        "OutOfFold",
        "load_out_of_fold",
    ),
    "pipeline": (
        "Outcome",
        "needs_campaign",
    ),
    "prediction": (
        "Prediction",
        "predict",
    ),
    "predictor": (
        "load_checkpoint",
        "predict_with",
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
    "runner": ("CampaignListener",),
    "trainee": (
        "EpochResult",
        "Trainee",
        "load_trainee",
    ),
    "training": ("Listener",),
    "tuning": (
        "TrialResult",
        "describe",
        "tune",
    ),
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
