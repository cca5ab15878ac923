import warnings

import numpy as np
import pytest

from model.noise import FILTER_BY, confident_learning

# Mean self-confidence of class 0: (.9 + .8 + .1) / 3 = .6, of class 1: (.9 + .7 + .2) / 3 = .6.
# Example 2 (given 0) reaches the threshold of class 1, example 5 (given 1) that of class 0: the
# joint is [[2, 1], [1, 2]], one label of each class is wrong.
LABELS = np.array([0, 0, 0, 1, 1, 1])
FIRST = np.array([0.9, 0.8, 0.1, 0.1, 0.3, 0.8])
PROBS = np.stack([FIRST, 1 - FIRST], axis=1)

PRUNING_OPTIONS = (
    {"frac_noise": 0.5},
    {"min_examples_per_class": 0},
    {"min_examples_per_class": 7},
    {"min_examples_per_class": 30, "frac_noise": 0.3},
)


@pytest.mark.parametrize("filter_by", FILTER_BY)
def test_one_wrong_label_of_each_class_is_found(filter_by):
    flagged = confident_learning(LABELS, PROBS, filter_by=filter_by)
    assert np.flatnonzero(flagged).tolist() == [2, 5]


def test_an_example_that_is_sure_of_nothing_is_not_counted():
    # Probability .55 of class 1 for a third class-0 label: disagrees, but is below .6 - and lowers
    # the threshold of class 0 to (.9 + .8 + .1 + .45) / 4 = .5625, which it does not reach either.
    labels, first = np.append(LABELS, 0), np.append(FIRST, 0.45)
    probs = np.stack([first, 1 - first], axis=1)
    counted = confident_learning(labels, probs, filter_by="confident_learning")
    differing = confident_learning(labels, probs, filter_by="predicted_neq_given")
    assert np.flatnonzero(counted).tolist() == [2, 5]
    assert np.flatnonzero(differing).tolist() == [2, 5, 6]


def test_less_noise_and_more_examples_to_keep_flag_less():
    none = confident_learning(LABELS, PROBS, frac_noise=0)
    kept = confident_learning(LABELS, PROBS, min_examples_per_class=3)
    assert not none.any()
    assert not kept.any()


@pytest.mark.parametrize("filter_by", FILTER_BY)
def test_every_filter_is_cleanlab_s(noisy, filter_by):
    cleanlab = pytest.importorskip("cleanlab.filter", reason="cleanlab is not installed")
    options = [{}, *PRUNING_OPTIONS] if filter_by in FILTER_BY[:3] else [{}]
    for chosen in options:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = cleanlab.find_label_issues(
                noisy.labels, noisy.pred_probs, filter_by=filter_by, n_jobs=1, **chosen
            )
        flagged = confident_learning(noisy.labels, noisy.pred_probs, filter_by=filter_by, **chosen)
        assert np.array_equal(flagged, expected), chosen


@pytest.mark.parametrize(
    ("labels", "probs", "options", "message"),
    [
        ([0, 1, 2], [[0.5, 0.5]] * 3, {}, "0..1"),
        ([0, 0.5, 1], [[0.5, 0.5]] * 3, {}, "whole numbers"),
        ([0, 1], [[0.5, 0.5]] * 3, {}, "one label for each"),
        ([], np.zeros((0, 2)), {}, "N >= 1"),
        ([0, 0], [[1.0], [1.0]], {}, "K >= 2"),
        ([0, 1], [[np.nan, 0.5]] * 2, {}, "0..1"),
        ([0, 1], [[-3.0, 4.0]] * 2, {}, "0..1"),
        ([0, 1], [[0.5, 0.5]] * 2, {"filter_by": "luck"}, "not 'luck'"),
        ([0, 1], [[0.5, 0.5]] * 2, {"frac_noise": 2}, "frac_noise"),
        ([0, 1], [[0.5, 0.5]] * 2, {"filter_by": "both", "min_examples_per_class": -1}, ">= 0"),
        (
            [0, 1],
            [[0.5, 0.5]] * 2,
            {"filter_by": "low_self_confidence", "frac_noise": 0.5},
            "do not apply",
        ),
    ],
)
def test_what_does_not_fit_is_named(labels, probs, options, message):
    with pytest.raises(ValueError, match=message):
        confident_learning(labels, probs, **options)
