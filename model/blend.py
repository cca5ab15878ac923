"""Averages of several networks' probabilities, and the weights that suit them best.

M members, N examples, K classes. Numpy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from model.config import ARITHMETIC, GEOMETRIC

Floats = NDArray[np.float64]

TOWARDS_EQUAL = 0.01
"""Worth of equal weights, in nats per example: members that are equally good get equal weights."""
MAX_STEPS = 2000
"""Steps of the search for weights; tens are the rule."""
TOLERANCE = 1e-5
"""Nats per example below the optimum at which the search may stop."""

_Objective = Callable[[Floats], tuple[float, Floats]]
"""Value and gradient at some weights, float [M]."""


def blend(
    pred_probs: NDArray[np.floating],
    weights: NDArray[np.floating] | Sequence[float],
    mean: str = ARITHMETIC,
) -> NDArray[np.float32]:
    """Weighted mean of the members' probabilities.

    Args:
        pred_probs: Float [M, N, K]; rows of NaN where a member has no prediction.
        weights: Float [M], >= 0. Where members are absent, the others share their weight; where
            only members of weight 0 are left, these count equally.
        mean: "arithmetic", or "geometric": softmax of the weighted mean log-probabilities.

    Returns:
        Float32 [N, K]; rows sum to 1, or are NaN where no member has a prediction.

    Raises:
        ValueError: If shapes do not fit, a weight is negative, or the mean has another name.
    """
    weights = np.asarray(weights, dtype=np.float64)
    _check(pred_probs, weights, mean)
    present = _present(pred_probs)
    shares = present * weights[:, None]
    shares = np.where(shares.sum(axis=0) > 0, shares, present)
    totals = shares.sum(axis=0)
    shares = np.divide(shares, totals, out=shares.astype(np.float64), where=totals > 0)

    # One member at a time: all of them in float64 would be the largest array by far.
    mixed = np.zeros(pred_probs.shape[1:])
    for row, share in zip(pred_probs, shares, strict=True):
        values = row.astype(np.float64) if mean == ARITHMETIC else log_probs(row)
        mixed += share[:, None] * np.where(share[:, None] > 0, values, 0)
    if mean == GEOMETRIC:
        mixed = np.exp(mixed - mixed.max(axis=1, keepdims=True))
    mixed[totals == 0] = np.nan
    return (mixed / mixed.sum(axis=1, keepdims=True)).astype(np.float32)


def fit_weights(
    pred_probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    mean: str = ARITHMETIC,
    label_weights: NDArray[np.floating] | None = None,
) -> Floats:
    """Find the weights whose blend gives the labels the highest mean log-probability.

    Args:
        pred_probs: Probabilities by networks that were not trained on the example, float [M, N, K];
            rows of NaN where a member has no prediction.
        labels: Class, int [N], best after cleaning; below 0 where unknown, which is left out.
        mean: Kind of mean that the weights are for.
        label_weights: How far to trust each label, float [N], >= 0; None trusts all.

    Returns:
        Weights, float64 [M], > 0, sum 1. The objective also holds TOWARDS_EQUAL times the mean log
        weight, which keeps them equal unless the examples say otherwise.

    Raises:
        ValueError: If shapes do not fit, or no example is left.

    Source: Kivinen and Warmuth, "Exponentiated gradient versus gradient descent for linear
        predictors", Information and Computation 1997, for the steps; Jaggi, "Revisiting
        Frank-Wolfe", ICML 2013, section 2, for the gap that ends them.
    """
    members = len(pred_probs)
    _check(pred_probs, np.ones(members), mean)
    trust = np.ones(len(labels)) if label_weights is None else np.asarray(label_weights, np.float64)
    if not pred_probs.shape[1] == len(labels) == len(trust):
        raise ValueError(f"{len(labels)} labels do not fit pred_probs of {pred_probs.shape}.")
    present = _present(pred_probs)
    used = (labels >= 0) & (trust > 0) & present.any(axis=0)
    if not used.any():
        raise ValueError("No example has a label, a weight above 0 and a prediction.")
    objective = (_arithmetic if mean == ARITHMETIC else _geometric)(
        pred_probs[:, used], labels[used], trust[used] / trust[used].sum()
    )

    def regularised(weights: Floats) -> tuple[float, Floats]:
        value, gradient = objective(weights)
        pull = TOWARDS_EQUAL / members
        return value + pull * float(np.log(weights).sum()), gradient + pull / weights

    return _maximise(regularised, np.full(members, 1 / members))


def log_probs(pred_probs: NDArray[np.floating]) -> Floats:
    """Log-probabilities, float64; a probability of 0 counts as the smallest normal float32."""
    return np.log(np.maximum(pred_probs, np.finfo(np.float32).tiny, dtype=np.float64))


def _arithmetic(
    pred_probs: NDArray[np.floating], labels: NDArray[np.integer], trust: Floats
) -> _Objective:
    """Mean log of the weighted mean probability of the label; concave without absent members."""
    present = _present(pred_probs).astype(np.float64)
    own = np.nan_to_num(pred_probs[:, np.arange(len(labels)), labels].astype(np.float64))
    own = np.maximum(own, np.finfo(np.float32).tiny) * present

    def objective(weights: Floats) -> tuple[float, Floats]:
        mixed, total = weights @ own, weights @ present
        value = trust @ (np.log(mixed) - np.log(total))
        return float(value), own @ (trust / mixed) - present @ (trust / total)

    return objective


def _geometric(
    pred_probs: NDArray[np.floating], labels: NDArray[np.integer], trust: Floats
) -> _Objective:
    """Mean log-probability of the label under the softmax of the weighted mean logs.

    It is concave without absent members: a log-linear model with the weights as its parameters.
    """
    present = _present(pred_probs)
    shape, everyone = pred_probs.shape[1:], np.arange(len(labels))
    # [M, N * K], 0 where absent: everything below is then one product of matrix and vector.
    logs = np.where(present[:, :, None], log_probs(pred_probs), 0).reshape(len(present), -1)
    counted = present.astype(np.float64)

    def objective(weights: Floats) -> tuple[float, Floats]:
        total = weights @ counted
        mixed = (weights @ logs).reshape(shape) / total[:, None]
        top = mixed.max(axis=1, keepdims=True)
        norm = top[:, 0] + np.log(np.exp(mixed - top).sum(axis=1))
        value = trust @ (mixed[everyone, labels] - norm)
        # d value / d mixed is the label's indicator minus the blend.
        slope = -np.exp(mixed - norm[:, None])
        slope[everyone, labels] += 1
        slope *= (trust / total)[:, None]
        return float(value), logs @ slope.ravel() - counted @ (mixed * slope).sum(axis=1)

    return objective


def _maximise(objective: _Objective, weights: Floats) -> Floats:
    """Exponentiated gradient ascent over weights that sum to 1; the step adapts to the ground."""
    value, gradient = objective(weights)
    step = 1.0
    for _ in range(MAX_STEPS):
        # For a concave objective no point of the simplex is better by more than this gap.
        if gradient.max() - weights @ gradient < TOLERANCE:
            break
        moved = weights * np.exp(step * (gradient - gradient.max()))
        moved /= moved.sum()
        reached, slope = objective(moved)
        if reached > value:
            weights, value, gradient, step = moved, reached, slope, 1.5 * step
        else:
            step /= 2
    return weights


def _present(pred_probs: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which member has a prediction for which example, bool [M, N]."""
    return np.logical_not(np.isnan(pred_probs).any(axis=2))


def _check(pred_probs: NDArray[np.floating], weights: Floats, mean: str) -> None:
    if mean not in (ARITHMETIC, GEOMETRIC):
        raise ValueError(f'The mean is {mean!r}; give "{ARITHMETIC}" or "{GEOMETRIC}".')
    if pred_probs.ndim != 3 or weights.shape != pred_probs.shape[:1]:
        raise ValueError(
            f"pred_probs must be [M, N, K] with M weights; they are {pred_probs.shape} and "
            f"{weights.shape}."
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError("Weights must be numbers >= 0.")
