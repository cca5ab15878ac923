"""Training one network on one split: `fit`.

N examples, B global batch, K classes, L category levels.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from model.augment import RandomCrop, flip, flip_mask, hide_categories
from model.batch import UNKNOWN_LABEL, Batch, ExampleSource
from model.devices import Compute, loader_workers
from model.errors import TrainingError
from model.learner import Learner
from model.losses import class_offsets, soft_cross_entropy, soft_targets
from model.metrics import class_f1, confusion_matrix, geometric_mean
from model.optim import average_decay, learning_rate, update_average
from model.prediction import encode_categories, forward
from model.progress import Clock, OnProgress, ignore_progress
from model.ranks import SOLO, RankGroup
from model.sampler import epoch_order, rank_share, steps_per_epoch
from model.seeding import Purpose, derive_seed, seed_generators
from model.split import Split, stratified_split
from model.trainee import EpochResult, Trainee


@dataclass(frozen=True)
class Listener:
    """Who is told what, and by which clock."""

    on_epoch: Callable[[EpochResult], None]
    """Called on rank 0 after every epoch, when the trainee is ready to be saved."""
    on_progress: OnProgress = ignore_progress
    """Called on rank 0 after every batch."""
    clock: Clock = time.perf_counter
    """Measures the images per second."""


@dataclass(frozen=True)
class Course:
    """What stays the same from epoch to epoch."""

    source: ExampleSource
    category_ids: torch.Tensor
    """Ids of all examples' categories, int [N, L], on the device."""
    split: Split
    offsets: torch.Tensor
    """Logit adjustment of each class, float [K], on the device."""
    compute: Compute
    group: RankGroup
    workers: int
    """Decoding threads of this rank."""


