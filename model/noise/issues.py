"""Our rule for wrong labels: no noise rate, no threshold, no clean label.

N examples, K classes, M models, D features. A disagreement between model and label is either the
model's mistake or the label's, and which of the two is more common differs from data set to data
set. The rule reads it from the probabilities themselves, in four steps:

1. Learn the noise channel (`model.noise.channel`) from beliefs of twice the calibrated sharpness.
   It splits the disagreement into noise and ambiguity.
2. Where noise outweighs ambiguity the model is strong, and its beliefs may be sharpened further:
   the sharpness grows with the odds of noise against ambiguity, and with the noise itself, since
   frequent noise also blurs the model that learnt from it.
3. The channel of that sharpness says how many labels are wrong. That many are flagged, the least
   plausible first; the ranking uses a gentler sharpness, which keeps more of what p says.
4. Every given class has a budget: the wrong labels that the channel counts there. Where a true
   class is one that the model mostly fails to recognise, that it "sees" such examples among those
   of another class is weak evidence, and counts for less.

The constants were chosen once, on the files of `python -m benchmarks.noise` and on some seventy
variants of them (other models, fewer classes, other noise); the table in docs/recipes.md shows what
they give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.noise.channel import Calibrated, Channel, Labels, Matrix
from model.noise.inputs import Floats, check_inputs, row_blocks
from model.noise.neighbours import neighbour_probs

_SAMPLE = 10_000
_SAMPLE_PER_CLASS = 50
"""The channel is fitted to that many examples: more do not change it, only take time."""

_REFERENCE_SHARPNESS = 2.0
_SHARPNESS_SCALE = 6.0
_SHARPNESS_RANGE = (1.25, 10.0)
_RANKING_SHARE = 0.3
"""Part of the additional sharpness that the ranking uses."""

_TESTIMONY_POWER = 3
"""How steeply the weight of a true class falls when the model recognises less than half of it."""


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
    sorted_rows = np.argsort(given, kind="stable")
    counting, ranking = _fit_channels(given, probs, sorted_rows)
    census = _take_census(given, probs, counting, sorted_rows)
    quality = _plausibility(given, probs, ranking)
    suspects = np.argsort(quality, kind="stable")[: census.wrong_labels]
    return _keep_budgets(given, suspects, census.budgets)


def label_quality(
    labels: ArrayLike, pred_probs: ArrayLike, *, features: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Score how plausible each given label is; sort ascending to see the worst first.

    Args:
        labels: Given class, int [N], 0..K-1.
        pred_probs: Out-of-fold class probabilities, float [N, K] or [M, N, K], 0..1, K >= 2.
        features: Embeddings, float [N, D], as in `find_label_issues`.

    Returns:
        Probability that the label is right, float [N], 0..1. It ranks examples; its sum is no
        estimate of the noise.

    Raises:
        ValueError: If shapes, classes or probabilities do not fit.
    """
    given, probs = _join_models(labels, pred_probs, features)
    _, ranking = _fit_channels(given, probs, np.argsort(given, kind="stable"))
    return _plausibility(given, probs, ranking)


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


def _fit_channels(
    labels: Labels, pred_probs: Floats, sorted_rows: NDArray[np.int64]
) -> tuple[Channel, Channel]:
    """The channel that counts wrong labels, and the gentler one that ranks them."""
    size = max(_SAMPLE, _SAMPLE_PER_CLASS * pred_probs.shape[1])
    # Every s-th example in the order of the labels: each class has its share, rare ones too.
    sample = sorted_rows[:: -(-len(labels) // size)]
    calibrated = Calibrated(labels[sample], pred_probs[sample])
    reference = calibrated.fit(_REFERENCE_SHARPNESS)
    sharpness = _choose_sharpness(reference.noise, reference.ambiguity)
    ranking_sharpness = 1 + _RANKING_SHARE * (sharpness - 1)
    return calibrated.fit(sharpness).channel, calibrated.fit(ranking_sharpness).channel


def _choose_sharpness(noise: float, ambiguity: float) -> float:
    """Sharpness that the split of the disagreement at the reference sharpness allows."""
    odds = noise / max(ambiguity, 1e-9)
    return float(np.clip(_SHARPNESS_SCALE * odds**1.5 * noise**0.5, *_SHARPNESS_RANGE))


@dataclass(frozen=True)
class _Census:
    """What the channel counts in the whole data set."""

    wrong_labels: int
    budgets: NDArray[np.int64]
    """How many labels of each given class may be flagged, int [K]."""


def _take_census(
    labels: Labels, pred_probs: Floats, channel: Channel, sorted_rows: NDArray[np.int64]
) -> _Census:
    num_classes = pred_probs.shape[1]
    joint = np.zeros((num_classes, num_classes))  # given class, true class
    recognised = np.zeros(num_classes)
    for block in row_blocks(pred_probs.shape):
        rows = sorted_rows[block]
        posterior = channel.posterior(labels[rows], pred_probs[rows])
        present, starts = np.unique(labels[rows], return_index=True)
        joint[present] += np.add.reduceat(posterior, starts, axis=0)
        best = pred_probs[rows].argmax(axis=1)
        recognised += np.bincount(best, posterior[np.arange(len(rows)), best], num_classes)
    wrong = joint.sum() - joint.trace()
    return _Census(round(wrong), _budgets(joint, recognised))


def _budgets(joint: Matrix, recognised: Matrix) -> NDArray[np.int64]:
    """Wrong labels of each given class, true classes weighted by what they testify.

    Args:
        joint: Estimated examples by given class (rows) and true class, [K, K].
        recognised: Estimated examples of each true class that the model puts there, [K].

    Returns:
        Budgets, int [K], below the number of examples of the class.
    """
    share = recognised / np.maximum(joint.sum(axis=0), 1e-9)
    seen, missed = share**_TESTIMONY_POWER, (1 - share).clip(0, None) ** _TESTIMONY_POWER
    testimony = seen / (seen + missed)
    moved = joint * testimony
    np.fill_diagonal(moved, 0)
    sizes = joint.sum(axis=1).round().astype(np.int64)
    return np.minimum(moved.sum(axis=1).round().astype(np.int64), np.maximum(sizes - 1, 0))


def _plausibility(labels: Labels, pred_probs: Floats, channel: Channel) -> NDArray[np.float64]:
    """P(the given label is right), float [N]."""
    right = np.empty(len(labels))
    for block in row_blocks(pred_probs.shape):
        posterior = channel.posterior(labels[block], pred_probs[block])
        right[block] = posterior[np.arange(len(posterior)), labels[block]]
    return right


def _keep_budgets(
    labels: Labels, suspects: NDArray[np.int64], budgets: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Flag suspects, the most suspicious first, as far as the budget of their class reaches."""
    flagged = np.zeros(len(labels), bool)
    by_class = suspects[np.argsort(labels[suspects], kind="stable")]
    classes = labels[by_class]
    rank = np.arange(len(by_class)) - np.searchsorted(classes, classes)
    flagged[by_class[rank < budgets[classes]]] = True
    return flagged
