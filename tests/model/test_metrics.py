from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as reference_matrix
from sklearn.metrics import f1_score

from model.metrics import class_f1, confusion_matrix, geometric_mean


@pytest.mark.parametrize("seed", range(5))
def test_f1_is_scikit_learn_s(seed):
    rng = np.random.default_rng(seed)
    labels = rng.choice(5, size=200, p=[0.19, 0.14, 0.01, 0.06, 0.6])
    predictions = np.where(rng.random(200) < 0.7, labels, rng.integers(0, 5, 200))
    confusion = confusion_matrix(labels, predictions, 5)
    assert np.array_equal(confusion, reference_matrix(labels, predictions, labels=range(5)))
    options: dict[str, Any] = {"labels": range(5), "average": None, "zero_division": 0}
    scores = f1_score(labels, predictions, **options)
    assert class_f1(confusion) == pytest.approx(scores)


def test_parts_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 5, 100), rng.integers(0, 5, 100)
    parts = [confusion_matrix(labels[i::3], predictions[i::3], 5) for i in range(3)]
    assert np.array_equal(sum(parts), confusion_matrix(labels, predictions, 5))


def test_an_unknown_label_does_not_count():
    confusion = confusion_matrix(np.array([-1, 2]), np.array([0, 2]), 3)
    assert confusion.sum() == 1


def test_one_class_that_is_never_right_brings_the_mean_to_zero():
    assert geometric_mean(np.array([0.9, 0.0, 0.9])) == 0
    assert geometric_mean(np.array([0.25, 1.0])) == pytest.approx(0.5)


def test_a_class_that_does_not_occur_scores_zero_without_a_warning():
    assert class_f1(np.diag([3, 0])).tolist() == [1, 0]
