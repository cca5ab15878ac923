"""ELR as a filter: a network that keeps what it learned early contradicts wrong labels.

Networks fit the right labels first and the wrong ones later. The early-learning loss holds every
example to its own early predictions, so its networks may judge what they were trained on.

Source: Liu et al., "Early-learning regularization prevents memorization of noisy labels",
    NeurIPS 2020. arXiv:2007.00151
"""

from __future__ import annotations

from model.config import ELR, NONE, Recipe
from model.filters.self_ensemble import agreeing_labels
from model.filters.trainings import ask_all, conclude, judged_positions, judging, spread
from model.job import Material, Trainer
from model.noise.record import FilterRecord
from model.noise.rules import label_margins


def early_learning(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Drop the labels that networks trained with the early-learning loss contradict.

    Args:
        recipe: Of the trainings; `filter_epochs` applies.
        material: What is judged.
        train: Does one training.
    """
    judged = judged_positions(material)
    # An example's memory is of its own predictions: a blend of two pictures would spoil both.
    settings = judging(recipe, loss=ELR, mixing=NONE)
    probs = ask_all("ELR", settings, material, material.labels, train).pred_probs
    labels = material.labels.copy()
    labels[judged] = agreeing_labels(labels[judged], probs)
    margins = label_margins(material.labels[judged], probs)
    reason = (
        f"The mean prediction of {len(material.folds_trained)} networks, held to what they learned "
        "early, contradicts the label."
    )
    scores = spread(margins, judged, len(labels))
    return conclude("elr", material, labels, scores, reason)
