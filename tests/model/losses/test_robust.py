import math

import pytest
import torch
from torch.nn import functional

from model.losses import (
    double_softmax_loss,
    focal_loss,
    generalized_cross_entropy,
    soft_cross_entropy,
    soft_targets,
)

torch.manual_seed(0)
LOGITS = 3 * torch.randn(16, 5)
LABELS = torch.randint(0, 5, (16,))
HOT = soft_targets(LABELS, 5, 0.0)
SOFT = soft_targets(LABELS, 5, 0.2)
FIVE_TO_ONE = torch.tensor([[math.log(5.0), 0.0]])
"""Probabilities 5/6 and 1/6."""


def gradient(loss, logits: torch.Tensor, targets: torch.Tensor, **settings: float) -> torch.Tensor:
    logits = logits.clone().requires_grad_()
    loss(logits, targets, **settings).sum().backward()
    assert logits.grad is not None
    return logits.grad


def test_double_softmax_is_torch_cross_entropy_on_probabilities():
    reference = functional.cross_entropy(LOGITS.softmax(dim=1), LABELS, reduction="none")
    assert torch.allclose(double_softmax_loss(LOGITS, HOT), reference)


def test_double_softmax_never_falls_below_its_floor():
    sure = double_softmax_loss(torch.tensor([[100.0, 0, 0, 0, 0]]), torch.eye(5)[:1])
    assert sure.item() == pytest.approx(-math.log(math.e / (math.e + 4)))


def test_focal_loss_by_hand():
    losses = focal_loss(FIVE_TO_ONE, torch.tensor([[0.75, 0.25]]), gamma=2.0)
    by_hand = 0.75 * (1 / 6) ** 2 * math.log(6 / 5) + 0.25 * (5 / 6) ** 2 * math.log(6)
    assert losses.item() == pytest.approx(by_hand)


def test_focal_loss_without_focus_is_cross_entropy():
    assert torch.allclose(focal_loss(LOGITS, SOFT, gamma=0.0), soft_cross_entropy(LOGITS, SOFT))


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_focal_loss_has_a_gradient_where_the_network_is_certain(gamma: float):
    slope = gradient(focal_loss, torch.tensor([[200.0, 0.0]]), torch.eye(2), gamma=gamma)
    assert torch.isfinite(slope).all()
    assert slope[0].abs().max() < 1.001


def test_generalized_cross_entropy_by_hand():
    losses = generalized_cross_entropy(FIVE_TO_ONE, torch.eye(2)[:1], q=0.7)
    assert losses.item() == pytest.approx((1 - (5 / 6) ** 0.7) / 0.7)
    blended = generalized_cross_entropy(FIVE_TO_ONE, torch.tensor([[0.75, 0.25]]), q=0.5)
    assert blended.item() == pytest.approx((1 - (0.75 * 5 / 6 + 0.25 / 6) ** 0.5) / 0.5)


def test_generalized_cross_entropy_ends_at_absolute_error_and_at_cross_entropy():
    absolute = 1 - LOGITS.softmax(dim=1).gather(1, LABELS[:, None])[:, 0]
    assert torch.allclose(generalized_cross_entropy(LOGITS, HOT, q=1.0), absolute, atol=1e-6)
    nearly = generalized_cross_entropy(LOGITS, HOT, q=1e-4)
    assert torch.allclose(nearly, soft_cross_entropy(LOGITS, HOT), rtol=1e-2, atol=1e-4)


def test_generalized_cross_entropy_weighs_the_gradient_by_the_power_of_the_probability():
    weights = LOGITS.softmax(dim=1).gather(1, LABELS[:, None]) ** 0.7
    ours = gradient(generalized_cross_entropy, LOGITS, HOT, q=0.7)
    assert torch.allclose(ours, weights * gradient(soft_cross_entropy, LOGITS, HOT), atol=1e-6)


def test_generalized_cross_entropy_is_finite_where_the_label_is_hopeless():
    slope = gradient(
        generalized_cross_entropy, torch.tensor([[-500.0, 500.0]]), torch.eye(2)[:1], q=0.7
    )
    assert torch.isfinite(slope).all()


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        (double_softmax_loss, {}),
        (focal_loss, {"gamma": 2.0}),
        (generalized_cross_entropy, {"q": 0.7}),
    ],
)
def test_an_unknown_label_has_no_loss_and_no_gradient(loss, settings: dict[str, float]):
    targets = torch.cat([torch.zeros(8, 5), SOFT[8:]])
    assert loss(LOGITS, targets, **settings)[:8].tolist() == [0] * 8
    slope = gradient(loss, LOGITS, targets, **settings)
    assert slope[:8].abs().max().item() == 0
    assert slope[8:].abs().sum(dim=1).min().item() > 0


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        (double_softmax_loss, {}),
        (focal_loss, {"gamma": 0.5}),
        (focal_loss, {"gamma": 2.0}),
        (generalized_cross_entropy, {"q": 0.7}),
    ],
)
def test_the_gradient_is_that_of_the_loss(loss, settings: dict[str, float]):
    # Central differences in float32, hence the coarse step and tolerance.
    step, slope = 1e-2, gradient(loss, LOGITS, SOFT, **settings)
    for column in range(5):
        shift = torch.zeros(5)
        shift[column] = step
        change = loss(LOGITS + shift, SOFT, **settings) - loss(LOGITS - shift, SOFT, **settings)
        assert torch.allclose(change / (2 * step), slope[:, column], atol=2e-3)
