import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax

from model.blend import TOWARDS_EQUAL, blend, fit_weights

MEANS = ("arithmetic", "geometric")


def draw(num_examples: int = 400, sharpness=(1.5, 1.0, 0.3), seed: int = 0):
    """Members that see the label through noise of their own, the first one best."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, num_examples)
    logits = rng.normal(size=(len(sharpness), num_examples, 3))
    for row, signal in zip(logits, sharpness, strict=True):
        row[np.arange(num_examples), labels] += signal
    return softmax(2 * logits, axis=2), labels


def value_of(pred_probs, labels, weights, mean) -> float:
    """The objective, through the blend itself."""
    blended = blend(pred_probs, weights, mean).astype(float)
    fit = np.log(blended[np.arange(len(labels)), labels]).mean()
    return fit + TOWARDS_EQUAL * np.log(weights).mean()


def test_the_means_of_two_members_by_hand():
    pred_probs = np.array([[[0.8, 0.2]], [[0.5, 0.5]]])
    assert_allclose(blend(pred_probs, [0.25, 0.75]), [[0.575, 0.425]], rtol=1e-6)
    # 0.8^(1/2) 0.5^(1/2) : 0.2^(1/2) 0.5^(1/2) = 2 : 1
    assert_allclose(blend(pred_probs, [1, 1], "geometric"), [[2 / 3, 1 / 3]], rtol=1e-6)
    assert blend(pred_probs, [1, 1]).dtype == np.float32


@pytest.mark.parametrize("mean", MEANS)
def test_rows_sum_to_one_and_a_member_of_all_the_weight_is_the_blend(mean):
    pred_probs, _ = draw()
    blended = blend(pred_probs, [0.0, 1.0, 0.0], mean)
    assert_allclose(blended, pred_probs[1], rtol=1e-5)
    assert_allclose(blend(pred_probs, [3, 2, 1], mean).sum(axis=1), 1, rtol=1e-6)
    certain = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    assert_allclose(blend(certain, [1, 1], mean), [[0.5, 0.5]], rtol=1e-6)


@pytest.mark.parametrize("mean", MEANS)
def test_absent_members_leave_their_weight_to_the_others(mean):
    pred_probs, _ = draw(4)
    pred_probs[0, 0] = pred_probs[:2, 1] = pred_probs[:, 2] = np.nan
    blended = blend(pred_probs, [0.5, 0.5, 0.0], mean)
    assert_allclose(blended[0], pred_probs[1, 0], rtol=1e-5)
    assert_allclose(blended[1], pred_probs[2, 1], rtol=1e-5)
    assert np.isnan(blended[2]).all()
    assert_allclose(blended[3], blend(pred_probs[:2, 3:], [1, 1], mean)[0], rtol=1e-5)


@pytest.mark.parametrize("mean", MEANS)
def test_fitted_weights_are_the_best_of_a_fine_grid(mean):
    pred_probs, labels = draw()
    weights = fit_weights(pred_probs, labels, mean=mean)
    assert weights.sum() == pytest.approx(1)
    grid = np.arange(0.02, 1, 0.02)
    points = [np.array([a, b, 1 - a - b]) for a in grid for b in grid if a + b < 0.995]
    values = [value_of(pred_probs, labels, point, mean) for point in points]
    assert value_of(pred_probs, labels, weights, mean) >= max(values) - 1e-5
    assert_allclose(weights, points[int(np.argmax(values))], atol=0.03)
    assert weights[0] > weights[1] > weights[2]


@pytest.mark.parametrize("mean", MEANS)
def test_fitted_weights_are_optimal_also_with_absent_members(mean):
    pred_probs, labels = draw()
    pred_probs[0, ::2] = pred_probs[1, 1::2] = np.nan
    weights = fit_weights(pred_probs, labels, mean=mean)
    best = value_of(pred_probs, labels, weights, mean)
    rng = np.random.default_rng(0)
    for _ in range(300):
        moved = weights * np.exp(0.2 * rng.normal(size=3))
        assert value_of(pred_probs, labels, moved / moved.sum(), mean) <= best + 1e-5


@pytest.mark.parametrize("mean", MEANS)
def test_equal_members_get_equal_weights(mean):
    pred_probs, labels = draw(sharpness=(1.0, 0.2))
    weights = fit_weights(pred_probs[[0, 0, 1]], labels, mean=mean)
    assert weights[0] == pytest.approx(weights[1])
    assert_allclose(fit_weights(pred_probs[[0, 0]], labels, mean=mean), [0.5, 0.5])


@pytest.mark.parametrize("mean", MEANS)
def test_fitting_gains_on_examples_it_has_not_seen(mean):
    pred_probs, labels = draw(2000, sharpness=(1.5, 0.2, 0.1, 0.0))
    weights = fit_weights(pred_probs[:, :1000], labels[:1000], mean=mean)
    unseen, truth = pred_probs[:, 1000:], labels[1000:]
    fitted, equal = blend(unseen, weights, mean), blend(unseen, [1, 1, 1, 1], mean)
    assert (fitted.argmax(axis=1) == truth).mean() > (equal.argmax(axis=1) == truth).mean() + 0.03


@pytest.mark.parametrize("mean", MEANS)
def test_labels_without_weight_say_nothing(mean):
    pred_probs, labels = draw()
    keep = np.arange(400) % 4 > 0
    expected = fit_weights(pred_probs[:, keep], labels[keep], mean=mean)
    wrong = np.where(keep, labels, (labels + 1) % 3)
    weighted = fit_weights(pred_probs, wrong, mean=mean, label_weights=keep.astype(float))
    assert_allclose(weighted, expected)
    assert_allclose(fit_weights(pred_probs, np.where(keep, labels, -1), mean=mean), expected)


def test_members_that_are_certain_and_wrong_are_survived():
    certain = np.eye(2)[np.array([[0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]])]
    for mean in MEANS:
        weights = fit_weights(certain, np.array([0, 0, 1, 1]), mean=mean)
        assert np.isfinite(weights).all()
        assert weights.argmax() == 0


@pytest.mark.parametrize(
    ("shape", "weights", "mean", "message"),
    [
        ((1, 2, 2), [1.0], "median", "'median'"),
        ((2, 2), [1.0, 1.0], "arithmetic", r"\[M, N, K\]"),
        ((2, 2, 2), [1.0], "arithmetic", "M weights"),
        ((1, 2, 2), [-1.0], "arithmetic", ">= 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(shape, weights, mean, message):
    with pytest.raises(ValueError, match=message):
        blend(np.full(shape, 0.5), weights, mean)
    with pytest.raises(ValueError, match="2 labels"):
        fit_weights(np.full((1, 3, 2), 0.5), np.array([0, 1]))
    with pytest.raises(ValueError, match="No example"):
        fit_weights(np.full((1, 2, 2), 0.5), np.array([-1, -1]))
