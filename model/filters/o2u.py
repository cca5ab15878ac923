"""O2U-Net: labels that have to be learnt again in every cycle of the learning rate.

Source: Huang et al., "O2U-Net: A simple noisy label detection approach for deep neural networks",
    ICCV 2019.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.config import CYCLES, Recipe
from model.filters.trainings import (
    Scores,
    conclude,
    covering_folds,
    fold_job,
    watch,
    watched,
)
from model.job import Material, Trainer
from model.noise.record import DROPPED, FilterRecord
from model.noise.rules import lowest_share, mean_over_epochs, relearning_loss
from model.noise.two_modes import estimated_share

TEETH = 3
"""Fewest cycles: a mean over fewer says little."""
BATCH_DIVISOR = 4
SMALLEST_BATCH = 16
"""The second stage takes a smaller batch, as in the paper (16 after 128): the noise of its steps
helps the network to forget."""


def o2u(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Drop the labels whose loss is highest while the network forgets and learns again.

    Args:
        recipe: Of the trainings; `filter_epochs` applies to either stage, `filter_share` is the
            share to drop.
        material: What is judged.
        train: Does one training.
    """
    runs = [_run(recipe, material, fold, train) for fold in covering_folds(material)]
    scores = -mean_over_epochs(np.stack(runs))
    judged = np.flatnonzero(~np.isnan(scores))
    share, told = recipe.filter_share, "as asked for"
    if share == 0:
        share, told = estimated_share(-scores[judged]), "by a mixture of two normal distributions"
    labels = material.labels.copy()
    labels[judged[lowest_share(scores[judged], share)]] = DROPPED
    reason = (
        f"The highest mean losses over all cycles of the learning rate: {100 * share:.1f} % of "
        f"the labels, {told}."
    )
    return conclude("o2u", material, labels, scores, reason)


def _run(recipe: Recipe, material: Material, fold: int, train: Trainer) -> Scores:
    """Mean loss of every example above the average one, float [N]; NaN in the held-out fold."""
    ordinary = fold_job("O2U, ordinary", watched(recipe), material, material.labels, fold)
    start = train(ordinary).network
    second = fold_job("O2U, cyclic", cyclic(recipe), material, material.labels, fold)
    return relearning_loss(watch(replace(second, initial=start), train).losses)


def cyclic(recipe: Recipe) -> Recipe:
    """Recipe of the second stage: a saw-tooth from the peak of the learning rate to a tenth."""
    settings = watched(recipe)
    tooth = max(2, min(recipe.decay_epochs, settings.epochs // TEETH))
    batch = max(SMALLEST_BATCH, recipe.batch_size // BATCH_DIVISOR)
    return watched(
        recipe,
        schedule=CYCLES,
        decay_epochs=tooth,
        epochs=tooth * max(TEETH, settings.epochs // tooth),
        warmup_epochs=0.0,
        batch_size=min(recipe.batch_size, batch),
    )
