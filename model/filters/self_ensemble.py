"""SELF: an averaged prediction that disagrees with a label removes it.

Three averages, on three time scales: of the weights (mean teacher), of the predictions of the
rounds, and, as the winners of the review-image task added, of the folds' networks. What is removed
stays in training as an example without a label.

Source: Nguyen et al., "SELF: Learning to filter noisy labels with self-ensembling", ICLR 2020.
    arXiv:1910.01842
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.config import Recipe
from model.filters.rounds import repeat_rounds
from model.filters.trainings import conclude, judged_positions, judging, spread
from model.job import Material, Trainer
from model.noise.floor import expected_errors, within_budget
from model.noise.record import DROPPED, FilterRecord
from model.noise.rules import agreement, label_margins, running_average

MEMORY = 0.9
"""b of the average over rounds; corrected for its start, two rounds count nearly alike."""
SOFTNESS = 0.6
"""c of the criterion. The paper's is 1, plain disagreement, which flags far too much where the
network is weak. Mean F1 over ten real noisy sets: 0.629 with 1, 0.647 with 0.6, 0.645 with 0.5."""
CONSISTENCY = 10.0
"""Weight of the mean teacher's term for recipes without one: 100 on the mean over ten classes, in
the authors' CIFAR-10 setting, is 10 on the sum that is minimised here."""
TEACHER_DECAY = 0.99
"""Moving average for recipes without one."""


def self_ensemble(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Drop the labels that the ensemble of all averages disagrees with.

    Args:
        recipe: Of the trainings; `filter_rounds` and `filter_epochs` apply.
        material: What is judged.
        train: Does one training.
    """
    judged = judged_positions(material)
    given = material.labels[judged]
    # A teacher is needed, and the examples without a label are seen only if it teaches them.
    settings = judging(
        recipe,
        consistency=recipe.consistency or CONSISTENCY,
        ema_decay=recipe.ema_decay or TEACHER_DECAY,
    )

    def rule(history: list[NDArray[np.float64]]) -> NDArray[np.int64]:
        return agreeing_labels(given, running_average(history, MEMORY))

    rounds = repeat_rounds("SELF", settings, material, train, rule)
    margins = label_margins(given, running_average(rounds.history, MEMORY))
    networks = len(material.folds_trained) * len(rounds.history)
    reason = (
        f"The mean prediction of {networks} networks gave the label less than {SOFTNESS:g} times "
        "the probability of the best class, among the least probable labels of a class, as many "
        f"as the networks expect to be wrong; {rounds.ending}."
    )
    scores = spread(margins, judged, len(material.labels))
    return conclude("self", material, rounds.labels, scores, reason)


def agreeing_labels(given: NDArray[np.int64], probs: NDArray[np.float64]) -> NDArray[np.int64]:
    """Labels that agree with the prediction; the others are dropped, within each class's budget.

    A weak network disagrees with every label of a rare class. How many wrong labels it expects
    there is the better guess: no more than that are dropped.

    Args:
        given: Given class, int [J].
        probs: Averaged probabilities, float [J, K].
    """
    disagrees = ~agreement(given, probs, softness=SOFTNESS)
    budget = expected_errors(given, probs)
    wrong = within_budget(given, disagrees, label_margins(given, probs), budget)
    return np.where(wrong, DROPPED, given)
