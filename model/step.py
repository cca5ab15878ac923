"""One optimizer step on one global batch.

B batch, K classes, L category levels, S input side in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from model.augment import augment_batch, flip, flip_mask, hide_categories
from model.batch import UNKNOWN_LABEL, Batch
from model.course import Course
from model.dynamics import DynamicsRecorder
from model.learner import Learner
from model.losses import soft_targets
from model.mixing import Mixing, draw_mixing, mix_images, mix_targets, mix_weighted
from model.trainee import Trainee


@dataclass(frozen=True)
class Position:
    """Where in the training a step is."""

    epoch: int
    """0-based."""
    step: int
    """Step of the whole training, 0-based."""
    steps: int
    """Steps of an epoch."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What the network is shown of a batch, on the device."""

    images: torch.Tensor
    """Normalised pixels, float [B, 3, S, S], channels last."""
    category_ids: torch.Tensor
    """Int [B, L]."""
    labels: torch.Tensor
    """Label to learn, int [B]; UNKNOWN_LABEL where there is none, or no readable picture."""
    weights: torch.Tensor
    """Weight of each example, float [B]; 0 without a label."""
    targets: torch.Tensor
    """Class probabilities the loss aims at, float [B, K]; zeros without a label."""
    logit_terms: torch.Tensor
    """Added to the logits before the loss, float [B or 1, K]."""


def train_step(
    trainee: Trainee,
    learner: Learner,
    course: Course,
    batch: Batch,
    position: Position,
    recorder: DynamicsRecorder | None,
) -> torch.Tensor:
    """Forward, backward and update.

    The loss is the weighted mean over the *global* batch: every rank adds up its losses, and the
    sums of gradients, losses and weights are added over the ranks before anything is divided. So
    unequal parts weigh right.

    Args:
        trainee: Its recipe says how; its network teaches where consistency is asked for.
        learner: Is changed; its learning rates are set already.
        course: What all steps share.
        batch: This rank's examples.
        position: Where in the training this is.
        recorder: Is told how each example fared.

    Returns:
        Sum of the losses and sum of the example weights of the global batch, float [2].
    """
    recipe, compute = trainee.blueprint.recipe, course.compute
    inputs = network_inputs(trainee, course, batch, position.epoch)
    mixing = draw_mixing(
        recipe,
        epoch=position.epoch,
        step=position.step,
        size=len(batch.indices),
        image_side=inputs.images.shape[-1],
    )
    gradients = learner.gradients
    gradients.clear()
    with compute.autocast(compute.training):
        logits = forward_mixed(learner.network, inputs, mixing)
    logits = logits.float()
    targets, weights, terms = inputs.targets, inputs.weights, inputs.logit_terms
    if mixing is not None:
        targets, weights = mix_weighted(targets, weights, mixing)
        terms = terms if len(terms) == 1 else mix_targets(terms, mixing)
    losses = course.loss(logits + terms, targets, batch.indices, position.epoch)
    total = (losses * weights).sum()
    divisor = weights.sum()
    if recipe.consistency > 0:
        ramp = min(1.0, (position.step + 1) / max(1.0, position.steps * recipe.consistency_epochs))
        # Both terms are means over all examples of the batch, those without a label included.
        total = total + recipe.consistency * ramp * disagreement(
            logits, teacher_probs(trainee, course, inputs, mixing)
        )
        divisor = torch.full_like(divisor, len(batch.indices))
    total.backward()
    if recorder is not None:
        recorder.see(batch.indices, logits, inputs.labels)
    gradients.extra[0] = total.detach()
    gradients.extra[1] = divisor
    course.group.sum(gradients.message)
    gradients.values.div_(gradients.extra[1].clamp(min=1e-6))
    gradients.clip(recipe.clip_grad_norm)
    learner.optimizer.step()
    return gradients.extra.clone()


def network_inputs(trainee: Trainee, course: Course, batch: Batch, epoch: int) -> Inputs:
    """A training batch on the device, augmented and labelled."""
    recipe, device = trainee.blueprint.recipe, course.compute.device
    indices = batch.indices.to(device, non_blocking=True)
    unreadable = (~batch.readable).to(device, non_blocking=True)
    labels = course.labels[indices].masked_fill(unreadable, UNKNOWN_LABEL)
    plausibility = None if course.plausibility is None else course.plausibility[indices]
    targets = soft_targets(
        labels, len(trainee.blueprint.class_names), recipe.label_smoothing, plausibility
    )
    terms = course.logit_terms
    return Inputs(
        images=augmented(trainee, batch, epoch, device),
        category_ids=hide_categories(
            course.category_ids[indices],
            recipe.seed,
            epoch,
            batch.indices.numpy(),
            recipe.category_dropout,
        ),
        labels=labels,
        weights=course.weights[indices] * (labels != UNKNOWN_LABEL),
        targets=targets,
        logit_terms=terms if len(terms) == 1 else terms[indices],
    )


def augmented(trainee: Trainee, batch: Batch, epoch: int, device: torch.device) -> torch.Tensor:
    """Network input of a training batch: float [B, 3, S, S]."""
    recipe, indices = trainee.blueprint.recipe, batch.indices.numpy()
    pixels = batch.images.to(device, non_blocking=True)
    pixels = augment_batch(pixels, recipe, epoch=epoch, indices=indices)
    images = trainee.blueprint.preprocess.to_input(pixels, device)
    mask = flip_mask(recipe.seed, epoch, indices, recipe.flip_prob)
    return flip(images, mask)


def forward_mixed(network: nn.Module, inputs: Inputs, mixing: Mixing | None) -> torch.Tensor:
    """Logits of a batch whose pictures and categories are blended as `mixing` says, [B, K]."""
    if mixing is None:
        return network(inputs.images, inputs.category_ids)
    partners = inputs.category_ids[
        mixing.partners.to(inputs.category_ids.device, non_blocking=True)
    ]
    return network(mix_images(inputs.images, mixing), inputs.category_ids, partners, mixing.share)


@torch.no_grad()
def teacher_probs(
    trainee: Trainee, course: Course, inputs: Inputs, mixing: Mixing | None
) -> torch.Tensor:
    """What the moving average thinks of the same batch, mirrored; probabilities [B, K].

    For a blended batch it is the blend of what it thinks of each picture apart.

    Source: Verma et al., "Interpolation consistency training", IJCAI 2019. arXiv:1903.03825
    """
    with course.compute.autocast(course.compute.inference):
        logits = trainee.network(inputs.images.flip(-1), inputs.category_ids)
    probs = logits.float().softmax(dim=1)
    return probs if mixing is None else mix_targets(probs, mixing)


def disagreement(logits: torch.Tensor, teacher: torch.Tensor) -> torch.Tensor:
    """Sum over the batch of the squared difference to the teacher's probabilities, both [B, K].

    Source: Tarvainen and Valpola, "Mean teachers are better role models", NeurIPS 2017.
        arXiv:1703.01780
    """
    return (logits.softmax(dim=1) - teacher).square().sum()
