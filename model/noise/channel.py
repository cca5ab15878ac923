"""The noise channel: how a true class becomes a given label, learnt without a clean label.

N examples, K classes. Arrays in this module are [K, n], one row for each class, and hold examples
of one given class at a time: sums over a handful of classes are then many times as fast.

A model's probabilities p, weighted by class, raised to a power and normalised, are the belief about
the true class. The weights and the power that predict the given labels best are where calibration
ends and `sharpness` 1 begins: there the belief explains nearly every given label by ambiguity and
leaves little noise. A sharper belief is surer of the true class, and what it cannot explain is laid
to the channel, a matrix P(given label | true class) that expectation maximisation fits.

Source: Dawid and Skene, "Maximum likelihood estimation of observer error-rates using the EM
    algorithm", Applied Statistics 28, 1979, with one observer and the belief as the prior of each
    example; calibration: Guo et al., "On calibration of modern neural networks", ICML 2017,
    section 4.2 (arXiv:1706.04599), vector scaling with one power for all classes; class weights:
    Darroch and Ratcliff, "Generalized iterative scaling for log-linear models", Annals of
    Mathematical Statistics 43, 1972.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.noise.inputs import Floats

Labels = NDArray[np.int64]
Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_FLOOR = 1e-4
"""What all probabilities of an example gain together, so that none is zero."""

_EMPTY_VOTE = 0.2
"""Part of the smallest share that a class without any vote gets, if probabilities are shares."""

_CALIBRATION_STEPS = 16
_EM_PASSES = 30
_NOISE_AT_START = 0.1
_PSEUDO_COUNT = 1e-3


@dataclass(frozen=True)
class Channel:
    """What is known of the labelling of one data set."""

    power: float
    """What the probabilities are raised to; calibration times sharpness."""
    transitions: Matrix
    """P(given label | true class), [K, K]; rows are true classes and add up to 1."""

    def explain(self, given: int, logs: Matrix) -> tuple[Matrix, Vector]:
        """How well each true class explains one given label.

        P(true class t | image, given label) is transitions[t, given] * beliefs[t] / evidence.

        Args:
            given: Given label of all these examples, 0..K-1.
            logs: From `Scale.log_probs`, [K, n].

        Returns:
            Beliefs, [K, n], scaled so that the best class has 1; and the evidence, [n], > 0.
        """
        beliefs = scaled_beliefs(logs, self.power)
        return beliefs, self.transitions[:, given] @ beliefs


@dataclass(frozen=True)
class Fit:
    """A channel, and how much of the model's disagreement it lays to the labels."""

    channel: Channel
    noise: float
    """Estimated share of wrong labels, 0..1."""
    ambiguity: float
    """Estimated share of true classes that the model itself gets wrong, 0..1."""


@dataclass(frozen=True, eq=False)
class Scale:
    """How probabilities are read."""

    floor: float
    """What each probability gains, so that none is zero."""
    offsets: Vector
    """What the log-probability of each class gains, so that each is expected as often as given."""

    def log_probs(self, pred_probs: Floats) -> Matrix:
        """Logarithms of n examples' probabilities, raised and weighted, float [K, n]."""
        logs = _raised_logs(pred_probs, self.floor)
        logs += self.offsets[:, None]
        return logs


@dataclass(frozen=True, eq=False)
class Calibrated:
    """A sample of labels and probabilities, brought to sharpness 1."""

    labels: Labels
    """Given class, int [n], ascending."""
    logs: Matrix
    """From `Scale.log_probs`, [K, n]; examples in the order of their labels."""
    scale: Scale
    """How these probabilities were read."""
    power: float
    """What the weighted probabilities are raised to for sharpness 1."""

    @property
    def disagreement(self) -> float:
        """Share of examples for which another class is likelier than the given one, 0..1.

        The noise that beliefs of ever greater sharpness come to.
        """
        return float((self.logs.argmax(axis=0) != self.labels).mean())

    def fit(self, sharpness: float) -> Fit:
        """Fit the channel to beliefs of this sharpness, >= 1."""
        power = self.power * sharpness
        beliefs = scaled_beliefs(self.logs, power)
        beliefs /= beliefs.sum(axis=0)
        transitions, right = _fit_transitions(beliefs, self.labels)
        return Fit(
            Channel(power, transitions),
            noise=max(0.0, 1 - right / len(self.labels)),
            ambiguity=float(1 - beliefs.max(axis=0).mean()),
        )


