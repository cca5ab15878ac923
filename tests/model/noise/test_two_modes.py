from typing import Any

import numpy as np
import pytest
from sklearn.mixture import GaussianMixture

from model.noise.two_modes import VARIANCE_FLOOR, estimated_share, fit_two_modes


def two_groups(low: int, high: int, distance: float = 6.0) -> np.ndarray:
    rng = np.random.default_rng(3)
    return np.concatenate([rng.normal(0, 1, low), rng.normal(distance, 1.5, high)])


@pytest.mark.parametrize(("low", "high"), [(900, 100), (600, 400), (500, 500)])
def test_the_mixture_is_the_one_that_scikit_learn_finds(low, high):
    values = two_groups(low, high)
    values = (values - values.min()) / (values.max() - values.min())
    ours = fit_two_modes(values)
    theirs: Any = GaussianMixture(
        2, reg_covar=VARIANCE_FLOOR, tol=1e-9, max_iter=500, random_state=0
    ).fit(values[:, None])
    order = theirs.means_[:, 0].argsort()
    assert ours.means == pytest.approx(theirs.means_[order, 0], abs=1e-3)
    assert ours.variances == pytest.approx(theirs.covariances_[order, 0, 0], rel=0.02)
    assert ours.shares == pytest.approx(theirs.weights_[order], abs=2e-3)
    expected = theirs.predict_proba(values[:, None])[:, order[1]]
    assert np.abs(ours.posterior(values) - expected).max() < 0.02


@pytest.mark.parametrize("high", [30, 100, 300, 450])
def test_the_estimated_share_is_that_of_the_upper_group(high):
    share = estimated_share(two_groups(1000 - high, high))
    assert share == pytest.approx(high / 1000, abs=0.02)


def test_no_more_than_half_are_ever_called_wrong():
    assert estimated_share(two_groups(100, 900)) == 0.5


def test_the_far_tail_on_the_lower_side_is_not_wrong():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 0.2, 900), rng.normal(1, 3, 100)])
    assert (values < -0.7).mean() > 0.02
    assert estimated_share(values) == pytest.approx((values > 0.7).mean(), abs=0.01)


def test_equal_values_hold_nothing_wrong():
    assert estimated_share(np.full(50, 0.3)) == 0.0
