import numpy as np
import pytest

from model.noise.record import DROPPED
from model.noise.rules import (
    agreement,
    fake_class_threshold,
    fake_sets,
    label_margins,
    lowest_share,
    mean_over_epochs,
    relearning_loss,
    running_average,
    selective,
    self_training_labels,
)

LABELS = np.array([0, 0, 1, 2])
PROBS = np.array([[0.7, 0.2, 0.1], [0.3, 0.4, 0.3], [0.5, 0.5, 0.0], [0.0, 0.1, 0.9]])


def test_the_running_average_is_the_published_recursion():
    rng = np.random.default_rng(0)
    rounds = [rng.dirichlet(np.ones(3), size=4) for _ in range(5)]
    total = np.zeros((4, 3))
    for count, probs in enumerate(rounds, start=1):
        total = 0.9 * total + 0.1 * probs
        expected = total / (1 - 0.9**count)
        assert np.allclose(running_average(rounds[:count], 0.9), expected)


def test_without_memory_the_last_round_alone_counts():
    assert running_average([PROBS, PROBS[::-1]], 0.0).tolist() == PROBS[::-1].tolist()


def test_a_margin_is_the_lead_of_the_given_class_over_the_best_other():
    assert label_margins(LABELS, PROBS).tolist() == pytest.approx([0.5, -0.1, 0.0, 0.8])


def test_judging_leaves_the_probabilities_as_they_are():
    probs = PROBS.copy()
    label_margins(LABELS, probs)
    assert probs.tolist() == PROBS.tolist()


def test_a_label_is_kept_where_it_is_the_most_probable_one():
    assert agreement(LABELS, PROBS).tolist() == [True, False, True, True]


def test_the_softer_rule_keeps_what_is_nearly_as_probable():
    assert agreement(LABELS, PROBS, softness=0.74).all()
    assert not agreement(LABELS, PROBS, softness=0.76)[1]


def test_with_the_prior_corrected_a_rare_class_is_not_outvoted():
    probs = np.array([[0.2, 0.8], [0.05, 0.95]])
    labels, prior = np.array([0, 0]), np.array([0.1, 0.9])
    assert not agreement(labels, probs).any()
    # 0.2 / 0.1 = 2 beats 0.8 / 0.9; 0.05 / 0.1 = 0.5 does not beat 0.95 / 0.9.
    assert agreement(labels, probs, prior=prior).tolist() == [True, False]


def test_a_relearning_loss_is_the_mean_excess_over_the_epoch():
    losses = np.array([[1.0, 3.0, 2.0], [10.0, 20.0, np.nan], [0.0, 0.0, 0.3]])
    # Means of the epochs: 2, 15, 0.1.
    expected = [(-1 - 5 - 0.1) / 3, (1 + 5 - 0.1) / 3, (0 + 0.2) / 2]
    assert relearning_loss(losses).tolist() == pytest.approx(expected)


def test_a_hard_epoch_weighs_no_more_than_an_easy_one_for_late_comers():
    # Seen in the hard epoch only, but there no worse than the others: not suspicious.
    losses = np.array([[9.0, 9.0], [1.0, np.nan]])
    assert relearning_loss(losses).tolist() == [0.0, 0.0]


def test_a_mean_over_epochs_skips_those_without_a_visit():
    margins = np.array([[2.0, np.nan, np.nan], [4.0, 1.0, np.nan]])
    means = mean_over_epochs(margins)
    assert means[:2].tolist() == [3.0, 1.0]
    assert np.isnan(means[2])
    assert mean_over_epochs(margins, last=1)[:2].tolist() == [4.0, 1.0]


def test_the_lowest_share_breaks_ties_by_position():
    scores = np.array([0.5, 0.1, 0.1, 0.9])
    assert lowest_share(scores, 0.25).tolist() == [False, True, False, False]
    assert lowest_share(scores, 0.0).sum() == 0


def test_selective_learning_drops_what_does_not_exceed_the_threshold():
    confidences = np.array([0.5, 0.51, 0.2, np.nan])
    assert selective(LABELS, confidences, 0.5).tolist() == [DROPPED, 0, DROPPED, 2]


def test_fake_sets_are_disjoint_and_as_large_as_an_average_class():
    pool = np.arange(100, 400)
    first, second = fake_sets(pool, num_examples=500, num_classes=4, rng=np.random.default_rng(0))
    assert len(first) == len(second) == 100
    assert len(np.union1d(first, second)) == 200
    assert np.isin(first, pool).all()
    assert np.isin(second, pool).all()
    assert (np.diff(first) > 0).all()


def test_fake_sets_share_a_pool_that_is_too_small():
    first, second = fake_sets(
        np.arange(11), num_examples=500, num_classes=4, rng=np.random.default_rng(0)
    )
    assert len(first) == len(second) == 5


def test_fake_sets_depend_on_the_generator_alone():
    def draw(seed):
        rng = np.random.default_rng(seed)
        return fake_sets(np.arange(50), num_examples=50, num_classes=4, rng=rng)[0].tolist()

    assert draw(1) == draw(1) != draw(2)


def test_the_threshold_catches_99_of_100_fakes():
    margins = np.arange(101.0)
    threshold = fake_class_threshold(margins)
    assert threshold == 99.0
    assert (margins <= threshold).sum() == 100
    assert fake_class_threshold(np.append(margins, np.nan)) == threshold


def test_self_training_drops_the_least_confident_keeps_agreement_and_changes_with_confidence():
    # Ten are predicted to be class 0; the mean of their confidences is 0.72.
    confidence = np.array([0.51, 0.6, 0.6, 0.7, 0.7, 0.75, 0.78, 0.8, 0.85, 0.91])
    probs = np.stack([confidence, 1 - confidence], axis=1)
    given = np.array([0, 0, 1, 1, 0, 1, 0, 0, 0, 1])
    labels, unsure = self_training_labels(given, probs, drop_share=0.1)
    assert unsure.tolist() == [True] + 9 * [False]
    # 1 agrees; 2 and 3 contradict without confidence; 5 and 9 contradict with it.
    assert labels.tolist() == [DROPPED, 0, DROPPED, DROPPED, 0, 0, 0, 0, 0, 0]


def test_self_training_judges_confidence_within_the_predicted_class():
    probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.4, 0.6]])
    given = np.array([0, 1, 1, 0])
    # 0.8 is below the mean of class 0 (0.85); 0.6 below that of class 1 (0.65).
    labels, _ = self_training_labels(given, probs, drop_share=0.0)
    assert labels.tolist() == [0, DROPPED, 1, DROPPED]
    # 0.7 above 0.65, and 0.9 above 0.85.
    labels, _ = self_training_labels(np.array([1, 0, 0, 1]), probs, drop_share=0.0)
    assert labels.tolist() == [0, 0, 1, 1]
