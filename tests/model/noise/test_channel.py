import numpy as np
import pytest

from model.noise.channel import Channel, calibrate, scaled_beliefs, zero_floor

RNG = np.random.default_rng(7)


def draw(probs: np.ndarray) -> np.ndarray:
    """One class for each row of probabilities."""
    return (RNG.random((len(probs), 1)) > probs.cumsum(axis=1)).sum(axis=1)


def to_power(probs: np.ndarray, power: float) -> np.ndarray:
    return probs**power / (probs**power).sum(axis=1, keepdims=True)


def ascending(labels: np.ndarray, probs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(labels, kind="stable")
    return labels[order], probs[order]


def test_a_true_class_is_weighed_by_bayes_rule():
    channel = Channel(power=1.0, transitions=np.array([[0.9, 0.1], [0.2, 0.8]]))
    beliefs, evidence = channel.explain(1, np.log([[0.75], [0.25]]))
    # P(true 0 | image, given 1) = .75 * .1 / (.75 * .1 + .25 * .8)
    assert 0.1 * beliefs[0] / evidence == pytest.approx(0.075 / 0.275)
    assert beliefs.max() == 1


@pytest.mark.parametrize("power", [0.3, 1.0, 2.5])
def test_calibration_undoes_a_power(power):
    probs = RNG.dirichlet(np.full(4, 0.7), size=20_000).clip(1e-3)
    probs /= probs.sum(axis=1, keepdims=True)
    labels, shown = ascending(draw(probs), probs)
    fit = calibrate(labels, to_power(shown, power)).fit(1.0)
    assert fit.channel.power * power == pytest.approx(1.0, rel=0.05)


def test_calibrated_probabilities_explain_every_label():
    probs = RNG.dirichlet(np.full(4, 0.7), size=20_000)
    fit = calibrate(*ascending(draw(probs), probs)).fit(1.0)
    assert fit.noise < 0.02


def test_calibration_undoes_a_preference_for_some_classes():
    probs = RNG.dirichlet([0.2, 0.7, 2.0], size=20_000).clip(1e-3)
    probs /= probs.sum(axis=1, keepdims=True)
    labels, shown = ascending(draw(probs), probs)
    weights = np.array([5.0, 1.0, 0.3])
    biased = shown**0.5 * weights
    biased /= biased.sum(axis=1, keepdims=True)
    calibrated = calibrate(labels, biased)
    offsets = calibrated.scale.offsets
    assert calibrated.power == pytest.approx(2.0, rel=0.05)
    assert offsets - offsets.mean() == pytest.approx(
        np.log(weights).mean() - np.log(weights), abs=0.1
    )
    beliefs = scaled_beliefs(calibrated.scale.log_probs(biased), calibrated.power)
    read = (beliefs / beliefs.sum(axis=0)).T
    assert read == pytest.approx(shown, abs=0.03)


def test_a_class_without_examples_keeps_a_finite_weight():
    probs = RNG.dirichlet(np.ones(3), size=500)
    calibrated = calibrate(np.sort(RNG.integers(0, 2, 500)), probs)
    assert np.isfinite(calibrated.logs).all()
    assert calibrated.scale.offsets.argmin() == 2


def test_noise_never_exceeds_the_disagreements_it_comes_from():
    probs = RNG.dirichlet(np.full(4, 0.5), size=5_000)
    calibrated = calibrate(*ascending(draw(0.8 * probs + 0.05), probs))
    noises = [calibrated.fit(sharpness).noise for sharpness in (1, 2, 10, 1000)]
    assert noises == sorted(noises)
    assert noises[-1] == pytest.approx(calibrated.disagreement, abs=0.01)


def test_a_model_that_is_sure_of_the_true_class_shows_the_transitions():
    expected = np.array([[0.8, 0.2, 0.0], [0.0, 1.0, 0.0], [0.1, 0.3, 0.6]])
    truth = RNG.integers(0, 3, 30_000)
    sure = np.where(np.eye(3)[truth] == 1, 0.9, 0.05)
    fit = calibrate(*ascending(draw(expected[truth]), sure)).fit(10.0)
    assert fit.channel.transitions == pytest.approx(expected, abs=0.02)
    assert fit.noise == pytest.approx(0.2, abs=0.02)


def test_no_other_transitions_are_more_likely():
    truth = RNG.integers(0, 3, 5_000)
    logits = RNG.normal(size=(5_000, 3)) + 2 * np.eye(3)[truth]
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels, probs = ascending(np.where(RNG.random(5_000) < 0.2, (truth + 1) % 3, truth), probs)
    calibrated = calibrate(labels, probs)
    channel = calibrated.fit(2.0).channel
    beliefs = scaled_beliefs(calibrated.scale.log_probs(probs), channel.power)

    def likelihood(transitions: np.ndarray) -> float:
        return float(np.log((transitions.T[labels] * beliefs.T).sum(axis=1)).sum())

    best = likelihood(channel.transitions)
    for _ in range(30):
        other = (channel.transitions * np.exp(0.3 * RNG.normal(size=(3, 3)))) + 1e-3
        assert likelihood(other / other.sum(axis=1, keepdims=True)) < best + 0.5


def test_a_zero_is_a_missing_vote_where_probabilities_are_shares():
    votes = np.array([[0.95, 0.05], [1.0, 0.0]])
    network = np.array([[1 - 1e-30, 1e-30], [1.0, 0.0]])
    assert zero_floor(votes) == pytest.approx(0.01)
    assert zero_floor(network) == zero_floor(votes.clip(1e-6)) == pytest.approx(5e-5)
