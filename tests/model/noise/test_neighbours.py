import numpy as np
import pytest

from model.noise.neighbours import neighbour_probs

ANGLES = np.radians([0, 1, 2, 90, 91, 92])
FEATURES = np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
LABELS = np.array([0, 0, 1, 1, 1, 1])


def test_the_nearest_vote_and_nobody_for_himself():
    shares = neighbour_probs(LABELS, FEATURES, num_classes=3, neighbours=2)
    expected = [[0.5, 0.5, 0], [0.5, 0.5, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]
    assert shares.tolist() == expected


def test_length_does_not_matter():
    longer = FEATURES * np.array([[1], [9], [2], [7], [1], [3]])
    shares = neighbour_probs(LABELS, FEATURES, num_classes=2, neighbours=2)
    assert np.array_equal(shares, neighbour_probs(LABELS, longer, num_classes=2, neighbours=2))


def test_where_there_are_few_all_vote():
    shares = neighbour_probs(LABELS, FEATURES, num_classes=2)
    assert shares[0].tolist() == [0.2, 0.8]


def test_blocks_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    labels, features = rng.integers(0, 3, 50), rng.normal(size=(50, 4))
    whole = neighbour_probs(labels, features, num_classes=3)
    monkeypatch.setattr("model.noise.neighbours._BLOCK_VALUES", 7 * 50)
    assert np.array_equal(neighbour_probs(labels, features, num_classes=3), whole)


@pytest.mark.parametrize("features", [FEATURES[:4], FEATURES[0], FEATURES * np.nan])
def test_features_that_do_not_fit_are_named(features):
    with pytest.raises(ValueError, match="features must be"):
        neighbour_probs(LABELS, features, num_classes=2)
