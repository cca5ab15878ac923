"""Wrong labels that depend on the picture: who is tempted, ticks the rival class.

Source of the idea: instance-dependent noise, e.g. Xia et al., "Part-dependent Label Noise",
NeurIPS 2020. arXiv:2006.07836
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from review_synthesis.appearance import Appearance
from review_synthesis.catalog import NUM_CLASSES, OTHER
from review_synthesis.difficulty import Difficulty

WORST = 0.6
"""Highest chance of a wrong label on one picture."""


def ticked_labels(
    rng: np.random.Generator,
    answers: NDArray[np.int64],
    seen: Sequence[Appearance],
    difficulty: Difficulty,
) -> NDArray[np.int64]:
    """The class that each reviewer ticked.

    Half of the wrong labels fall on OTHER and half on the named classes, class by class, so that
    noise moves pictures both ways and the class shares hardly change.

    Args:
        rng: Source of randomness.
        answers: True classes, int [N].
        seen: Appearance of each picture, N of them.
        difficulty: Says how many labels are wrong.

    Returns:
        Given classes, int [N].
    """
    chance = flip_chances(answers, seen, difficulty.noise)
    wrong = np.flatnonzero(rng.random(len(answers)) < chance)
    given = answers.copy()
    given[wrong] = [seen[index].rival for index in wrong.tolist()]
    careless = wrong[rng.random(len(wrong)) < difficulty.careless]
    frequency = np.bincount(answers, minlength=NUM_CLASSES).astype(float)
    for index in careless:
        odds = np.where(np.arange(NUM_CLASSES) == answers[index], 0, frequency)
        given[index] = rng.choice(NUM_CLASSES, p=odds / odds.sum())
    return given


def flip_chances(
    answers: NDArray[np.int64], seen: Sequence[Appearance], noise: float
) -> NDArray[np.float64]:
    """Chance of a wrong label for each picture; float [N], mean close to `noise`.

    Each named class loses as many pictures as it gains from OTHER, else a rare class would
    drown in wrong labels.
    """
    temptation = np.array([appearance.temptation for appearance in seen])
    rivals = np.array([appearance.rival for appearance in seen])
    sizes = np.bincount(answers, minlength=NUM_CLASSES)
    chance = np.zeros(len(answers))
    for label in np.flatnonzero(sizes[:OTHER]):
        flips = noise / 2 * len(answers) * sizes[label] / sizes[:OTHER].sum()
        for group in (answers == label, (answers == OTHER) & (rivals == label)):
            if group.any():
                share = flips / temptation[group].sum()
                chance[group] = np.minimum(WORST, share * temptation[group])
    return chance
