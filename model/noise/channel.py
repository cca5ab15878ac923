"""The noise channel: how a true class becomes a given label, learnt without a clean label.

N examples, K classes. A model's probabilities p, raised to a power and normalised, are the belief
about the true class. The power that predicts the given labels best is where calibration ends and
`sharpness` 1 begins: there the belief explains every given label by ambiguity and leaves no noise.
A sharper belief is surer of the true class, and what it cannot explain is laid to the channel, a
matrix P(given label | true class) that expectation maximisation fits.

Source: Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM
    algorithm", Applied Statistics 28, 1979, with one observer and the belief as the prior of each
    example; calibration: Guo et al., "On calibration of modern neural networks", ICML 2017,
    section 4.2 (arXiv:1706.04599).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.noise.inputs import Floats

Labels = NDArray[np.int64]
Matrix = NDArray[np.float64]

_FLOOR = 1e-4
"""What all probabilities of an example gain together, so that none is zero."""

_EMPTY_VOTE = 0.2
"""Part of the smallest share that a class without any vote gets, if probabilities are shares."""

_NEWTON_STEPS = 8
_EM_PASSES = 30
_NOISE_AT_START = 0.1
_PSEUDO_COUNT = 1e-3


@dataclass(frozen=True)
class Channel:
    """What is known of the labelling of one data set."""

    power: float
    """What the probabilities are raised to; calibration times sharpness."""
    floor: float
    """What each probability gains first."""
    transitions: Matrix
    """P(given label | true class), [K, K]; rows are true classes and add up to 1."""

    def posterior(self, labels: Labels, pred_probs: Floats) -> Matrix:
        """P(true class | image, given label), float [N, K]; rows add up to 1."""
        weights = _beliefs(_logs(pred_probs, self.floor), self.power)
        weights *= self.transitions.T[labels]
        return weights / weights.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class Fit:
    """A channel, and how much of the model's disagreement it lays to the labels."""

    channel: Channel
    noise: float
    """Estimated share of wrong labels, 0..1."""
    ambiguity: float
    """Estimated share of true classes that the model itself gets wrong, 0..1."""


class Calibrated:
    """A sample of labels and probabilities, brought to sharpness 1."""

    def __init__(self, labels: Labels, pred_probs: Floats) -> None:
        """Calibrate.

        Args:
            labels: Given class, int [n], ascending.
            pred_probs: Class probabilities, float [n, K].
        """
        self._labels = labels
        self._floor = _floor(pred_probs)
        self._logs = _logs(pred_probs, self._floor)
        self._power = _calibrate(labels, self._logs)

    def fit(self, sharpness: float) -> Fit:
        """Fit the channel to beliefs of this sharpness, >= 1."""
        power = self._power * sharpness
        beliefs = _beliefs(self._logs, power)
        transitions = _fit_transitions(self._labels, beliefs)
        posterior = beliefs * transitions.T[self._labels]
        posterior /= posterior.sum(axis=1, keepdims=True)
        right = posterior[np.arange(len(beliefs)), self._labels]
        return Fit(
            Channel(power, self._floor, transitions),
            noise=float(1 - right.mean()),
            ambiguity=float(1 - beliefs.max(axis=1).mean()),
        )


def _floor(pred_probs: Floats) -> float:
    """Smallest addition that makes sense of a zero.

    A network's zero is a rounded tiny number. Where probabilities are shares of votes, a zero only
    says "less than one vote".
    """
    least = _FLOOR / pred_probs.shape[1]
    if pred_probs.min() > 0:
        return least
    share = float(pred_probs.min(where=pred_probs > 0, initial=1.0))
    return max(least, _EMPTY_VOTE * share)


def _logs(pred_probs: Floats, floor: float) -> Matrix:
    return np.log(pred_probs.astype(np.float64).clip(0, None) + floor)


def _beliefs(logs: Matrix, power: float) -> Matrix:
    beliefs = logs * power
    beliefs -= beliefs.max(axis=1, keepdims=True)
    np.exp(beliefs, out=beliefs)
    beliefs /= beliefs.sum(axis=1, keepdims=True)
    return beliefs


def _calibrate(labels: Labels, logs: Matrix) -> float:
    """Power with the least cross-entropy against the given labels, 1/20..20; Newton's method."""
    own = logs[np.arange(len(logs)), labels]
    position = 0.0  # logarithm of the power
    for _ in range(_NEWTON_STEPS):
        power = np.exp(position)
        beliefs = _beliefs(logs, power)
        mean = (beliefs * logs).sum(axis=1)
        spread = ((beliefs * logs**2).sum(axis=1) - mean**2).mean()
        slope = power * (mean - own).mean()
        # Where the slope is steep against the curvature, Newton's step overshoots.
        step = slope / (power**2 * spread + abs(slope) + 1e-12)
        position = float(np.clip(position - np.clip(step, -0.7, 0.7), -3, 3))
    return float(np.exp(position))


def _fit_transitions(labels: Labels, beliefs: Matrix) -> Matrix:
    """Most likely P(given label | true class), [K, K], for beliefs of labels in ascending order."""
    num_classes = beliefs.shape[1]
    counts = np.bincount(labels, minlength=num_classes)
    present = np.flatnonzero(counts)
    starts = (np.cumsum(counts) - counts)[present]
    transitions = np.full((num_classes, num_classes), _NOISE_AT_START / (num_classes - 1))
    np.fill_diagonal(transitions, 1 - _NOISE_AT_START)
    joint = np.zeros((num_classes, num_classes))
    for _ in range(_EM_PASSES):
        weights = beliefs * transitions.T[labels]
        weights /= weights.sum(axis=1, keepdims=True)
        joint[present] = np.add.reduceat(weights, starts, axis=0)
        transitions = joint.T + _PSEUDO_COUNT
        transitions /= transitions.sum(axis=1, keepdims=True)
    return transitions
