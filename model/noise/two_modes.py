"""Two overlapping groups on a line: how many losses are those of wrong labels.

N values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.noise.floor import Floats

VARIANCE_FLOOR = 5e-4
"""Added to the variance of a mode of values in 0..1, as DivideMix does: a mode is no point."""


@dataclass(frozen=True)
class TwoModes:
    """A mixture of two normal distributions on a line, the lower mean first."""

    means: Floats
    variances: Floats
    shares: Floats
    """Sum to 1."""

    def posterior(self, values: Floats) -> Floats:
        """Probability that a value comes from the upper mode, float [N]."""
        squares = (values[:, None] - self.means) ** 2 / self.variances
        logs = np.log(self.shares) - 0.5 * (squares + np.log(self.variances))
        return 1 / (1 + np.exp(np.clip(logs[:, 0] - logs[:, 1], -700, 700)))


def fit_two_modes(values: Floats, *, iterations: int = 200, tolerance: float = 1e-8) -> TwoModes:
    """Maximum likelihood by expectation-maximisation, from the halves around the mid-range.

    Args:
        values: Float [N].
        iterations: Most rounds of it.
        tolerance: Change of the means below which it ends.

    Source: Li et al., "DivideMix", ICLR 2020, section 3.1. arXiv:2002.07394
    """
    upper = (values > (values.min() + values.max()) / 2).astype(np.float64)
    modes = _modes_of(values, upper)
    for _ in range(iterations):
        before, modes = modes, _modes_of(values, modes.posterior(values))
        if np.abs(modes.means - before.means).max() < tolerance:
            break
    return modes


def _modes_of(values: Floats, upper: Floats) -> TwoModes:
    """The modes, given how much of each value belongs to the upper one."""
    parts = np.stack([1 - upper, upper])
    mass = parts.sum(axis=1) + 1e-9
    means = parts @ values / mass
    spread = (parts * (values - means[:, None]) ** 2).sum(axis=1) / mass
    return TwoModes(means, spread + VARIANCE_FLOOR, mass / mass.sum())


def estimated_share(suspicion: Floats, *, most: float = 0.5) -> float:
    """Share of wrong labels, from the two modes of a suspicion.

    Args:
        suspicion: Float [N], high is suspicious.
        most: Largest answer: beyond it the upper mode is not the wrong labels.

    Returns:
        Share of the values that rather belong to the upper mode, 0..`most`; 0 if all are equal.
    """
    spread = suspicion.max() - suspicion.min()
    if not spread > 0:
        return 0.0
    values = (suspicion - suspicion.min()) / spread
    modes = fit_two_modes(values)
    # The wider mode also claims the far tail on the other side; those are no wrong labels.
    high = (modes.posterior(values) > 0.5) & (values > modes.means[0])
    return min(most, float(high.mean()))
