"""Our rule for wrong labels: no noise rate, no threshold, no clean label.

N examples, K classes, M models, D features. A disagreement between model and label is either the
model's mistake or the label's, and which of the two is more common differs from data set to data
set. The rule reads it from the probabilities themselves, in four steps:

1. Calibrate the model on the given labels, and learn the noise channel (`model.noise.channel`) from
   beliefs of twice the calibrated sharpness.
2. Two signs of a strong model are read from it: of the disagreements it lays most to the labels,
   or it finds more noise than ambiguity. The clearer of the two says how sharp the model's beliefs
   may be taken: nearly 1 for a weak model, just under 2 where it is even, more for a strong one.
3. The channel of that sharpness says how many labels are wrong. That many are flagged, the least
   plausible first. A weak model ranks best by its calibrated probabilities, a strong one by its
   sharpened beliefs, so the ranking has a sharpness of its own.
4. Every given class has a budget: the wrong labels that the channel counts there. Where a true
   class is one that the model mostly fails to recognise, that it "sees" such examples among those
   of another class is weak evidence, and counts for less.

Where more than a quarter of the labels are wrong, a bare disagreement is good evidence: to the F1 a
flag pays as soon as it is right more often than half of the F1 that can be reached. So step 4 then
discounts nothing, and half of the disagreements that the channel leaves open are flagged too.

How the constants were chosen, and on which files the rule was judged, is said in docs/recipes.md.

Source of the threshold at half of the F1: Lipton et al., "Optimal thresholding of classifiers to
    maximize F1 measure", ECML PKDD 2014. arXiv:1402.1892
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.noise.channel import Channel, Fit, Labels, Matrix, Scale, Vector, calibrate
from model.noise.inputs import (
    Floats,
    best_other_probs,
    check_inputs,
    class_members,
    own_probs,
    row_blocks,
    sort_by_class,
)
from model.noise.neighbours import neighbour_probs

_SAMPLE = 10_000
_SAMPLE_PER_CLASS = 50
"""The channel is fitted to that many examples: more do not change it, only take time."""

_REFERENCE_SHARPNESS = 2.0
_SHARPNESS_SCALE = 0.78
_SHARE_POWER = 7.0
_ODDS_POWER = 2.5
"""How steeply the sharpness rises with the signs of a strong model."""
_SHARPNESS_LIMIT = 10.0
_RANKING_SCALE = 0.35

_TESTIMONY_POWER = 3
"""How steeply the weight of a true class falls when the model recognises less than half of it."""

_FREQUENT = (0.25, 0.35)
"""Share of wrong labels from which on they count as frequent, and from which on fully."""
_OPEN_SHARE = 0.5
"""Part of the disagreements beyond the counted ones that is flagged where noise is frequent."""


def find_label_issues(
    labels: ArrayLike, pred_probs: ArrayLike, *, features: ArrayLike | None = None
) -> NDArray[np.bool_]:
    """Flag labels that are probably wrong, within a budget for each given class.

    Args:
        labels: Given class, int [N], 0..K-1.
        pred_probs: Out-of-fold class probabilities, float [N, K], or [M, N, K] from M models, which
            are averaged; 0..1, K >= 2.
        features: Embeddings, float [N, D], if the labels of each example's nearest neighbours are
            to count as one more model. Takes time N * N * D.

    Returns:
        True where the label is probably wrong, bool [N]. At least one example of each class stays.

    Raises:
        ValueError: If shapes, classes or probabilities do not fit.
    """
    given, probs = _join_models(labels, pred_probs, features)
    channels = _fit_channels(given, probs)
    census = _take_census(given, probs, channels)
    suspects = _lowest(census.quality, _suspect_count(census))
    return _keep_budgets(given, suspects, _budgets(census))


def label_quality(
    labels: ArrayLike, pred_probs: ArrayLike, *, features: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Score how plausible each given label is; sort ascending to see the worst first.

    The mean of three scores that err on different data: the normalised margin, and the probability
    that the label is right under the ranking channel and under the one of twice the calibrated
    sharpness.

    Args:
        labels: Given class, int [N], 0..K-1.
        pred_probs: Out-of-fold class probabilities, float [N, K] or [M, N, K], 0..1, K >= 2.
        features: Embeddings, float [N, D], as in `find_label_issues`.

    Returns:
        Scores, float [N], 0..1; low is suspicious.

    Raises:
        ValueError: If shapes, classes or probabilities do not fit.
    """
    given, probs = _join_models(labels, pred_probs, features)
    channels = _fit_channels(given, probs)
    quality = (own_probs(given, probs) - best_other_probs(given, probs) + 1.0) / 2
    for label, rows, logs in _class_blocks(given, probs, channels.scale):
        quality[rows] += _plausibility(label, channels.ranking, logs)
        quality[rows] += _plausibility(label, channels.reference, logs)
    return quality.astype(np.float64) / 3


