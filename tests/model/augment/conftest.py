"""Pictures with soft and hard edges, as bytes."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

SIDE = 32


@pytest.fixture
def make_images() -> Callable[..., torch.Tensor]:
    def make(count: int, side: int = SIDE) -> torch.Tensor:
        """uint8 [count, 3, side, side]; each with its own colours, none of them grey all over."""
        rng = np.random.default_rng(11)
        y, x = np.mgrid[0:side, 0:side] / side
        slopes = rng.uniform(-1, 1, size=(count, 3, 2))
        ramps = slopes[..., 0, None, None] * x + slopes[..., 1, None, None] * y
        noise = rng.uniform(-0.1, 0.1, size=ramps.shape)
        pixels = 0.5 + 0.4 * ramps + noise
        pixels[:, :, side // 4 : side // 2, side // 4 : side // 2] = rng.uniform(
            size=(count, 3, 1, 1)
        )
        return torch.from_numpy((pixels.clip(0, 1) * 255).round().astype(np.uint8))

    return make
