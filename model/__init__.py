"""What is learned and how; knows nothing of the platform it runs on."""

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