def _join_models(
    labels: ArrayLike, pred_probs: ArrayLike, features: ArrayLike | None
) -> tuple[Labels, Floats]:
    """Labels, and the mean of the models' probabilities [N, K], neighbours included."""
    stack = np.asarray(pred_probs)
    models = len(stack) if stack.ndim == 3 else 1
    if models == 0:
        raise ValueError("pred_probs [M, N, K] holds no model: M = 0.")
    given, probs = check_inputs(labels, stack.mean(axis=0) if stack.ndim == 3 else stack)
    if stack.ndim == 3:
        for member in stack:
            check_inputs(given, member)
    if features is not None:
        votes = neighbour_probs(given, features, num_classes=probs.shape[1])
        probs = (probs * models + votes) / (models + 1)
    return given, probs


@dataclass(frozen=True)
class _Channels:
    """The noise channel of one data set, seen at three sharpnesses."""

    counting: Channel
    ranking: Channel
    reference: Channel
    scale: Scale
    """How probabilities are read."""


def _fit_channels(labels: Labels, pred_probs: Floats) -> _Channels:
    size = max(_SAMPLE, _SAMPLE_PER_CLASS * pred_probs.shape[1])
    # Every s-th example in the order of the labels: each class has its share, rare ones too.
    sample = sort_by_class(labels)[:: -(-len(labels) // size)]
    calibrated = calibrate(labels[sample], pred_probs[sample])
    reference = calibrated.fit(_REFERENCE_SHARPNESS)
    sharpness = _choose_sharpness(reference, calibrated.disagreement)
    gentle = min(sharpness, 1 + _RANKING_SCALE * (sharpness - 1) ** 2)
    return _Channels(
        counting=calibrated.fit(sharpness).channel,
        ranking=calibrated.fit(gentle).channel,
        reference=reference.channel,
        scale=calibrated.scale,
    )


def _choose_sharpness(reference: Fit, disagreement: float) -> float:
    """Sharpness that the noise at the reference sharpness allows, given all disagreements."""
    share = 2 * reference.noise / max(disagreement, 1e-9)
    odds = reference.noise / max(reference.ambiguity, 1e-9)
    strength = max(share**_SHARE_POWER, odds**_ODDS_POWER)
    return min(1 + _SHARPNESS_SCALE * strength, _SHARPNESS_LIMIT)


def _class_blocks(
    labels: Labels, pred_probs: Floats, scale: Scale
) -> Iterator[tuple[int, NDArray[np.int64], Matrix]]:
    """Given label, positions and log-probabilities [K, n] of some examples at a time."""
    for label, inside in enumerate(class_members(labels, pred_probs.shape[1])):
        for block in row_blocks((len(inside), pred_probs.shape[1])):
            rows = inside[block]
            yield label, rows, scale.log_probs(pred_probs[rows])


@dataclass(frozen=True, eq=False)
class _Census:
    """What the channels say of the whole data set."""

    joint: Matrix
    """Expected examples of each true class (rows) and given label, [K, K]."""
    recognised: Vector
    """Expected examples of each true class for which the model puts that class first, [K]."""
    quality: Vector
    """P(the given label is right), [N]."""
    disagreements: NDArray[np.int64]
    """Examples of each given class for which the model puts another class first, int [K]."""

    @property
    def wrong_labels(self) -> int:
        """How many labels are wrong."""
        return round(self.joint.sum() - self.joint.trace())

    @property
    def frequency(self) -> float:
        """How much wrong labels count as frequent, 0..1."""
        start, full = _FREQUENT
        noise = self.wrong_labels / max(len(self.quality), 1)
        return float(np.clip((noise - start) / (full - start), 0, 1))


def _take_census(labels: Labels, pred_probs: Floats, channels: _Channels) -> _Census:
    num_classes = pred_probs.shape[1]
    joint = np.zeros((num_classes, num_classes))
    recognised = np.zeros(num_classes)
    quality = np.empty(len(labels))
    disagreements = np.zeros(num_classes, np.int64)
    for label, rows, logs in _class_blocks(labels, pred_probs, channels.scale):
        beliefs, evidence = channels.counting.explain(label, logs)
        towards = channels.counting.transitions[:, label]
        joint[:, label] += towards * (beliefs @ (1 / evidence))
        best = beliefs.argmax(axis=0)
        # The belief in the best class is scaled to 1.
        recognised += np.bincount(best, towards[best] / evidence, num_classes)
        disagreements[label] += np.count_nonzero(best != label)
        quality[rows] = _plausibility(label, channels.ranking, logs)
    return _Census(joint, recognised, quality, disagreements)


def _suspect_count(census: _Census) -> int:
    """How many labels are flagged before budgets."""
    beyond = max(0, int(census.disagreements.sum()) - census.wrong_labels)
    return census.wrong_labels + round(census.frequency * _OPEN_SHARE * beyond)


def _budgets(census: _Census) -> NDArray[np.int64]:
    """How many labels of each given class may be flagged, int [K]; at least one stays.

    These are the wrong ones, the true classes weighted by what they testify; where noise is
    frequent without the weights, and with a part of the disagreements that are left.
    """
    frequency = census.frequency
    share = census.recognised / np.maximum(census.joint.sum(axis=1), 1e-9)
    seen, missed = share**_TESTIMONY_POWER, (1 - share).clip(0, None) ** _TESTIMONY_POWER
    testimony = seen / (seen + missed)
    moved = census.joint * (testimony + frequency * (1 - testimony))[:, None]
    np.fill_diagonal(moved, 0)
    counted = moved.sum(axis=0)
    beyond = (census.disagreements - counted).clip(0, None)
    budgets = (counted + frequency * _OPEN_SHARE * beyond).round()
    sizes = census.joint.sum(axis=0).round()
    return np.minimum(budgets, (sizes - 1).clip(0, None)).astype(np.int64)


def _plausibility(label: int, channel: Channel, logs: Matrix) -> Vector:
    """P(the given label is right) of examples of one given label, float [n]."""
    beliefs, evidence = channel.explain(label, logs)
    return channel.transitions[label, label] * beliefs[label] / evidence


def _lowest(scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Positions of the `count` lowest scores, ascending; of equal ones the first."""
    if count == 0:
        return np.zeros(0, np.int64)
    candidates = np.flatnonzero(scores <= np.partition(scores, count - 1)[count - 1])
    return candidates[np.argsort(scores[candidates], kind="stable")][:count]


def _keep_budgets(
    labels: Labels, suspects: NDArray[np.int64], budgets: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Flag suspects, the most suspicious first, as far as the budget of their class reaches."""
    flagged = np.zeros(len(labels), bool)
    by_class = suspects[sort_by_class(labels[suspects])]
    classes = labels[by_class]
    rank = np.arange(len(by_class)) - np.searchsorted(classes, classes)
    flagged[by_class[rank < budgets[classes]]] = True
    return flagged