def fit(
    trainee: Trainee,
    source: ExampleSource,
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
        source: All labelled examples; the hold-out is split off here.
        compute: Device and precision of this rank.
        listener: Who is told about epochs and progress.
        group: The ranks that share each batch.

    Raises:
        TrainingError: If a class has too few examples, or the loss is no longer a number.
        RankDied: If another rank is gone.
    """
    recipe = trainee.blueprint.recipe
    course = plan_course(trainee, source, compute=compute, group=group)
    learner = trainee.begin()
    if group.size > 1 and compute.device.type == "cuda":
        learner.share_batch_statistics()
    while trainee.progress.epoch < recipe.epochs:
        if recipe.patience and trainee.progress.stale >= recipe.patience:
            break
        result = trainee.progress.judge(run_epoch(trainee, learner, course, listener))
        trainee.progress = trainee.progress.after(result)
        if group.is_first:
            listener.on_epoch(result)
        # Everyone computed the same decision; asking rank 0 makes sure of it.
        stop = bool(recipe.patience) and trainee.progress.stale >= recipe.patience
        if group.decide(stop, compute.device):
            break


def plan_course(
    trainee: Trainee, source: ExampleSource, *, compute: Compute, group: RankGroup
) -> Course:
    """Split off the hold-out and prepare what all epochs share.

    Raises:
        TrainingError: If there are too few examples.
    """
    blueprint = trainee.blueprint
    recipe, class_names = blueprint.recipe, blueprint.class_names
    split = stratified_split(source.labels, class_names, share=recipe.valid_share, seed=recipe.seed)
    smallest = min(recipe.batch_size, len(split.train))
    # Batch statistics of a single example are undefined, so every rank needs two.
    if smallest < 2 * group.size:
        raise TrainingError(
            f"{group.size} ranks cannot share a batch of {smallest}: each needs at least 2 images. "
            f"Give batch_size >= {2 * group.size}, as many images, or fewer ranks."
        )
    counts = np.bincount(source.labels[split.train], minlength=len(class_names))
    offsets = class_offsets(torch.from_numpy(counts), recipe.logit_adjustment)
    workers = loader_workers(recipe.loader_workers, ranks=group.size)
    ids = encode_categories(blueprint, source, compute.device)
    return Course(source, ids, split, offsets.to(compute.device), compute, group, workers)


def run_epoch(
    trainee: Trainee, learner: Learner, course: Course, listener: Listener
) -> EpochResult:
    """Train one epoch and validate; the result is the same on all ranks."""
    epoch = trainee.progress.epoch
    begin = listener.clock()
    trained = train_epoch(trainee, learner, course, listener)
    seconds = listener.clock() - begin
    course.group.average_statistics(learner.network)
    course.group.average_statistics(trainee.network)
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
    order = epoch_order(
        course.split.train, batch_size=recipe.batch_size, seed=recipe.seed, epoch=epoch
    )
    mine, batch_size = rank_share(
        order, batch_size=recipe.batch_size, rank=group.rank, ranks=group.size
    )
    crop_key = derive_seed(recipe.seed, Purpose.CROP, epoch)
    framing = RandomCrop(recipe.image_size, recipe.crop_scale, recipe.crop_ratio, crop_key)
    steps = steps_per_epoch(len(course.split.train), recipe.batch_size)
    # Sum of the losses, sum of the example weights, unreadable pictures.
    totals = torch.zeros(3, dtype=torch.float64, device=course.compute.device)
    step, rate = trainee.progress.step, 0.0
    learner.network.train()
    batches = course.source.batches(
        mine, batch_size=batch_size, framing=framing, workers=course.workers
    )
    for done, batch in enumerate(batches, start=1):
        rate = learning_rate(
            step,
            total=steps * recipe.epochs,
            warmup=round(steps * recipe.warmup_epochs),
            recipe=recipe,
        )
        totals[:2] += train_step(trainee, learner, course, batch, rate)
        totals[2] += int((~batch.readable).sum())
        update_average(trainee.network, learner.network, average_decay(step, recipe.ema_decay))
        step += 1
        if group.is_first:
            listener.on_progress(f"epoch {epoch + 1}/{recipe.epochs}: trained", done, steps)
    return summarise(totals, course, step=step, rate=rate, images=len(order))


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


def train_step(
    trainee: Trainee, learner: Learner, course: Course, batch: Batch, rate: float
) -> torch.Tensor:
    """One optimizer step on one global batch, of which `batch` is this rank's part.

    The loss is the mean over the *global* batch: every rank adds up its losses, and the sums of
    gradients, losses and example weights are added over the ranks before anything is divided. So
    unequal parts weigh right.

    Args:
        trainee: Its recipe and progress say how.
        learner: Is changed.
        course: What all steps share.
        batch: This rank's examples.
        rate: Learning rate.

    Returns:
        Sum of the losses and sum of the example weights of the global batch, float [2].
    """
    recipe, device = trainee.blueprint.recipe, course.compute.device
    images, category_ids = augmented(trainee, course, batch)
    labels = batch.labels.to(device).masked_fill(~batch.readable.to(device), UNKNOWN_LABEL)
    targets = soft_targets(labels, len(trainee.blueprint.class_names), recipe.label_smoothing)
    gradients = learner.gradients
    gradients.clear()
    with course.compute.autocast(course.compute.training):
        logits = learner.network(images, category_ids)
    losses = soft_cross_entropy(logits + course.offsets, targets)
    losses.sum().backward()
    gradients.extra[0] = losses.detach().sum()
    gradients.extra[1] = (labels != UNKNOWN_LABEL).sum()
    course.group.sum(gradients.message)
    gradients.values.div_(gradients.extra[1].clamp(min=1))
    gradients.clip(recipe.clip_grad_norm)
    for group in learner.optimizer.param_groups:
        group["lr"] = rate
    learner.optimizer.step()
    return gradients.extra.clone()


def augmented(trainee: Trainee, course: Course, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Network input of a training batch: float [B, 3, S, S] and ids [B, L], on the device."""
    recipe, epoch = trainee.blueprint.recipe, trainee.progress.epoch
    device, indices = course.compute.device, batch.indices.numpy()
    images = trainee.blueprint.preprocess.to_input(batch.images, device)
    mask = flip_mask(recipe.seed, epoch, indices, recipe.flip_prob)
    category_ids = hide_categories(
        course.category_ids[batch.indices.to(device)],
        recipe.seed,
        epoch,
        indices,
        recipe.category_dropout,
    )
    return flip(images, mask.to(device)), category_ids


def validate(trainee: Trainee, course: Course, listener: Listener) -> tuple[float, np.ndarray]:
    """Judge the moving average on the hold-out, each rank on its part.

    Returns:
        Mean cross-entropy, and F1 of each class, float [K]; over all ranks.
    """
    group, num_classes = course.group, len(trainee.blueprint.class_names)
    mine = course.split.valid[group.rank :: group.size]
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
