import math

import pytest
import torch

from model.losses import NegativeLearning
from model.losses.negative import complementary_classes
from model.losses.soft_targets import soft_targets

ALL = torch.arange(20_000)


def drawn(targets: torch.Tensor, epoch: int = 0) -> torch.Tensor:
    return complementary_classes(targets, 3, epoch, ALL[: len(targets)])


def test_a_complementary_class_is_any_but_the_given_one():
    labels = ALL % 5
    chosen = drawn(soft_targets(labels, 5, 0.0))
    assert not (chosen == labels).any()
    for label in range(5):
        counts = torch.bincount(chosen[labels == label], minlength=5)
        others = [count for other, count in enumerate(counts.tolist()) if other != label]
        assert others == pytest.approx([1000] * 4, rel=0.15)


def test_a_soft_target_draws_as_if_its_label_were_drawn_first():
    chosen = drawn(torch.tensor([[0.7, 0.3, 0.0]]).expand(20_000, 3))
    counts = torch.bincount(chosen, minlength=3) / 20_000
    assert counts.tolist() == pytest.approx([0.15, 0.35, 0.5], abs=0.02)


def test_the_draw_depends_on_the_example_and_the_epoch_only():
    targets = soft_targets(ALL % 5, 5, 0.0)
    assert torch.equal(drawn(targets), drawn(targets))
    assert not torch.equal(drawn(targets), drawn(targets, epoch=1))
    some = torch.tensor([17, 3, 999])
    assert torch.equal(complementary_classes(targets[some], 3, 0, some), drawn(targets)[some])


def test_the_loss_by_hand():
    # Two classes leave one complement: 1 - p of the other class is the probability of the label.
    logits = torch.tensor([[math.log(3.0), 0.0], [math.log(3.0), 0.0]])
    loss = NegativeLearning(seed=3, class_weights=torch.tensor([1.0, 4.0]))
    losses = loss(logits, torch.eye(2), torch.tensor([0, 1]), epoch=0)
    assert losses.tolist() == pytest.approx([-math.log(0.75), -4 * math.log(0.25)])


def test_the_loss_pushes_only_the_complement_down():
    torch.manual_seed(0)
    logits, labels = torch.randn(100, 5, requires_grad=True), torch.arange(100) % 5
    targets = soft_targets(labels, 5, 0.0)
    loss = NegativeLearning(seed=3, class_weights=torch.ones(5))
    loss(logits, targets, torch.arange(100), epoch=2).sum().backward()
    chosen = complementary_classes(targets, 3, 2, torch.arange(100))
    probs = logits.detach().softmax(dim=1)
    # d/da of -log(1 - p_c): p_c for c itself, -p_k p_c / (1 - p_c) for the others.
    p_c = probs.gather(1, chosen[:, None])
    expected = (-probs * p_c / (1 - p_c)).scatter(1, chosen[:, None], p_c)
    assert logits.grad is not None
    assert torch.allclose(logits.grad, expected, atol=1e-6)


def test_a_certain_complement_and_an_unknown_label_cost_no_infinity():
    loss = NegativeLearning(seed=3, class_weights=torch.ones(2))
    logits = torch.tensor([[0.0, 200.0], [0.0, 200.0]], requires_grad=True)
    losses = loss(logits, torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1]), epoch=0)
    losses.sum().backward()
    assert losses.tolist() == pytest.approx([-math.log(1e-5), 0])
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert loss.tensors() == {}
