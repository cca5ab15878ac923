import numpy as np
import pytest
import torch

from model.config import LOSSES, Recipe
from model.losses import (
    LossFunction,
    bi_tempered_loss,
    build_loss,
    focal_loss,
    generalized_cross_entropy,
    soft_cross_entropy,
    soft_targets,
)

torch.manual_seed(0)
INDICES = torch.arange(12)
LOGITS = torch.randn(12, 3)
TARGETS = soft_targets(INDICES % 3, 3, 0.1)


def built(**settings: float | str) -> LossFunction:
    return build_loss(
        Recipe(**settings),  # pyright: ignore[reportArgumentType]
        class_counts=np.array([10, 5, 1]),
        num_examples=12,
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("name", LOSSES)
def test_every_named_loss_learns_the_known_and_leaves_the_unknown(name: str):
    logits = LOGITS.clone().requires_grad_()
    targets = TARGETS * (INDICES > 0)[:, None]
    losses = built(loss=name)(logits, targets, INDICES, epoch=0)
    losses.sum().backward()
    assert losses.shape == (12,)
    assert losses.dtype == torch.float32
    assert losses[0].item() == 0
    assert logits.grad is not None
    assert logits.grad[0].abs().max().item() == 0
    assert logits.grad[1:].abs().sum(dim=1).min().item() > 0


def test_the_recipe_sets_the_exponents_and_temperatures():
    for settings, expected in [
        ({"loss": "cross_entropy"}, soft_cross_entropy(LOGITS, TARGETS)),
        ({"loss": "focal", "focal_gamma": 1.5}, focal_loss(LOGITS, TARGETS, 1.5)),
        ({"loss": "gce", "gce_q": 0.4}, generalized_cross_entropy(LOGITS, TARGETS, 0.4)),
        (
            {"loss": "bi_tempered", "bi_tempered_t1": 0.3, "bi_tempered_t2": 2.0},
            bi_tempered_loss(LOGITS, TARGETS, 0.3, 2.0),
        ),
    ]:
        assert torch.equal(built(**settings)(LOGITS, TARGETS, INDICES, epoch=0), expected), settings


def test_the_recipe_sets_how_early_learning_remembers():
    forgetful = built(loss="elr", elr_memory=0.0, elr_strength=2.0)
    losses = forgetful(LOGITS, TARGETS, INDICES, epoch=0)
    probs = LOGITS.softmax(dim=1)
    expected = soft_cross_entropy(LOGITS, TARGETS) + 2 * torch.log(1 - (probs**2).sum(dim=1))
    assert torch.allclose(losses, expected, atol=1e-5)
    assert forgetful.tensors().keys() == {"targets"}


def test_negative_learning_weighs_classes_by_rarity():
    even = build_loss(
        Recipe(loss="negative"),
        class_counts=np.array([7, 7, 7]),
        num_examples=12,
        device=torch.device("cpu"),
    )
    targets = soft_targets(INDICES % 3, 3, 0.0)
    ratio = built(loss="negative")(LOGITS, targets, INDICES, 0) / even(LOGITS, targets, INDICES, 0)
    assert ratio.tolist() == pytest.approx([1.0, 2.0, 10.0] * 4, rel=1e-5)
