"""The built-in metrics, over files that hold one value per line."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from nsml_shim.errors import EvaluationFailed


def class_f1(labels: Sequence[str], predictions: Sequence[str]) -> dict[str, float]:
    """F1 of every class that occurs in labels or predictions.

    F1 = 2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall; 0 for a class that is
    never right.
    """
    truth, guess = Counter(labels), Counter(predictions)
    right = Counter(a for a, b in zip(labels, predictions, strict=True) if a == b)
    return {name: 2 * right[name] / (truth[name] + guess[name]) for name in truth | guess}


def geometric_mean(scores: Sequence[float]) -> float:
    """The n-th root of the product of n scores; 0 as soon as one of them is 0."""
    if not scores or min(scores) <= 0:
        return 0.0
    return math.exp(math.fsum(map(math.log, scores)) / len(scores))


def accuracy(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Share of the lines that are equal, 0..1."""
    return sum(a == b for a, b in zip(labels, predictions, strict=True)) / len(labels)


def macro_f1(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Mean of the per-class F1, 0..1."""
    scores = class_f1(labels, predictions).values()
    return math.fsum(scores) / len(scores)


def mean_squared_error(labels: Sequence[str], predictions: Sequence[str]) -> float:
    """Mean of the squared differences, 0 or more.

    Raises:
        EvaluationFailed: If a line is no number.
    """
    pairs = zip(map(_number, labels), map(_number, predictions), strict=True)
    return math.fsum((a - b) ** 2 for a, b in pairs) / len(labels)


BUILT_IN: dict[str, Callable[[Sequence[str], Sequence[str]], float]] = {
    "accuracy": accuracy,
    "f1": macro_f1,
    "mse": mean_squared_error,
}


def score_files(metric: str, labels: Path, prediction: Path) -> float:
    """Score a prediction file against a label file, line by line.

    Raises:
        EvaluationFailed: If the files differ in length, are empty, or hold something else than
            the metric needs.
    """
    expected, given = _lines(labels), _lines(prediction)
    if not expected or len(expected) != len(given):
        raise EvaluationFailed(
            f"The prediction has {len(given)} lines, the labels have {len(expected)}. "
            "infer must return one result for every item, in the order they were given."
        )
    return BUILT_IN[metric](expected, given)


def _lines(path: Path) -> list[str]:
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise EvaluationFailed(f"Expected a number, found {text!r}.") from None
