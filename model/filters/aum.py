"""AUM: the area under the margin, with a threshold from labels that are known to be wrong.

Source: Pleiss et al., "Identifying mislabeled data using the area under the margin ranking",
    NeurIPS 2020. arXiv:2001.10528
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.config import STEPS, Recipe
from model.errors import ConfigError
from model.filters.trainings import (
    Labels,
    Scores,
    conclude,
    covering_folds,
    fold_job,
    judged_positions,
    judging,
    watch,
    watched,
)
from model.job import Material, Trainer
from model.noise.record import DROPPED, FilterRecord
from model.noise.rules import fake_class_threshold, fake_sets, mean_over_epochs
from model.seeding import Purpose, derive_seed


def aum(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Drop the labels whose margin stays as low as that of an invented class.

    Two runs, each with other examples shown as the invented class, so that every label is judged
    in a run that shows it as it is.

    Args:
        recipe: Of the trainings; `filter_epochs` applies.
        material: What is judged.
        train: Does one training.

    Raises:
        ConfigError: If there are just two folds.
    """
    folds = covering_folds(material)
    # With a single fold to hold out, both runs hold it out.
    pairs = zip((folds * 2)[:2], draw_fakes(recipe, material, folds), strict=True)
    runs = [_run(recipe, material, fold, fakes, train) for fold, fakes in pairs]
    scores = mean_over_epochs(np.stack([areas - threshold for areas, threshold in runs]))
    labels = np.where(scores <= 0, DROPPED, material.labels)
    thresholds = " and ".join(f"{threshold:.2f}" for _, threshold in runs)
    reason = (
        "The mean margin over the epochs is no higher than that of 99 % of the examples shown "
        f"as an invented class ({thresholds})."
    )
    return conclude("aum", material, labels, scores, reason)


def draw_fakes(recipe: Recipe, material: Material, folds: tuple[int, ...]) -> tuple[Labels, Labels]:
    """Two disjoint sets of positions, from examples that no run of `folds` holds out.

    An example that is held out in one run must not be invented in the other: nothing would judge
    its label.

    Raises:
        ConfigError: If every example is held out in some run.
    """
    judged = judged_positions(material)
    pool = judged[~np.isin(material.folds[judged], folds)]
    if len(pool) < 2:
        raise ConfigError("noise_filter=aum needs a third fold. Give --set folds=3 or more.")
    return fake_sets(
        pool,
        num_examples=len(judged) - int((material.folds[judged] == folds[0]).sum()),
        num_classes=material.num_classes,
        rng=np.random.Generator(np.random.PCG64(derive_seed(recipe.seed, Purpose.FILTER))),
    )


def constant_rate(recipe: Recipe) -> Recipe:
    """Recipe of a run that ends before the learning rate would first drop, as the area asks."""
    return watched(recipe, schedule=STEPS, decay_epochs=judging(recipe).epochs)


def _run(
    recipe: Recipe, material: Material, fold: int, fakes: Labels, train: Trainer
) -> tuple[Scores, float]:
    """Area under the margin of every label, and the threshold.

    Returns:
        Areas, float [N], NaN in the held-out fold and for the invented class; and the threshold.
    """
    shown = material.labels.copy()
    shown[fakes] = material.num_classes
    job = fold_job("AUM", constant_rate(recipe), material, shown, fold)
    areas = mean_over_epochs(watch(replace(job, extra_classes=1), train).margins)
    threshold = fake_class_threshold(areas[fakes])
    areas[fakes] = np.nan
    return areas, threshold
