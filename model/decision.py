"""Which class to answer: per-class offsets that serve the geometric mean of F1.

The most probable class is the best answer for accuracy. Where classes are very unequal it hardly
ever names the smallest one, whose F1 of 0 then makes the whole score 0. So the answer is
argmax_k (log p_k + o_k), with offsets o found on out-of-fold probabilities.

N examples, K classes. Numpy alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.blend import log_probs
from model.offset_search import Evidence, Floats, ascend, f1_counts

REPEATS = 4
"""Pairs of halves that a fit is averaged over."""


def fit_offsets(
    pred_probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    weights: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> Floats:
    """Find the offsets with which argmax_k (log p_k + o_k) has the best geometric mean of F1.

    The F1 is smoothed, (2 TP + 1) / (2 TP + FP + FN + 2), or a small class would dictate. The
    optimum on a few dozen examples is mostly luck, so it is sought on REPEATS pairs of random
    halves and the results are averaged. Each half also judges the offsets of its counterpart:
    where their gain over plain argmax is within one standard error, argmax stays.

    Shrinking the offsets by a factor was tried and dropped: half a correction leaves the smallest
    class unpredicted, which is the worst of all answers.

    Args:
        pred_probs: Class probabilities, float [N, K], by networks that were not trained on the
            example; a row of NaN, where there is no prediction, is left out.
        labels: Given class, int [N]; below 0 where unknown, which is left out.
        weights: How far to trust each label, float [N], >= 0: the probability that it is right, or
            1 and 0 for kept and dropped; None trusts all.
        seed: Decides the halves.

    Returns:
        Offsets, float64 [K], mean 0; all 0 where argmax stays. A class without any label is not
        searched and has no say.

    Raises:
        ValueError: If shapes or labels do not fit together, or no example is left.

    Source: Collell et al., "A simple plug-in bagging ensemble based on threshold-moving for
        classifying binary and multiclass imbalanced data", Neurocomputing 2018, for the rule;
        Bühlmann and Yu, "Analyzing bagging", Annals of Statistics 2002, for halves instead of
        bootstrap samples; Breiman et al., "Classification and regression trees", 1984, section
        3.4.3, for the one standard error.
    """
    evidence = _collect(pred_probs, labels, weights)
    argmax = np.zeros(len(evidence.log_probs))
    fits, gains = [], []
    for half in _random_halves(evidence.labels, seed):
        for learned in (half, ~half):
            offsets, rest = ascend(evidence.part(learned)), evidence.part(~learned)
            fits.append(offsets)
            gains.append(rest.score(offsets) - rest.score(argmax))
    return np.mean(fits, axis=0) if _is_more_than_noise(np.array(gains)) else argmax


def apply_offsets(pred_probs: NDArray[np.floating], offsets: Floats) -> NDArray[np.int64]:
    """Answer with argmax_k (log p_k + o_k).

    Args:
        pred_probs: Class probabilities, float [N, K].
        offsets: From `fit_offsets`, float [K]; zeros give the most probable class.

    Returns:
        Predicted class, int64 [N].

    Raises:
        ValueError: If a row holds NaN: there is nothing to answer from.
    """
    if np.isnan(pred_probs).any():
        raise ValueError("A row of pred_probs is NaN; a class needs probabilities to decide from.")
    return (log_probs(pred_probs) + offsets).argmax(axis=1).astype(np.int64)


def gmean_f1_of(
    labels: NDArray[np.integer],
    predictions: NDArray[np.integer],
    num_classes: int,
    *,
    weights: NDArray[np.floating] | None = None,
) -> float:
    """Geometric mean of the weighted F1 of all K classes, 0..1, without smoothing.

    Args:
        labels: Given class, int [N]; below 0 where unknown, which is left out.
        predictions: Predicted class, int [N], 0..K-1.
        num_classes: K.
        weights: Weight of each example, float [N], >= 0; None counts all alike.
    """
    known = labels >= 0
    weights = np.ones(len(labels)) if weights is None else weights
    hits, predicted, given = f1_counts(
        labels[known], predictions[known], num_classes, weights[known].astype(np.float64)
    )
    if (hits <= 0).any():
        return 0.0
    return float(np.exp(np.log(2 * hits / (predicted + given)).mean()))


def cross_fitted_score(
    pred_probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    folds: NDArray[np.integer],
    *,
    weights: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> float:
    """Score of the decision rule, each fold answered with offsets fitted on the other folds.

    Args:
        pred_probs: Out-of-fold probabilities, float [N, K]; rows of NaN are left out.
        labels: Given class, int [N]; below 0 is left out.
        folds: Fold of each example, int [N]; below 0 is left out.
        weights: How far to trust each label, float [N]; counts in the fit and in the score.
        seed: As for `fit_offsets`.

    Returns:
        Geometric mean of F1 over all folds together, 0..1.

    Raises:
        ValueError: If fewer than two folds hold examples, or as for `fit_offsets`.
    """
    weights = np.ones(len(labels)) if weights is None else weights
    usable = (folds >= 0) & (labels >= 0) & ~np.isnan(pred_probs).any(axis=1)
    names = np.unique(folds[usable])
    if len(names) < 2:
        raise ValueError(f"Cross-fitting needs two folds with examples; found {len(names)}.")
    predictions = np.zeros(len(labels), dtype=np.int64)
    for fold in names:
        learned, held_out = usable & (folds != fold), usable & (folds == fold)
        offsets = fit_offsets(
            pred_probs[learned], labels[learned], weights=weights[learned], seed=seed
        )
        predictions[held_out] = apply_offsets(pred_probs[held_out], offsets)
    return gmean_f1_of(
        labels[usable], predictions[usable], pred_probs.shape[1], weights=weights[usable]
    )


def _collect(
    pred_probs: NDArray[np.floating],
    labels: NDArray[np.integer],
    weights: NDArray[np.floating] | None,
) -> Evidence:
    """Check the arguments and leave out what says nothing."""
    weights = np.ones(len(labels)) if weights is None else np.asarray(weights, dtype=np.float64)
    if pred_probs.ndim != 2 or pred_probs.shape[1] < 2:
        raise ValueError(f"pred_probs must be [N, K] with K >= 2; it is {pred_probs.shape}.")
    if not len(pred_probs) == len(labels) == len(weights):
        sizes = f"{len(pred_probs)}, {len(labels)} and {len(weights)}"
        raise ValueError(f"pred_probs, labels and weights must be equally long, not {sizes}.")
    if labels.max(initial=-1) >= pred_probs.shape[1]:
        raise ValueError(f"Label {labels.max()} has no column in pred_probs {pred_probs.shape}.")
    if not (weights >= 0).all():
        raise ValueError("weights must be numbers >= 0.")
    used = (labels >= 0) & (weights > 0) & ~np.isnan(pred_probs).any(axis=1)
    if not used.any():
        raise ValueError("No example has a label, a weight above 0 and a prediction.")
    by_class = np.ascontiguousarray(log_probs(pred_probs[used]).T)
    return Evidence(by_class, labels[used].astype(np.int64), weights[used])


def _random_halves(labels: NDArray[np.int64], seed: int) -> list[NDArray[np.bool_]]:
    """Masks, bool [N], that halve every class; the odd example goes either way by chance."""
    rng = np.random.Generator(np.random.PCG64(seed))
    masks = []
    for _ in range(REPEATS):
        half = np.zeros(len(labels), dtype=bool)
        for name in np.unique(labels):
            members = rng.permutation(np.flatnonzero(labels == name))
            half[members[: (len(members) + rng.integers(2)) // 2]] = True
        masks.append(half)
    return masks


def _is_more_than_noise(gains: Floats) -> bool:
    """Whether the mean of the gains, one per half, exceeds its own standard error."""
    return bool(gains.mean() > gains.std(ddof=1) / np.sqrt(len(gains)))
