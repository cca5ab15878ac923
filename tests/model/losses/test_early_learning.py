import math

import pytest
import torch

from model.errors import CheckpointError
from model.losses import EarlyLearning, soft_cross_entropy, soft_targets

CPU = torch.device("cpu")


def early(num_examples: int = 6, num_classes: int = 2) -> EarlyLearning:
    return EarlyLearning(
        num_examples=num_examples, num_classes=num_classes, strength=3.0, memory=0.7, device=CPU
    )


def test_two_visits_by_hand():
    loss, index, target = early(), torch.tensor([4]), torch.tensor([[0.0, 1.0]])
    three_to_one, even = torch.tensor([[math.log(3.0), 0.0]]), torch.zeros(1, 2)
    first = loss(three_to_one, target, index, 0)
    # t = 0.3 * (0.75, 0.25)
    assert loss.targets[4].tolist() == pytest.approx([0.225, 0.075])
    expected = -math.log(0.25) + 3 * math.log(1 - (0.225 * 0.75 + 0.075 * 0.25))
    assert first.item() == pytest.approx(expected, abs=1e-6)
    second = loss(even, target, index, 1)
    # t = 0.7 * (0.225, 0.075) + 0.3 * (0.5, 0.5)
    assert loss.targets[4].tolist() == pytest.approx([0.3075, 0.2025])
    assert second.item() == pytest.approx(math.log(2) + 3 * math.log(1 - 0.51 * 0.5), abs=1e-6)
    assert loss.targets[[0, 1, 2, 3, 5]].abs().max().item() == 0


def authors_loss(
    memory: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor, indices: torch.Tensor
) -> torch.Tensor:
    """The published formula, written out for hard labels; changes the memory."""
    p = torch.clamp(torch.softmax(logits, dim=1), 1e-4, 1 - 1e-4)
    seen = p.detach()
    memory[indices] = 0.7 * memory[indices] + 0.3 * seen / seen.sum(dim=1, keepdim=True)
    term = torch.log(1 - (memory[indices] * p).sum(dim=1))
    return torch.nn.functional.cross_entropy(logits, labels, reduction="none") + 3.0 * term


def test_losses_and_gradients_are_those_of_the_authors():
    torch.manual_seed(0)
    loss, memory = early(40, 5), torch.zeros(40, 5)
    for epoch in range(5):
        indices = torch.randperm(40)[:16]
        labels = indices % 5
        ours = (10 * torch.randn(16, 5)).requires_grad_()
        theirs = ours.detach().clone().requires_grad_()
        losses = loss(ours, soft_targets(labels, 5, 0.0), indices, epoch)
        expected = authors_loss(memory, theirs, labels, indices)
        assert torch.allclose(losses, expected, atol=1e-5)
        losses.sum().backward()
        expected.sum().backward()
        assert ours.grad is not None
        assert theirs.grad is not None
        assert torch.allclose(ours.grad, theirs.grad, atol=1e-5)
    assert torch.allclose(loss.targets, memory, atol=1e-6)


def test_agreement_with_an_early_belief_weakens_the_pull_of_another_label():
    loss, index, wrong = early(), torch.tensor([0]), torch.tensor([[0.0, 1.0]])
    sure = torch.tensor([[2.0, 0.0]])
    for epoch in range(20):
        loss(sure, wrong, index, epoch)
    logits = sure.clone().requires_grad_()
    loss(logits, wrong, index, 20).sum().backward()
    plain = sure.clone().requires_grad_()
    soft_cross_entropy(plain, wrong).sum().backward()
    assert logits.grad is not None
    assert plain.grad is not None
    # Plain cross-entropy moves towards the wrong label; the restraint turns the step around.
    assert plain.grad[0, 0].item() > 0
    assert logits.grad[0, 0].item() < 0


def test_an_example_met_twice_in_a_batch_is_one_visit_with_the_mean_of_both():
    twice, once = early(), early()
    logits = torch.tensor([[2.0, 0.0], [-1.0, 0.0], [0.5, 0.0]])
    twice(logits, torch.eye(2)[[0, 0, 1]], torch.tensor([5, 5, 2]), 0)
    mean = logits[:2].softmax(dim=1).mean(dim=0, keepdim=True)
    once(torch.cat([mean.log(), logits[2:]]), torch.eye(2), torch.tensor([5, 2]), 0)
    assert torch.allclose(twice.targets, once.targets)


def test_an_unknown_label_has_no_loss_and_no_gradient():
    loss, logits = early(), torch.randn(2, 2, requires_grad=True)
    losses = loss(logits, torch.tensor([[0.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1]), 0)
    losses.sum().backward()
    assert losses[0].item() == 0
    assert logits.grad is not None
    assert logits.grad[0].abs().max().item() == 0


def test_the_memory_goes_on_from_a_checkpoint():
    torch.manual_seed(0)
    loss, again, indices = early(), early(), torch.arange(6)
    loss(torch.randn(6, 2), torch.eye(2)[indices % 2], indices, 0)
    again.restore({})
    assert again.targets.abs().max().item() == 0
    again.restore(loss.tensors())
    logits, targets = torch.randn(6, 2), torch.eye(2)[indices % 2]
    assert torch.equal(loss(logits, targets, indices, 1), again(logits, targets, indices, 1))
    with pytest.raises(CheckpointError, match=r"\[6, 2\], this training needs \[7, 2\]"):
        early(7).restore(loss.tensors())
