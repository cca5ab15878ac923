"""From examples to class probabilities.

N examples, B batch, K classes, L category levels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import Batch, ExampleSource
from model.devices import Compute
from model.prefetch import prefetched
from model.progress import OnProgress, ignore_progress
from model.trainee import Blueprint, Trainee
from model.tta import prediction_views

INFERENCE_BATCH = 128
"""Examples per forward pass; keeps memory flat whatever the number of pictures."""


@dataclass(frozen=True)
class Prediction:
    """What the network thinks of every example of a source, in the source's order."""

    pred_probs: NDArray[np.float32]
    """Class probabilities, float [N, K], rows sum to 1."""
    unreadable: int
    """Examples whose picture could not be decoded; predicted from a grey one and the category."""

    @property
    def y_pred(self) -> NDArray[np.int64]:
        """Most probable class of each example, int [N]."""
        return self.pred_probs.argmax(axis=1)


def predict(
    trainee: Trainee,
    source: ExampleSource,
    *,
    compute: Compute,
    workers: int,
    on_progress: OnProgress = ignore_progress,
) -> Prediction:
    """Probabilities of every example, each visited once, in batches.

    Args:
        trainee: Its network, on the device of `compute`.
        source: Pictures and categories; labels are not looked at.
        compute: Device and precision.
        workers: Threads that decode pictures.
        on_progress: Told how many examples are done.
    """
    order = np.arange(len(source), dtype=np.int64)
    pred_probs = np.zeros((len(source), len(trainee.blueprint.class_names)), dtype=np.float32)
    unreadable = done = 0
    for batch, logits in forward(trainee, source, order, compute=compute, workers=workers):
        pred_probs[batch.indices.numpy()] = logits.softmax(dim=1).cpu().numpy()
        unreadable += int((~batch.readable).sum())
        done += len(batch.indices)
        on_progress("predicted", done, len(source))
    return Prediction(pred_probs, unreadable)


@torch.inference_mode()
def forward(
    trainee: Trainee,
    source: ExampleSource,
    order: NDArray[np.int64],
    *,
    compute: Compute,
    workers: int,
) -> Iterator[tuple[Batch, torch.Tensor]]:
    """Batches of the examples `order` names, each with its logits, float32 [B, K] on the device.

    The logits include the category prior; with test-time augmentation they are the logarithm of
    the views' mean probabilities.
    """
    blueprint, device = trainee.blueprint, compute.device
    category_ids = encode_categories(blueprint, source, device)
    terms = prior_terms(blueprint, source, device)
    framing, views = prediction_views(blueprint.preprocess, blueprint.recipe.tta)
    network = trainee.network.eval()
    batches = source.batches(order, batch_size=INFERENCE_BATCH, framing=framing, workers=workers)
    for batch in prefetched(batches, device):
        pixels = batch.images.to(device, non_blocking=True)
        places = batch.indices.to(device, non_blocking=True)
        seen: list[torch.Tensor] = []
        for view in views:
            with compute.autocast(compute.inference):
                logits = network(view(pixels), category_ids[places])
            seen.append(logits.float() + (0.0 if terms is None else terms[places]))
        yield batch, seen[0] if len(seen) == 1 else mean_view(seen)


def mean_view(logits: list[torch.Tensor]) -> torch.Tensor:
    """Logarithm of the mean probabilities of several views, each float [B, K]."""
    log_probs = torch.stack(logits).log_softmax(dim=2)
    return log_probs.logsumexp(dim=0) - math.log(len(logits))


def prior_terms(
    blueprint: Blueprint, source: ExampleSource, device: torch.device
) -> torch.Tensor | None:
    """What the category prior adds to each example's logits, float [N, K]; None without one."""
    if blueprint.prior is None:
        return None
    terms = blueprint.prior.logit_terms(blueprint.recipe, source.categories, training=False)
    return torch.from_numpy(terms).to(device)


def encode_categories(
    blueprint: Blueprint, source: ExampleSource, device: torch.device
) -> torch.Tensor:
    """Category ids of every example on the device, int [N, L]; small enough to keep there."""
    return torch.from_numpy(blueprint.vocabulary.encode(source.categories)).to(device)
