"""Coordinate ascent on the geometric mean of F1, with an exact search along each class's offset.

N examples, K classes. Numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR_POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)
"""Strengths tau of the prior correction -tau * log(share of the class) the search starts from."""
MAX_SWEEPS = 50
"""Passes over the classes; two or three are the rule."""
MIN_GAIN = 1e-9
"""Gain in the mean log F1 that is more than rounding."""


MAX_OVERSHOOT = 1.0
"""How far past the last example that it moves an offset may lie, natural log."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """Examples with a known label and a prediction."""

    log_probs: Floats
    """Float [K, N]: one class is one row, because the search works on a class at a time."""
    labels: NDArray[np.int64]
    weights: Floats

    @property
    def given(self) -> Floats:
        """Weight of each class's labels, float [K]."""
        return _totals(self.labels, self.weights, len(self.log_probs))

    def part(self, mask: NDArray[np.bool_]) -> Evidence:
        """The examples of a mask, bool [N]."""
        return Evidence(self.log_probs[:, mask], self.labels[mask], self.weights[mask])

    def score(self, offsets: Floats) -> float:
        """Mean log of the smoothed F1 over the classes that have a label."""
        predictions = (self.log_probs + offsets[:, None]).argmax(axis=0)
        counts = f1_counts(self.labels, predictions, len(offsets), self.weights)
        return float(_log_f1(*counts).mean())


def ascend(evidence: Evidence) -> Floats:
    """Coordinate ascent: set one class's offset after the other to its exact optimum."""
    given = evidence.given
    log_share = np.log((given + 1) / (given + 1).sum())
    starts = [-power * log_share * (given > 0) for power in PRIOR_POWERS]
    offsets = max(starts, key=evidence.score)
    score = evidence.score(offsets)
    for _ in range(MAX_SWEEPS):
        before = score
        for name in np.flatnonzero(given).tolist():
            offset, reached = _line_search(evidence, offsets, name)
            if reached > score + MIN_GAIN:
                offsets[name], score = offset, reached
        if score - before < MIN_GAIN:
            break
    return offsets - offsets.mean()


def _line_search(evidence: Evidence, offsets: Floats, name: int) -> tuple[float, float]:
    """Best offset of one class while the others stay, and the score it reaches.

    Example i turns to the class once its offset passes t_i = max_{j != k} (log p_ij + o_j) -
    log p_ik, and leaves its best rival. With the t_i sorted, running sums give the score between
    any two of them, so all N + 1 different outcomes are compared, in N log N.
    """
    rivals = evidence.log_probs + offsets[:, None]
    rivals[name] = -np.inf
    rival, turning = rivals.argmax(axis=0), rivals.max(axis=0) - evidence.log_probs[name]
    order = np.argsort(turning)
    turning, rival = turning[order], rival[order]
    labels, weights = evidence.labels[order], evidence.weights[order]

    others = evidence.given.copy()
    others[name] = 0  # The class itself is no rival; it has its own path.
    own = _log_f1(*_running(weights, labels == name), evidence.given[name])
    scores = own + _rivals_path(rival, labels, weights, others)
    scores[1:-1][turning[1:] <= turning[:-1]] = -np.inf  # Equal ones cannot be told apart.
    best = int(scores.argmax())
    edges = np.concatenate([[-np.inf], turning, [np.inf]])
    return _between(edges[best], edges[best + 1], offsets[name]), float(scores[best]) / len(offsets)


def _between(low: float, high: float, current: float) -> float:
    """Point between two edges, at least one of them finite, that asks for the least change.

    In the middle, but at most MAX_OVERSHOOT past the nearer edge: where examples are far apart, as
    with overconfident networks, nothing speaks for going further.
    """
    if low < current < high:
        return current
    step = min((high - low) / 2, MAX_OVERSHOOT)
    return float(low + step if low >= current else high - step)


def _running(weights: Floats, hit: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Weight of the hits and of all among the first 0, 1, ..., N examples; float [N + 1] each."""
    steps = np.zeros((2, len(weights) + 1))
    steps[0, 1:], steps[1, 1:] = weights * hit, weights
    hits, everything = steps.cumsum(axis=1)
    return hits, everything


def _rivals_path(
    rival: NDArray[np.int64], labels: NDArray[np.int64], weights: Floats, given: Floats
) -> Floats:
    """Sum of the rivals' log F1 after the first 0, 1, ..., N examples left them, float [N + 1].

    One example changes one rival only. Grouped by rival, running sums give each rival's own path;
    its steps, put back in order, add up to the path of the sum, at a cost that is free of K.
    """
    hit = labels == rival
    hits = _totals(rival, weights * hit, len(given))
    predicted = _totals(rival, weights, len(given))
    start = _log_f1(hits, predicted, given)
    # Small numbers, because numpy sorts 16-bit ones by counting.
    grouped = np.argsort(rival.astype(np.uint16 if len(given) < 2**16 else np.int64), kind="stable")
    names = rival[grouped]
    left_hits, left = (part[1:] for part in _running(weights[grouped], hit[grouped]))
    # What the rivals before this one lost, so that every group counts from 0.
    still_hits = np.maximum(np.cumsum(hits)[names] - left_hits, 0)
    still = np.maximum(np.cumsum(predicted)[names] - left, 0)
    after = _log_f1(still_hits, still, given[names])
    before = np.concatenate([[0.0], after[:-1]])
    first = np.flatnonzero(np.diff(names, prepend=-1))
    before[first] = start[names[first]]

    steps = np.empty(len(rival) + 1)
    steps[0] = start.sum()
    steps[1 + grouped] = after - before
    return steps.cumsum()


def f1_counts(
    labels: NDArray[np.integer], predictions: NDArray[np.integer], num_classes: int, weights: Floats
) -> tuple[Floats, Floats, Floats]:
    """Weight of the hits, the predictions and the labels of each class; float [K] each."""
    hits = _totals(labels, weights * (labels == predictions), num_classes)
    predicted = _totals(predictions, weights, num_classes)
    return hits, predicted, _totals(labels, weights, num_classes)


def _totals(names: NDArray[np.integer], weights: Floats, num_classes: int) -> Floats:
    """Sum of the weights of each class, float [K]."""
    return np.bincount(names, weights, num_classes).astype(np.float64)


def _log_f1(hits: Floats, predicted: Floats, given: Floats | float) -> Floats:
    """Log of the smoothed F1; 0 for a class without a label, which then has no say."""
    return (np.log(2 * hits + 1) - np.log(predicted + given + 2)) * (np.asarray(given) > 0)