def calibrate(labels: Labels, pred_probs: Floats) -> Calibrated:
    """Find the class weights and the power with which probabilities predict the given labels best.

    Args:
        labels: Given class, int [n], ascending.
        pred_probs: Class probabilities, float [n, K].
    """
    floor = zero_floor(pred_probs)
    logs = _raised_logs(pred_probs, floor)
    offsets, power = _calibration(labels, logs)
    logs += offsets[:, None]
    return Calibrated(labels, logs, Scale(floor, offsets), power)


def zero_floor(pred_probs: Floats) -> float:
    """Smallest addition that makes sense of a zero.

    A network's zero is a rounded tiny number. Where probabilities are shares of votes, a zero only
    says "less than one vote".
    """
    least = _FLOOR / pred_probs.shape[1]
    if pred_probs.min() > 0:
        return least
    share = float(pred_probs.min(where=pred_probs > 0, initial=1.0))
    return max(least, _EMPTY_VOTE * share)


def _raised_logs(pred_probs: Floats, floor: float) -> Matrix:
    """Logarithms of n examples' probabilities, each raised by the floor, float [K, n]."""
    raised = np.array(pred_probs.T, dtype=np.float64, order="C")
    raised.clip(0, None, out=raised)
    raised += floor
    return np.log(raised, out=raised)


def scaled_beliefs(logs: Matrix, power: float) -> Matrix:
    """Probabilities to a power, scaled so that the best class of each example has 1, [K, n]."""
    beliefs = logs - logs.max(axis=0)
    beliefs *= power
    return np.exp(beliefs, out=beliefs)


def _calibration(labels: Labels, logs: Matrix) -> tuple[Vector, float]:
    """Offsets [K] and power, 1/20..20, with the least cross-entropy against the given labels.

    Offsets by iterative scaling, which asks for no K x K matrix; the power by Newton's method.
    """
    own = (labels, np.arange(len(labels)))
    given = np.bincount(labels, minlength=len(logs))
    offsets = np.zeros(len(logs))
    position = 0.0  # logarithm of the power
    for _ in range(_CALIBRATION_STEPS):
        power = np.exp(position)
        weighted_logs = logs + offsets[:, None]
        beliefs = scaled_beliefs(weighted_logs, power)
        beliefs /= beliefs.sum(axis=0)
        # One more of each, so that a class without examples stays finite.
        offsets += np.log((given + 1) / (beliefs.sum(axis=1) + 1)) / power
        slope, curvature = _slopes(beliefs, weighted_logs, weighted_logs[own])
        # Where the slope is steep against the curvature, Newton's step overshoots.
        step = power * slope / (power**2 * curvature + abs(power * slope) + 1e-12)
        position = float(np.clip(position - np.clip(step, -0.7, 0.7), -3, 3))
    return offsets, float(np.exp(position))


def _slopes(beliefs: Matrix, logs: Matrix, own: Vector) -> tuple[float, float]:
    """First and second derivative of the mean cross-entropy with respect to the power."""
    weighted = beliefs * logs
    mean = weighted.sum(axis=0)
    spread = (weighted * logs).sum(axis=0) - mean**2
    return float((mean - own).mean()), float(spread.mean())


def _fit_transitions(beliefs: Matrix, labels: Labels) -> tuple[Matrix, float]:
    """Most likely P(given label | true class), and how many labels are right under it.

    Args:
        beliefs: P(true class | image), [K, n]; examples in the order of their labels.
        labels: Given class, int [n], ascending.

    Returns:
        Transitions, [K, K], and the expected number of right labels.
    """
    num_classes = len(beliefs)
    sizes = np.bincount(labels, minlength=num_classes)
    ends = np.cumsum(sizes)
    members = {
        int(given): np.ascontiguousarray(beliefs[:, ends[given] - sizes[given] : ends[given]])
        for given in np.flatnonzero(sizes)
    }
    transitions = np.full((num_classes, num_classes), _NOISE_AT_START / (num_classes - 1))
    np.fill_diagonal(transitions, 1 - _NOISE_AT_START)
    joint = _expect(members, transitions)
    for _ in range(_EM_PASSES):
        transitions = joint + _PSEUDO_COUNT
        transitions /= transitions.sum(axis=1, keepdims=True)
        joint = _expect(members, transitions)
    return transitions, float(joint.trace())


def _expect(members: dict[int, Matrix], transitions: Matrix) -> Matrix:
    """Expected examples of each true class (rows) and given label, [K, K]."""
    towards = np.ascontiguousarray(transitions.T)
    joint = np.zeros_like(towards)
    for given, beliefs in members.items():
        joint[given] = towards[given] * (beliefs @ (1 / (towards[given] @ beliefs)))
    return joint.T
