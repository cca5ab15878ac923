import time

import numpy as np
import pytest
from sklearn.metrics import f1_score

from model.decision import apply_offsets, cross_fitted_score, fit_offsets, gmean_f1_of
from model.offset_search import Evidence, ascend

SHARES = np.array([33, 25, 1.5, 12, 100]) / 171.5


def draw(num_examples: int, seed: int = 0, shares: np.ndarray = SHARES, signal: float = 1.5):
    """Labels and exact posteriors p(class | x): x is normal around the class's own corner."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(shares), num_examples, p=shares)
    x = rng.normal(size=(num_examples, len(shares)))
    x[np.arange(num_examples), labels] += signal
    posterior = np.exp(signal * x) * shares
    return posterior / posterior.sum(axis=1, keepdims=True), labels


def smoothed(log_probs, labels, weights, offsets) -> float:
    """The objective, written out class by class."""
    predictions = np.argmax(log_probs + offsets, axis=1)
    total = 0.0
    for name in range(log_probs.shape[1]):
        hits = weights[(labels == name) & (predictions == name)].sum()
        wrong = weights[(labels != name) & (predictions == name)].sum()
        missed = weights[(labels == name) & (predictions != name)].sum()
        total += np.log((2 * hits + 1) / (2 * hits + wrong + missed + 2))
    return total / log_probs.shape[1]


def evidence_of(pred_probs, labels, weights=None) -> Evidence:
    weights = np.ones(len(labels)) if weights is None else weights
    return Evidence(np.ascontiguousarray(np.log(pred_probs).T), labels, weights)


@pytest.mark.parametrize("seed", range(6))
def test_no_change_of_one_offset_improves_on_the_ascent(seed):
    rng = np.random.default_rng(seed)
    pred_probs, labels = draw(60, seed, shares=np.array([0.6, 0.3, 0.1]), signal=0.8)
    weights = rng.uniform(0.2, 1, 60)
    evidence = evidence_of(pred_probs, labels, weights)
    offsets = ascend(evidence)
    best = evidence.score(offsets)
    assert best == pytest.approx(smoothed(np.log(pred_probs), labels, weights, offsets), abs=1e-12)
    for name in range(3):
        for change in np.arange(-6, 6, 0.01):
            moved = offsets + change * (np.arange(3) == name)
            assert smoothed(np.log(pred_probs), labels, weights, moved) <= best + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_the_ascent_comes_close_to_the_best_point_of_a_whole_grid(seed):
    pred_probs, labels = draw(300, seed, shares=np.array([0.7, 0.25, 0.05]))
    evidence = evidence_of(pred_probs, labels)
    grid = np.arange(-3, 3.01, 0.1)
    best = max(evidence.score(np.array([0, a, b])) for a in grid for b in grid)
    assert evidence.score(ascend(evidence)) >= best - 0.02


def test_an_offset_goes_no_further_than_the_examples_support():
    pred_probs = np.array([[1 - 1e-30, 1e-30], [0.6, 0.4], [0.9, 0.1]])
    offsets = ascend(evidence_of(pred_probs, np.array([0, 1, 0])))
    assert np.log(0.6 / 0.4) < offsets[1] - offsets[0] < np.log(0.9 / 0.1)


def test_the_smallest_class_is_found_at_last_also_on_new_examples():
    pred_probs, labels = draw(6000)
    unseen, truth = draw(20000, seed=1)
    offsets = fit_offsets(pred_probs, labels)
    assert offsets.dtype == np.float64
    assert offsets.mean() == pytest.approx(0, abs=1e-12)
    plain = gmean_f1_of(truth, unseen.argmax(axis=1), 5)
    assert gmean_f1_of(truth, apply_offsets(unseen, offsets), 5) > plain + 0.03


def test_offsets_for_a_rule_that_is_right_already_stay_zero():
    pred_probs, labels = draw(400, shares=np.full(4, 0.25))
    assert (fit_offsets(pred_probs, labels) == 0).all()


def test_a_known_prior_shift_is_undone():
    pred_probs, labels = draw(8000, shares=np.full(3, 1 / 3))
    bias = np.array([1.0, 0.0, -1.0])
    shifted = pred_probs * np.exp(bias)
    offsets = fit_offsets(shifted / shifted.sum(axis=1, keepdims=True), labels)
    assert offsets == pytest.approx(-bias, abs=0.25)


def test_labels_without_weight_say_nothing():
    pred_probs, labels = draw(3000)
    wrong = np.random.default_rng(2).random(3000) < 0.3
    noisy = np.where(wrong, (labels + 1) % 5, labels)
    weighted = fit_offsets(pred_probs[~wrong], labels[~wrong])
    unknown = np.where(wrong, -1, labels)
    missing = np.where(wrong[:, None], np.nan, pred_probs)
    assert (fit_offsets(pred_probs, noisy, weights=(~wrong).astype(float)) == weighted).all()
    assert (fit_offsets(pred_probs, unknown) == weighted).all()
    assert (fit_offsets(missing, noisy) == weighted).all()


def test_a_class_without_labels_does_not_disturb_the_others():
    pred_probs, labels = draw(2000, shares=np.array([0.7, 0.25, 0.05]))
    wider = np.column_stack([pred_probs, np.full(2000, 1e-9)])
    offsets = fit_offsets(wider, labels)
    assert np.isfinite(offsets).all()
    assert (apply_offsets(wider, offsets) == apply_offsets(pred_probs, offsets[:3])).all()


def test_impossible_classes_are_survived():
    pred_probs, labels = draw(500)
    certain = np.eye(5)[pred_probs.argmax(axis=1)]
    assert np.isfinite(fit_offsets(certain, labels)).all()


def test_answers_without_offsets_are_the_most_probable_classes():
    pred_probs, _ = draw(1000)
    assert (apply_offsets(pred_probs, np.zeros(5)) == pred_probs.argmax(axis=1)).all()
    assert apply_offsets(np.array([[0.6, 0.4]]), np.array([0.0, 0.5])) == [1]
    with pytest.raises(ValueError, match="is NaN"):
        apply_offsets(np.array([[0.5, np.nan]]), np.zeros(2))


def test_the_score_is_the_geometric_mean_of_scikit_learn_s_f1():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 4, (2, 200))
    weights = rng.random(200)
    expected = [
        f1_score(labels, predictions, labels=[k], average="macro", sample_weight=weights)
        for k in range(4)
    ]
    assert gmean_f1_of(labels, predictions, 4, weights=weights) == pytest.approx(
        np.exp(np.log(expected).mean())
    )
    assert gmean_f1_of(np.array([0, 1, -1]), np.array([0, 1, 0]), 2) == 1.0
    assert gmean_f1_of(np.array([0, 1]), np.array([0, 0]), 2) == 0.0


def test_the_cross_fitted_score_never_fits_on_what_it_reports():
    rng = np.random.default_rng(3)
    pred_probs = rng.dirichlet(np.ones(4), 120)  # Says nothing about the labels.
    labels, folds = np.arange(120) % 4, rng.permutation(120) % 5
    seen = gmean_f1_of(labels, apply_offsets(pred_probs, ascend_offsets(pred_probs, labels)), 4)
    assert cross_fitted_score(pred_probs, labels, folds) < seen
    expected = np.zeros(120, dtype=int)
    for fold in range(5):
        offsets = fit_offsets(pred_probs[folds != fold], labels[folds != fold])
        expected[folds == fold] = apply_offsets(pred_probs[folds == fold], offsets)
    assert cross_fitted_score(pred_probs, labels, folds) == gmean_f1_of(labels, expected, 4)


def ascend_offsets(pred_probs, labels):
    return ascend(evidence_of(pred_probs, labels))


def test_examples_outside_the_folds_take_no_part():
    pred_probs, labels = draw(900)
    folds = np.arange(900) % 3
    inside = np.arange(900) < 600
    assert cross_fitted_score(pred_probs, labels, np.where(inside, folds, -1)) == (
        cross_fitted_score(pred_probs[:600], labels[:600], folds[:600])
    )
    with pytest.raises(ValueError, match="two folds"):
        cross_fitted_score(pred_probs, labels, np.zeros(900, dtype=int))


@pytest.mark.parametrize(
    ("pred_probs", "labels", "weights", "message"),
    [
        (np.ones((2, 1)), [0, 0], None, "K >= 2"),
        (np.ones((2, 2)), [0], None, "equally long"),
        (np.ones((2, 2)), [0, 2], None, "Label 2"),
        (np.ones((2, 2)), [0, 1], [1.0, -1.0], ">= 0"),
        (np.ones((2, 2)), [-1, -1], None, "No example"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(pred_probs, labels, weights, message):
    with pytest.raises(ValueError, match=message):
        fit_offsets(pred_probs, np.array(labels), weights=weights)


def test_the_competition_s_size_takes_seconds():
    pred_probs, labels = draw(171_000 // 4)
    began = time.process_time()
    fit_offsets(pred_probs, labels)
    # A quarter of the 171,000 pictures and of the ten seconds that they may take.
    assert time.process_time() - began < 2.5
