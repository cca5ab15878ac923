"""NLNL / SelNLPL: learn what a picture is not, then from the labels that this makes probable.

A label drawn from all classes but a wrong one is still true with probability 1 - 1 / (K - 1). So
negative learning underfits wrong labels, and the confidence in a label tells the two apart. With
few classes it tells less: 75 % for K = 5.

Source: Kim et al., "NLNL: Negative learning for noisy labels", ICCV 2019. arXiv:1908.07387
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.config import CROSS_ENTROPY, NEGATIVE, Recipe
from model.filters.trainings import (
    Scores,
    conclude,
    fold_job,
    judged_positions,
    spread,
    watched,
)
from model.job import Job, JobResult, Material, Trainer
from model.noise.floor import keep_floor
from model.noise.record import FilterRecord
from model.noise.rules import mean_over_epochs, selective

LATE_EPOCHS = 10
"""Last epochs over which a confidence is averaged."""
CERTAIN = 0.5
"""Confidence that splits the two groups."""


def nlnl(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Drop the labels in which confidence stays low.

    Args:
        recipe: Of the trainings; `filter_epochs` applies to each of the three stages.
        material: What is judged.
        train: Does one training.
    """
    judged = judged_positions(material)
    runs = [_stages(recipe, material, fold, train) for fold in material.folds_trained]
    scores = spread(np.mean(runs, axis=0), judged, len(material.labels))
    labels = selective(material.labels, scores, CERTAIN)
    reason = (
        f"After negative, selective negative and selective positive learning, {len(runs)} networks "
        f"give the label a mean probability of {CERTAIN:g} or less."
    )
    return conclude("nlnl", material, labels, scores, reason)


def _stages(recipe: Recipe, material: Material, fold: int, train: Trainer) -> Scores:
    """Probability of every judged label after the three stages, float [J]."""
    judged = judged_positions(material)
    given = material.labels[judged]
    network = None
    confidence = told = np.ones(len(given))
    stages = (
        ("NL", NEGATIVE, 0.0),
        ("SelNL", NEGATIVE, 1 / material.num_classes),
        ("SelPL", CROSS_ENTROPY, CERTAIN),
    )
    for name, loss, threshold in stages:
        # A class without labels would never be learnt, and so never be judged.
        labels = material.labels.copy()
        labels[judged] = keep_floor(given, selective(given, confidence, threshold), confidence)
        job = fold_job(name, watched(recipe, loss=loss), material, labels, fold)
        job = replace(job, predict=judged, initial=network, wants_dynamics=True)
        result = train(job)
        network = result.network
        told = result.pred_probs[np.arange(len(given)), given].astype(np.float64)
        confidence = late_confidence(job, result, told)
    return told


def late_confidence(job: Job, result: JobResult, told: Scores) -> Scores:
    """Probability of each judged label over the last epochs, float [J].

    Training visits neither held-out examples nor those whose label was dropped; theirs is the
    probability that the network gives them afterwards, `told`.
    """
    assert result.dynamics is not None, "a job that wants dynamics gets them"
    seen = mean_over_epochs(result.dynamics.confidences, LATE_EPOCHS)[job.predict]
    return np.where(np.isnan(seen), told, seen)
