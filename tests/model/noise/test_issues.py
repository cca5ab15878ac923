import numpy as np
import pytest

from model.noise import confident_learning, find_label_issues, label_quality, rank_labels


def f1(flagged: np.ndarray, wrong: np.ndarray) -> float:
    return 2 * (flagged & wrong).sum() / (flagged.sum() + wrong.sum())


def auroc(scores: np.ndarray, wrong: np.ndarray) -> float:
    """Share of pairs in which the wrong label scores lower."""
    ranks = scores.argsort().argsort()
    below = (ranks[~wrong].mean() - ranks[wrong].mean()) / len(wrong)
    return 0.5 + below


STRONG = {"examples": 6000, "shares": (1,) * 6, "noise": 0.3, "strength": 5.0, "sharpness": 0.6}
WEAK = {"examples": 6000, "shares": (1,) * 6, "noise": 0.1, "strength": 1.7}


def test_of_a_strong_model_nearly_every_disagreement_is_a_wrong_label(draw_noisy):
    noisy = draw_noisy(0, **STRONG)
    flagged = find_label_issues(noisy.labels, noisy.pred_probs)
    assert f1(flagged, noisy.wrong) > 0.99


def test_of_a_weak_model_few_disagreements_are(draw_noisy):
    noisy = draw_noisy(1, **WEAK)
    flagged = find_label_issues(noisy.labels, noisy.pred_probs)
    differing = confident_learning(noisy.labels, noisy.pred_probs, filter_by="predicted_neq_given")
    assert flagged.sum() < 0.6 * differing.sum()
    assert f1(flagged, noisy.wrong) > 0.05 + f1(differing, noisy.wrong)


def test_right_labels_stay(draw_noisy):
    noisy = draw_noisy(2, **{**STRONG, "noise": 0.0})
    assert find_label_issues(noisy.labels, noisy.pred_probs).mean() < 0.005


@pytest.mark.parametrize("kind", [STRONG, WEAK])
def test_quality_ranks_at_least_as_well_as_confidence_and_margin(draw_noisy, kind):
    noisy = draw_noisy(3, **kind)
    ours = auroc(label_quality(noisy.labels, noisy.pred_probs), noisy.wrong)
    for score in ("self_confidence", "normalized_margin"):
        peer = rank_labels(noisy.labels, noisy.pred_probs, score=score)
        assert ours >= auroc(peer, noisy.wrong) - 0.002


def test_any_input_gives_a_mask_that_leaves_some_of_each_class(noisy):
    flagged = find_label_issues(noisy.labels, noisy.pred_probs)
    quality = label_quality(noisy.labels, noisy.pred_probs)
    assert flagged.shape == noisy.labels.shape
    assert set(noisy.labels[~flagged]) == set(noisy.labels)
    assert ((quality >= 0) & (quality <= 1)).all()


def test_over_confidence_does_not_matter(draw_noisy):
    noisy = draw_noisy(4, **WEAK)
    shy = noisy.pred_probs**0.5
    shy /= shy.sum(axis=1, keepdims=True)
    same = find_label_issues(noisy.labels, shy) == find_label_issues(noisy.labels, noisy.pred_probs)
    assert same.mean() > 0.99


def test_a_preference_of_the_model_for_some_classes_does_not_matter(draw_noisy):
    noisy = draw_noisy(10, **WEAK)
    partial = noisy.pred_probs * [4, 1, 1, 0.5, 1, 0.25]
    partial /= partial.sum(axis=1, keepdims=True)
    plain = find_label_issues(noisy.labels, noisy.pred_probs)
    same = find_label_issues(noisy.labels, partial) == plain
    assert same.mean() > 0.98


def test_no_class_of_a_competition_loses_half_as_many_again_as_are_wrong(draw_noisy):
    shares = np.array([33, 25, 1.5, 12, 100])
    for noise in (0.07, 0.15):
        noisy = draw_noisy(11, examples=8000, shares=shares, noise=noise, strength=2.0)
        probs = noisy.pred_probs * shares
        probs /= probs.sum(axis=1, keepdims=True)
        flagged = np.bincount(noisy.labels[find_label_issues(noisy.labels, probs)], minlength=5)
        assert (flagged <= 1.5 * np.bincount(noisy.labels[noisy.wrong], minlength=5)).all()


