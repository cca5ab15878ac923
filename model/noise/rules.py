"""Rules that turn what was seen of an example into a label to keep, to change or to drop.

Numbers in, numbers out: no network, no platform. Every rule judges the *given* label, and every
score is low where the label is suspicious. N examples, K classes, E epochs, R rounds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.noise.floor import Floats, Labels, Mask, Measured, within_budget
from model.noise.record import DROPPED


def running_average(history: Sequence[Measured], decay: float) -> Floats:
    """Exponential average of the predictions of several rounds, corrected for its start at zero.

    z <- b z + (1 - b) q, divided by 1 - b^R, weights round r of R by b^(R - r); so it is computed.

    Args:
        history: Predictions of each round, R arrays of one shape, the oldest first.
        decay: b, 0..1; 0 is the last round alone.

    Returns:
        Average, of the same shape.

    Source: Nguyen et al., "SELF: Learning to filter noisy labels with self-ensembling", ICLR 2020.
        arXiv:1910.01842
    """
    weights = decay ** np.arange(len(history), dtype=np.float64)[::-1]
    total = np.zeros(history[0].shape)
    for weight, probs in zip(weights / weights.sum(), history, strict=True):
        total += weight * probs
    return total


def label_margins(labels: Labels, probs: Measured) -> Floats:
    """Probability of the given class minus the largest other one, float [N], -1..1.

    Args:
        labels: Given class, int [N], 0..K-1.
        probs: Class probabilities, float [N, K].
    """
    rows = np.arange(len(labels))
    others = np.array(probs, dtype=np.float64)
    own = others[rows, labels]
    others[rows, labels] = -np.inf
    return own - others.max(axis=1)


def agreement(
    labels: Labels, probs: Measured, *, softness: float = 1.0, prior: Floats | None = None
) -> Mask:
    """Keep a label that the prediction agrees with.

    Args:
        labels: Given class, int [N], 0..K-1.
        probs: Class probabilities, float [N, K].
        softness: c; a label is kept from c times the largest probability on. 1 is the paper's
            rule, that the given class be the most probable one.
        prior: Share of each class, float [K], > 0: probabilities are divided by it first, so that
            rare classes are not outvoted by being rare. None leaves them.

    Returns:
        True where the label is kept, bool [N].

    Source: Nguyen et al., arXiv:1910.01842, section 3.
    """
    scaled = np.asarray(probs, dtype=np.float64) / (1.0 if prior is None else prior)
    return scaled[np.arange(len(labels)), labels] >= softness * scaled.max(axis=1)


def relearning_loss(losses: Measured) -> Floats:
    """Mean over the epochs of the loss above the epoch's own mean.

    Args:
        losses: Float [E, N]; NaN where an example was not visited.

    Returns:
        Float [N], high is suspicious; NaN for an example that no epoch visited.

    Source: Huang et al., "O2U-Net", ICCV 2019, equation 4.
    """
    return mean_over_epochs(losses - np.nanmean(losses, axis=1, keepdims=True))


def mean_over_epochs(values: Measured, last: int | None = None) -> Floats:
    """Mean over the epochs that visited an example: AUM of margins, cartography of confidences.

    Args:
        values: Float [E, N]; NaN where not visited.
        last: Epochs at the end that count; None counts all.

    Returns:
        Float [N]; NaN for an example that none of them visited.
    """
    counted = np.asarray(values if last is None else values[-last:], dtype=np.float64)
    seen = ~np.isnan(counted)
    visits = seen.sum(axis=0)
    sums = np.where(seen, counted, 0.0).sum(axis=0)
    return np.divide(sums, visits, out=np.full(len(visits), np.nan), where=visits > 0)


def lowest_share(scores: Floats, share: float) -> Mask:
    """The given share of the examples with the lowest scores, bool [N]; ties by position."""
    chosen = np.zeros(len(scores), dtype=bool)
    chosen[np.argsort(scores, kind="stable")[: round(share * len(scores))]] = True
    return chosen


def selective(labels: Labels, confidences: Floats, threshold: float) -> Labels:
    """Labels whose confidence exceeds a threshold; the others are dropped.

    SelNL takes 1 / K, SelPL and the final decision 0.5.

    Args:
        labels: Given class, int [N].
        confidences: Mean probability of the given class, float [N]; NaN drops nothing.
        threshold: 0..1.

    Source: Kim et al., "NLNL: Negative learning for noisy labels", ICCV 2019. arXiv:1908.07387
    """
    return np.where(confidences <= threshold, DROPPED, labels)


def fake_sets(
    pool: Labels, *, num_examples: int, num_classes: int, rng: np.random.Generator
) -> tuple[Labels, Labels]:
    """Two disjoint sets of examples to show as an extra class.

    Each is 1 / (K + 1) of the examples, so that the extra class is as large as an average one; or
    half of the pool, if that is less.

    Args:
        pool: Positions to draw from, int [P].
        num_examples: N, examples of the training that will show them.
        num_classes: K.
        rng: Draws them.

    Returns:
        Positions of each set, ascending.

    Source: Pleiss et al., "Identifying mislabeled data using the area under the margin ranking",
        NeurIPS 2020, section 3.2. arXiv:2001.10528
    """
    size = min(num_examples // (num_classes + 1), len(pool) // 2)
    drawn = rng.permutation(pool)
    return np.sort(drawn[:size]), np.sort(drawn[size : 2 * size])


def fake_class_threshold(fake_margins: Floats, percentile: float = 99.0) -> float:
    """Area under the margin below which a label looks like a wrong one.

    Args:
        fake_margins: Areas of the examples that were shown as the extra class; NaN, of one that
            no epoch visited, is left out.
        percentile: Share of them, in percent, that the threshold catches, 0..100.

    Source: Pleiss et al., arXiv:2001.10528, section 3.2.
    """
    return float(np.nanpercentile(fake_margins, percentile))


def self_training_labels(
    labels: Labels, probs: Measured, *, drop_share: float = 0.05
) -> tuple[Labels, Mask]:
    """Keep, change or drop each label after a teacher's prediction.

    In each *predicted* class the least confident are dropped; of the rest a label stays if it is
    the predicted one, becomes the predicted one if the confidence exceeds the mean of that class,
    and is dropped otherwise.

    Args:
        labels: Given class, int [N], 0..K-1.
        probs: The teacher's probabilities, float [N, K].
        drop_share: Share of each predicted class that is dropped, 0..1.

    Returns:
        Label to learn, int [N], DROPPED where there is none; and which belonged to the least
        confident, bool [N].

    Source: the second-placed team of the review-image task, from its published description.
    """
    predicted, confidence = probs.argmax(axis=1), probs.max(axis=1).astype(np.float64)
    sizes = np.bincount(predicted, minlength=probs.shape[1])
    everyone = np.ones(len(labels), dtype=bool)
    budget = np.floor(drop_share * sizes).astype(np.int64)
    unsure = within_budget(predicted, everyone, confidence, budget)
    means = np.bincount(predicted, confidence, minlength=len(sizes)) / sizes.clip(min=1)
    trusted = (predicted == labels) | (confidence > means[predicted])
    return np.where(trusted & ~unsure, predicted, DROPPED).astype(np.int64), unsure
