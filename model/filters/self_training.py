"""Self-training with relabelling: a teacher corrects the labels of its student.

The filter of the second-placed team of the review-image task: the student learns from the
corrected labels and becomes the teacher of the next round.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.config import Recipe
from model.filters.rounds import repeat_rounds
from model.filters.trainings import conclude, judged_positions, judging, spread
from model.job import Material, Trainer
from model.noise.record import FilterRecord
from model.noise.rules import label_margins, self_training_labels

UNSURE = 0.05
"""Share of each predicted class that is dropped for its low confidence."""


def self_training(recipe: Recipe, material: Material, train: Trainer) -> FilterRecord:
    """Keep, change or drop every label after the teacher's prediction.

    Args:
        recipe: Of the trainings; `filter_rounds` and `filter_epochs` apply.
        material: What is judged.
        train: Does one training.
    """
    judged = judged_positions(material)
    given = material.labels[judged]

    def rule(history: list[NDArray[np.float64]]) -> NDArray[np.int64]:
        return self_training_labels(given, history[-1], drop_share=UNSURE)[0]

    rounds = repeat_rounds("self-training", judging(recipe), material, train, rule)
    teacher = rounds.history[-1]
    unsure = int(self_training_labels(given, teacher, drop_share=UNSURE)[1].sum())
    reason = (
        f"Dropped the {unsure} least confident ({UNSURE:.0%} of each predicted class); the other "
        "labels that the teacher contradicts were changed where it is surer than on average for "
        f"that class, else dropped; {rounds.ending}."
    )
    scores = spread(label_margins(given, teacher), judged, len(material.labels))
    return conclude("self_training", material, rounds.labels, scores, reason)
