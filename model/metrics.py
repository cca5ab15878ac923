"""F1 per class and its geometric mean, from a confusion matrix.

K classes, N examples. Confusion matrices of parts add up to the matrix of the whole, which is why
ranks exchange them and not scores.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL


def confusion_matrix(
    labels: NDArray[np.int64], predictions: NDArray[np.int64], num_classes: int
) -> NDArray[np.int64]:
    """Count label/prediction pairs; examples without a known label are left out.

    Args:
        labels: Given class, int [N]; UNKNOWN_LABEL is skipped.
        predictions: Predicted class, int [N], 0..K-1.
        num_classes: K.

    Returns:
        Counts, int [K, K]; rows are labels, columns predictions.
    """
    known = labels != UNKNOWN_LABEL
    pairs = labels[known] * num_classes + predictions[known]
    counts = np.bincount(pairs, minlength=num_classes**2)
    return counts.reshape(num_classes, num_classes).astype(np.int64)


def class_f1(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """F1 of each class, 0..1; float [K]. A class that neither occurs nor is predicted gets 0."""
    hits = np.diag(confusion).astype(np.float64)
    seen = confusion.sum(axis=0) + confusion.sum(axis=1)
    return np.divide(2 * hits, seen, out=np.zeros_like(hits), where=seen > 0)


def geometric_mean(scores: NDArray[np.float64]) -> float:
    """Geometric mean of scores 0..1; 0 if one of them is 0."""
    if (scores <= 0).any():
        return 0.0
    return float(np.exp(np.log(scores).mean()))
