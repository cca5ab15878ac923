"""A crowd of points with planted label errors, and a trainer that really learns from it.

The trainer is a small perceptron on points in a plane, made of the parts of the real training:
losses, schedule, order of the examples, moving average, dynamics.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from model.config import Recipe
from model.dynamics import DynamicsRecorder
from model.filters import FILTERS
from model.job import Job, JobResult, Material
from model.losses import build_loss, soft_targets
from model.metrics import class_f1, confusion_matrix, geometric_mean
from model.noise.record import FilterRecord
from model.optim import MovingAverage, average_decay, learning_rates
from model.ranks import SOLO
from model.sampler import epoch_order, steps_per_epoch
from model.seeding import Purpose, seed_generators
from model.trainee import EpochResult

SIZES = (160, 110, 50, 80)
NOISE = 0.12
JITTER = 0.15
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Crowd:
    """Points in a plane, one group per class, with some labels replaced."""

    points: torch.Tensor
    clean: np.ndarray
    material: Material

    @property
    def wrong(self) -> np.ndarray:
        return self.material.labels != self.clean

    def precision_recall(self, flagged: np.ndarray) -> tuple[float, float]:
        hits = float((flagged & self.wrong).sum())
        return hits / max(1, flagged.sum()), hits / self.wrong.sum()


def build_crowd(*, folds: int = 5, trained: int = 2, seed: int = 0) -> Crowd:
    rng = np.random.default_rng(seed)
    clean = np.repeat(np.arange(len(SIZES)), SIZES)
    corners = 2.2 * np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
    points = corners[clean] + rng.normal(0, 0.8, size=(len(clean), 2))
    given = clean.copy()
    moved = rng.random(len(clean)) < NOISE
    given[moved] = (given[moved] + rng.integers(1, len(SIZES), moved.sum())) % len(SIZES)
    material = Material(
        labels=given.astype(np.int64),
        num_classes=len(SIZES),
        folds=rng.permutation(len(clean)) % folds,
        folds_trained=tuple(range(trained)),
        categories=[()] * len(clean),
    )
    return Crowd(torch.from_numpy(points).float(), clean, material)


@dataclass
class PointTrainer:
    """Does jobs on a crowd, and remembers which."""

    crowd: Crowd
    jobs: list[Job] = field(default_factory=list)
    results: list[JobResult] = field(default_factory=list)

    def __call__(self, job: Job) -> JobResult:
        training = Training(self.crowd, job)
        epochs = [training.epoch(number) for number in range(job.recipe.epochs)]
        best = max(epochs, key=lambda entry: entry[0].rank)
        recorder = training.recorder if job.wants_dynamics else None
        training.average.load_state_dict(dict(best[1]))
        result = JobResult(
            pred_probs=training.probs(job.predict),
            best=best[0],
            network=best[1],
            dynamics=None if recorder is None else recorder.result(),
        )
        self.jobs.append(job)
        self.results.append(result)
        return result


class Training:
    """One training under way."""

    def __init__(self, crowd: Crowd, job: Job) -> None:
        self.crowd, self.job, self.recipe = crowd, job, job.recipe
        self.classes = crowd.material.num_classes + job.extra_classes
        seed_generators(self.recipe.seed, Purpose.WEIGHTS)
        self.network, self.average = self.perceptron(), self.perceptron()
        if job.initial is not None:
            self.network.load_state_dict(dict(job.initial))
        self.average.load_state_dict(self.network.state_dict())
        self.taught = job.lesson.taught(unlabelled=self.recipe.consistency > 0)
        labels = job.lesson.labels[job.lesson.split.train]
        counts = np.bincount(labels[labels >= 0], minlength=self.classes).clip(min=1)
        self.loss = build_loss(
            self.recipe, class_counts=counts, num_examples=len(crowd.points), device=CPU
        )
        self.optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=0.01)
        self.recorder = DynamicsRecorder(len(crowd.points))
        self.step = 0

    def perceptron(self) -> nn.Module:
        return nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, self.classes))

    def epoch(self, number: int) -> tuple[EpochResult, Mapping[str, torch.Tensor]]:
        recipe = self.recipe
        seed_generators(recipe.seed, Purpose.EPOCH, number)
        size = min(recipe.batch_size, len(self.taught))
        order = epoch_order(
            self.taught,
            batch_size=size,
            seed=recipe.seed,
            epoch=number,
            labels=self.job.lesson.labels,
            balance=recipe.balance,
        )
        for batch in np.split(order, len(order) // size):
            self.learn(torch.from_numpy(batch), number)
        self.recorder.close_epoch(SOLO, CPU)
        weights = {name: value.clone() for name, value in self.average.state_dict().items()}
        return self.judge(number), weights

    def learn(self, batch: torch.Tensor, epoch: int) -> None:
        recipe = self.recipe
        steps = steps_per_epoch(len(self.taught), recipe.batch_size)
        rate = learning_rates(recipe, step=self.step, steps_per_epoch=steps)[1]
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        points = self.crowd.points[batch]
        labels = torch.from_numpy(self.job.lesson.labels)[batch]
        logits = self.network(points + JITTER * torch.randn_like(points))
        targets = soft_targets(labels, self.classes, recipe.label_smoothing)
        total = self.loss(logits, targets, batch, epoch).sum()
        if recipe.consistency > 0:
            with torch.no_grad():
                teacher = self.average(points + JITTER * torch.randn_like(points)).softmax(dim=1)
            ramp = min(1.0, self.step / (steps * recipe.consistency_epochs))
            gap = (logits.softmax(dim=1) - teacher).square().sum()
            total = total + recipe.consistency * ramp * gap
        self.optimizer.zero_grad()
        (total / len(batch)).backward()
        self.optimizer.step()
        self.recorder.see(batch, logits, labels)
        average = MovingAverage(self.average, self.network)
        average.update(average_decay(self.step, recipe.ema_decay))
        self.step += 1

    def judge(self, number: int) -> EpochResult:
        held_out = self.job.lesson.split.valid
        given = self.crowd.material.labels[held_out]
        predicted = self.probs(held_out).argmax(axis=1)
        scores = class_f1(confusion_matrix(given, predicted, self.classes))
        return EpochResult(
            epoch=number + 1,
            step=self.step,
            train_loss=0.0,
            valid_loss=0.0,
            learning_rate=0.0,
            class_f1=tuple(float(score) for score in scores),
            gmean_f1=geometric_mean(scores),
            images_per_second=0.0,
            skipped=0,
            is_best=False,
        )

    @torch.no_grad()
    def probs(self, positions: np.ndarray) -> np.ndarray:
        return self.average(self.crowd.points[positions]).softmax(dim=1).numpy()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Tiny tensors gain nothing from threads, and lose much where cores are shared."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def crowd() -> Crowd:
    return build_crowd()


@pytest.fixture(scope="session")
def make_crowd() -> Callable[..., Crowd]:
    return build_crowd


@pytest.fixture(scope="session")
def make_trainer() -> Callable[[Crowd], PointTrainer]:
    return PointTrainer


@pytest.fixture
def trainer(crowd) -> PointTrainer:
    return PointTrainer(crowd)


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return Recipe(
        epochs=6,
        batch_size=80,
        warmup_epochs=0.5,
        learning_rate=0.1,
        ema_decay=0.9,
        consistency_epochs=2.0,
        mixing="mixup",
        balance=0.5,
        patience=3,
        finetune_epochs=2,
        folds=5,
        folds_trained=2,
        filter_rounds=2,
    )


@pytest.fixture(scope="session")
def outcome(crowd, recipe) -> Callable[[str], tuple[FilterRecord, PointTrainer]]:
    """What a filter makes of the crowd, and the trainer it used; each filter runs once."""

    @cache
    def run(name: str) -> tuple[FilterRecord, PointTrainer]:
        trainer = PointTrainer(crowd)
        settings = replace(recipe, noise_filter=name)
        return FILTERS[name](settings, crowd.material, trainer), trainer

    return run
