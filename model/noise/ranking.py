"""How plausible each given label is, from one model's probabilities.

N examples, K classes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.noise.confident import class_thresholds
from model.noise.inputs import (
    TOLERANCE,
    Floats,
    best_other_probs,
    check_inputs,
    own_probs,
    row_blocks,
)

SCORES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")


def rank_labels(
    labels: ArrayLike,
    pred_probs: ArrayLike,
    *,
    score: str = "self_confidence",
    adjust: bool = False,
) -> Floats:
    """Score how plausible each given label is; sort ascending to see the worst first.

    Args:
        labels: Given class, int [N], 0..K-1.
        pred_probs: Out-of-fold class probabilities, float [N, K], 0..1.
        score: "self_confidence": probability of the given class;
            "normalized_margin": how far it is ahead of the best other class, scaled to 0..1;
            "confidence_weighted_entropy": log(1 + r) / r for r = entropy / self-confidence.
        adjust: Take each class's mean self-confidence off its probabilities first, so that a class
            the model is seldom sure of is not suspected as a whole. Not for the entropy.

    Returns:
        Scores, [N], 0..1 in the precision of pred_probs; low is suspicious.

    Raises:
        ValueError: If shapes, classes or probabilities do not fit, or an option does not apply.

    Source: Kuan and Mueller, "Model-agnostic label quality scoring to detect real-world label
        errors", ICML 2022 DataPerf workshop.
    """
    given, probs = check_inputs(labels, pred_probs)
    if score not in SCORES:
        raise ValueError(f"score is one of {', '.join(SCORES)}, not {score!r}.")
    if adjust:
        if score == "confidence_weighted_entropy":
            raise ValueError("adjust does not apply to the entropy: it needs probabilities.")
        probs = _level_classes(given, probs)
    if score == "self_confidence":
        return own_probs(given, probs)
    if score == "normalized_margin":
        return (own_probs(given, probs) - best_other_probs(given, probs) + 1) / 2
    return _entropy_score(given, probs)


def _level_classes(labels: NDArray[np.int64], pred_probs: Floats) -> Floats:
    thresholds = class_thresholds(labels, pred_probs)
    levelled = pred_probs - thresholds
    levelled += thresholds.max()
    levelled /= levelled.sum(axis=1, keepdims=True)
    return levelled


def _entropy_score(labels: NDArray[np.int64], pred_probs: Floats) -> Floats:
    own = own_probs(labels, pred_probs).clip(TOLERANCE, None)
    entropy = np.empty_like(own)
    for block in row_blocks(pred_probs.shape):
        probs = pred_probs[block]
        logs = np.log(probs, out=np.zeros_like(probs), where=probs > 0)
        entropy[block] = -(probs * logs).sum(axis=1)
    ratio = entropy / np.log(pred_probs.shape[1]) / own
    return np.log(ratio + 1) / ratio.clip(TOLERANCE, None)
