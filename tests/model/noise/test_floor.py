import numpy as np
import pytest

from model.noise.floor import Floor, expected_errors, keep_floor, within_budget
from model.noise.record import DROPPED


def test_expected_errors_add_up_the_doubt_of_each_given_class():
    labels = np.array([0, 0, 0, 1])
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.9, 0.1]], dtype=np.float32)
    # 0.1 + 0.8 + 0.5 = 1.4 and 0.9, rounded down.
    assert expected_errors(labels, probs).tolist() == [1, 0]


def test_calibrated_probabilities_expect_as_many_errors_as_there_are():
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.ones(3), size=20_000)
    truth = np.array([rng.choice(3, p=row) for row in probs[:5000]])
    given = np.array([rng.choice(3, p=row) for row in probs[:5000]])
    # Both are drawn from p, so given is right with probability p[given].
    found = expected_errors(given, probs[:5000])
    wrong = np.bincount(given[given != truth], minlength=3)
    assert found == pytest.approx(wrong, rel=0.1)


def test_a_budget_takes_the_lowest_scores_of_its_class():
    labels = np.array([0, 0, 0, 1, 1, 1])
    flagged = np.array([True, True, True, True, True, False])
    scores = np.array([0.3, 0.1, 0.2, 0.5, 0.4, 0.0])
    taken = within_budget(labels, flagged, scores, np.array([2, 1]))
    assert taken.tolist() == [False, True, True, False, True, False]


def test_a_budget_beyond_what_is_flagged_takes_no_more():
    labels, flagged = np.array([0, 0]), np.array([True, False])
    assert within_budget(labels, flagged, np.zeros(2), np.array([9])).tolist() == [True, False]


def test_a_budget_of_nothing_takes_nothing():
    labels, flagged = np.array([0, 1]), np.array([True, True])
    assert not within_budget(labels, flagged, np.zeros(2), np.array([0, 0])).any()


@pytest.mark.parametrize(
    ("size", "allowed"), [(10, 0), (20, 0), (30, 10), (50, 30), (100, 60), (1000, 600)]
)
def test_a_class_keeps_two_fifths_and_at_least_twenty(size, allowed):
    assert Floor().changes(np.array([size])).tolist() == [allowed]


def test_a_class_that_would_lose_too_many_gets_its_most_trusted_labels_back():
    given = np.zeros(10, dtype=np.int64)
    labels = np.array([DROPPED] * 8 + [0, 0])
    scores = np.arange(10.0)
    kept = keep_floor(given, labels, scores, Floor(max_share=0.5, min_kept=3))
    assert kept.tolist() == [DROPPED] * 5 + [0] * 5
    kept = keep_floor(given, labels, scores, Floor(max_share=0.5, min_kept=7))
    assert kept.tolist() == [DROPPED] * 3 + [0] * 7


def test_a_changed_label_counts_as_lost_to_its_class():
    given = np.array([0, 0, 1, 1])
    labels = np.array([1, 1, 1, 1])
    kept = keep_floor(given, labels, np.array([0.2, 0.1, 0.9, 0.9]), Floor(0.5, 0))
    assert kept.tolist() == [0, 1, 1, 1]
