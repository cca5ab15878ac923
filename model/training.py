"""Training one network on one lesson: `fit`.

N examples, B global batch, K classes, L category levels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from model.augment import framing_of
from model.batch import ExampleSource
from model.course import Course, default_lesson, plan_course
from model.devices import Compute
from model.dynamics import DynamicsRecorder
from model.errors import TrainingError
from model.learner import Learner
from model.lesson import Lesson
from model.losses import soft_cross_entropy, soft_targets
from model.metrics import class_f1, confusion_matrix, geometric_mean
from model.optim import MovingAverage, average_decay, learning_rates, update_even_average
from model.prediction import forward
from model.prefetch import prefetched
from model.progress import Clock, OnProgress, ignore_progress
from model.ranks import SOLO, RankGroup
from model.seeding import Purpose, derive_seed, seed_generators
from model.sizes import training_size
from model.step import Position, train_step
from model.trainee import EpochResult, Trainee

DYNAMICS_STATE = "dynamics."
"""Prefix of the recorded dynamics among the extra state of a learner."""


@dataclass(frozen=True)
class Listener:
    """Who is told what, and by which clock."""

    on_epoch: Callable[[EpochResult], None]
    """Called on every rank after every epoch, when the trainee is ready to be saved."""
    on_progress: OnProgress = ignore_progress
    """Called on rank 0 after every batch."""
    clock: Clock = time.perf_counter
    """Measures the images per second."""
    recorder: DynamicsRecorder | None = None
    """Is told on every rank how each example fared."""


def fit(
    trainee: Trainee,
    source: ExampleSource,
    lesson: Lesson | None = None,
    *,
    compute: Compute,
    listener: Listener,
    group: RankGroup = SOLO,
) -> None:
    """Train until the recipe's last epoch, or until validation no longer improves.

    Continues where the trainee's progress stands. Every rank calls this with the same trainee and
    source; afterwards all have the same weights.

    Args:
        trainee: Is changed; on the device of `compute`.
        source: All labelled examples.
        lesson: Who learns which label, and who is held out; None takes all given labels and holds
            out the recipe's share.
        compute: Device and precision of this rank.
        listener: Who is told about epochs and progress.
        group: The ranks that share each batch.

    Raises:
        TrainingError: If a class has too few examples, or the loss is no longer a number.
        RankDied: If another rank is gone.
    """
    blueprint = trainee.blueprint
    recipe = blueprint.recipe
    lesson = lesson or default_lesson(recipe, source, blueprint.class_names)
    course = plan_course(trainee, source, lesson, compute=compute, group=group)
    learner = trainee.begin()
    course.restore(learner)
    if listener.recorder is not None:
        listener.recorder.restore(learner.extras_under(DYNAMICS_STATE))
    if group.size > 1 and compute.device.type == "cuda":
        learner.share_batch_statistics()
    while trainee.progress.epoch < recipe.epochs:
        if recipe.patience and trainee.progress.stale >= recipe.patience:
            break
        result = trainee.progress.judge(run_epoch(trainee, learner, course, listener))
        trainee.progress = trainee.progress.after(result)
        listener.on_epoch(result)
        # Everyone computed the same decision; asking rank 0 makes sure of it.
        stop = bool(recipe.patience) and trainee.progress.stale >= recipe.patience
        if group.decide(stop, compute.device):
            break


def run_epoch(
    trainee: Trainee, learner: Learner, course: Course, listener: Listener
) -> EpochResult:
    """Train one epoch and validate; the result is the same on all ranks."""
    recipe, epoch = trainee.blueprint.recipe, trainee.progress.epoch
    begin = listener.clock()
    trained = train_epoch(trainee, learner, course, listener)
    seconds = listener.clock() - begin
    course.group.average_statistics(learner.network)
    swa_epoch = epoch - (recipe.epochs - recipe.swa_epochs)
    if swa_epoch >= 0:
        update_even_average(trainee.network, learner.network, swa_epoch)
    course.group.average_statistics(trainee.network)
    course.remember(learner)
    if listener.recorder is not None:
        listener.recorder.close_epoch(course.group, course.compute.device)
        for name, value in listener.recorder.tensors().items():
            learner.extras[DYNAMICS_STATE + name] = value
    valid_loss, scores = validate(trainee, course, listener)
    return replace(
        trained,
        epoch=epoch + 1,
        valid_loss=valid_loss,
        class_f1=tuple(float(score) for score in scores),
        gmean_f1=geometric_mean(scores),
        images_per_second=trained.images_per_second / max(seconds, 1e-9),
    )


def train_epoch(
    trainee: Trainee, learner: Learner, course: Course, listener: Listener
) -> EpochResult:
    """One pass over the training share.

    Returns:
        A result with the training half filled in; `images_per_second` still counts images.

    Raises:
        TrainingError: If the loss is no longer a number.
    """
    recipe, epoch, group = trainee.blueprint.recipe, trainee.progress.epoch, course.group
    seed_generators(recipe.seed, Purpose.EPOCH, epoch, group.rank)
    mine, batch_size = course.my_share(epoch)
    framing = framing_of(
        recipe, training_size(recipe, epoch), derive_seed(recipe.seed, Purpose.CROP, epoch)
    )
    # Sum of the losses, sum of the example weights, unreadable pictures.
    totals = torch.zeros(3, dtype=torch.float64, device=course.compute.device)
    step, rate = trainee.progress.step, 0.0
    averages = epoch < recipe.epochs - recipe.swa_epochs
    average = MovingAverage(trainee.network, learner.network)
    learner.start_epoch(head_only=epoch < recipe.head_epochs)
    trainee.network.eval()
    batches = course.source.batches(
        mine, batch_size=batch_size, framing=framing, workers=course.workers
    )
    for done, batch in enumerate(prefetched(batches, course.compute.device), start=1):
        rates = learning_rates(recipe, step=step, steps_per_epoch=course.steps)
        rate = max(rates)
        learner.set_rates(*rates)
        position = Position(epoch, step, course.steps)
        totals[:2] += train_step(trainee, learner, course, batch, position, listener.recorder)
        totals[2] += int((~batch.readable).sum())
        if averages:
            average.update(average_decay(step, recipe.ema_decay))
        step += 1
        if group.is_first:
            listener.on_progress(f"epoch {epoch + 1}/{recipe.epochs}: trained", done, course.steps)
    images = course.steps * min(recipe.batch_size, len(course.taught))
    return summarise(totals, course, step=step, rate=rate, images=images)


def summarise(
    totals: torch.Tensor, course: Course, *, step: int, rate: float, images: int
) -> EpochResult:
    """Result of a training pass from its sums; the rest is filled in after validation.

    Raises:
        TrainingError: If the loss is no longer a number.
    """
    # Losses and weights were added up step by step; the unreadable ones are still this rank's own.
    skipped = int(course.group.sum(totals[2:].clone()).item())
    loss = float(totals[0] / totals[1].clamp(min=1))
    if not math.isfinite(loss) and course.group.is_first:
        raise TrainingError(
            f"The training loss is {loss} after step {step}. Try a lower --set learning_rate=..., "
            "a longer warmup_epochs, or --set precision=fp32."
        )
    return EpochResult(0, step, loss, 0.0, rate, (), 0.0, images, skipped, False)


def validate(trainee: Trainee, course: Course, listener: Listener) -> tuple[float, np.ndarray]:
    """Judge the moving average on the hold-out, each rank on its part.

    Returns:
        Mean cross-entropy, and F1 of each class, float [K]; over all ranks.
    """
    group, num_classes = course.group, len(trainee.blueprint.class_names)
    mine = course.lesson.split.valid[group.rank :: group.size]
    stage = f"epoch {trainee.progress.epoch + 1}/{trainee.blueprint.recipe.epochs}: validated"
    # The confusion matrix, then the sum of the losses.
    sums = torch.zeros(num_classes**2 + 1, dtype=torch.float64)
    done = 0
    for batch, logits in forward(
        trainee, course.source, mine, compute=course.compute, workers=course.workers
    ):
        targets = soft_targets(batch.labels.to(logits.device), num_classes, smoothing=0.0)
        counts = confusion_matrix(
            batch.labels.numpy(), logits.argmax(dim=1).cpu().numpy(), num_classes
        )
        sums[:-1] += torch.from_numpy(counts).reshape(-1)
        sums[-1] += soft_cross_entropy(logits, targets).double().sum().cpu()
        done += len(batch.indices)
        if group.is_first:
            listener.on_progress(stage, done, len(mine))
    sums = group.sum(sums.to(course.compute.device)).cpu()
    confusion = sums[:-1].reshape(num_classes, num_classes).numpy().astype(np.int64)
    return float(sums[-1] / max(1, confusion.sum())), class_f1(confusion)