def test_neither_the_order_of_examples_nor_of_classes_matters(draw_noisy):
    noisy = draw_noisy(5, examples=2000, noise=0.2, strength=2.5)
    flagged = find_label_issues(noisy.labels, noisy.pred_probs)
    shuffled = np.random.default_rng(0).permutation(2000)
    moved = find_label_issues(noisy.labels[shuffled], noisy.pred_probs[shuffled])
    assert np.array_equal(moved, flagged[shuffled])
    renamed = find_label_issues(3 - noisy.labels, noisy.pred_probs[:, ::-1])
    assert np.array_equal(renamed, flagged)


def test_models_are_averaged(draw_noisy):
    first, second = draw_noisy(6, **WEAK), draw_noisy(6, **{**WEAK, "model_seed": 1})
    both = np.stack([first.pred_probs, second.pred_probs])
    flagged = find_label_issues(first.labels, both)
    assert np.array_equal(flagged, find_label_issues(first.labels, both[::-1]))
    assert np.array_equal(flagged, find_label_issues(first.labels, both.mean(axis=0)))
    alone = find_label_issues(first.labels, first.pred_probs)
    assert f1(flagged, first.wrong) > f1(alone, first.wrong)


def test_features_of_like_examples_help_a_weak_model(draw_noisy):
    noisy = draw_noisy(7, **{**WEAK, "examples": 1500})
    features = np.eye(6)[noisy.truth] + 0.3 * np.random.default_rng(0).normal(size=(1500, 6))
    alone = find_label_issues(noisy.labels, noisy.pred_probs)
    together = find_label_issues(noisy.labels, noisy.pred_probs, features=features)
    assert f1(together, noisy.wrong) > f1(alone, noisy.wrong)


def test_a_small_class_is_not_dropped_because_the_model_never_finds_it(draw_noisy):
    shares = np.array([33, 25, 1.5, 12, 100])
    noisy = draw_noisy(8, examples=8000, shares=shares, noise=0.05, strength=1.5)
    probs = noisy.pred_probs * shares
    probs /= probs.sum(axis=1, keepdims=True)
    labels = np.where(noisy.labels == 2, noisy.truth, noisy.labels)
    small = labels == 2
    flagged = find_label_issues(labels, probs)
    assert (probs.argmax(axis=1) != labels)[small].mean() > 0.95
    assert flagged[small].mean() < 0.35


def test_many_classes_with_few_examples_each_are_no_obstacle(draw_noisy):
    noisy = draw_noisy(9, examples=3000, shares=(1,) * 300, noise=0.1, strength=9.0)
    flagged = find_label_issues(noisy.labels, noisy.pred_probs.astype(np.float32))
    assert f1(flagged, noisy.wrong) > 0.8


@pytest.mark.parametrize(
    ("labels", "probs", "message"),
    [
        ([0, 1], np.zeros((0, 2, 3)), "no model"),
        ([0, 1], np.full((2, 2, 2, 2), 0.5), "must be"),
        ([0, 2], np.full((2, 2), 0.5), r"0\.\.1"),
        ([0, 1], np.array([[[1.5, -0.5], [0.5, 0.5]], [[0.5, 0.5]] * 2]), r"0\.\.1"),
    ],
)
def test_what_does_not_fit_is_named(labels, probs, message):
    with pytest.raises(ValueError, match=message):
        find_label_issues(labels, probs)


def test_where_noise_is_frequent_a_bare_disagreement_is_enough_to_flag(draw_noisy):
    noisy = draw_noisy(9, examples=6000, shares=(1,) * 6, noise=0.45, strength=2.0)
    flagged = find_label_issues(noisy.labels, noisy.pred_probs)
    differing = confident_learning(noisy.labels, noisy.pred_probs, filter_by="predicted_neq_given")
    assert f1(flagged, noisy.wrong) > f1(differing, noisy.wrong) - 0.02
