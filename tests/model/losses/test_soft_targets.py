import pytest
import torch
from torch.nn import functional

from model.losses import class_offsets, soft_cross_entropy, soft_targets


def test_without_smoothing_it_is_torch_cross_entropy():
    logits, labels = torch.randn(16, 5), torch.randint(0, 5, (16,))
    ours = soft_cross_entropy(logits, soft_targets(labels, 5, 0.0))
    assert torch.allclose(ours, functional.cross_entropy(logits, labels, reduction="none"))


def test_smoothing_is_torch_label_smoothing():
    logits, labels = torch.randn(16, 5), torch.randint(0, 5, (16,))
    ours = soft_cross_entropy(logits, soft_targets(labels, 5, 0.2)).mean()
    assert torch.allclose(ours, functional.cross_entropy(logits, labels, label_smoothing=0.2))


def test_targets_keep_their_mass():
    targets = soft_targets(torch.tensor([0, 3]), 5, 0.1)
    assert targets.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert targets[0].tolist() == pytest.approx([0.92, 0.02, 0.02, 0.02, 0.02])


def test_an_unknown_label_has_no_loss_and_no_gradient():
    logits = torch.randn(2, 5, requires_grad=True)
    losses = soft_cross_entropy(logits, soft_targets(torch.tensor([-1, 2]), 5, 0.1))
    losses.sum().backward()
    assert losses[0].item() == 0
    assert logits.grad is not None
    assert logits.grad[0].abs().max().item() == 0
    assert logits.grad[1].abs().max().item() > 0


def test_offsets_are_the_log_prior_times_tau():
    counts = torch.tensor([10, 30, 60])
    assert class_offsets(counts, 0.0).tolist() == [0, 0, 0]
    assert class_offsets(counts, 1.0).exp().tolist() == pytest.approx([0.1, 0.3, 0.6])


def test_plausible_classes_share_the_smoothing_mass_by_weight():
    weights = torch.tensor([[1.0, 2.5, 2.5, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0]])
    targets = soft_targets(torch.tensor([1, 3]), 5, 0.16, weights)
    assert targets[0].tolist() == pytest.approx([0.02, 0.89, 0.05, 0.02, 0.02])
    assert torch.allclose(targets[1:], soft_targets(torch.tensor([3]), 5, 0.16))


def test_no_weight_on_the_own_class_spreads_the_mass_over_the_others():
    # The second-place team: 0.9 for the label, the rest over the others, plausible ones 2.5 fold.
    weights = torch.tensor([[0.0, 2.5, 2.5, 1.0, 2.5]])
    targets = soft_targets(torch.tensor([0]), 5, 0.1, weights)
    others = [0.1 * weight / 8.5 for weight in (2.5, 2.5, 1.0, 2.5)]
    assert targets[0].tolist() == pytest.approx([0.9, *others])


def test_plausibility_gives_an_unknown_label_no_target():
    targets = soft_targets(torch.tensor([-1]), 3, 0.3, torch.ones(1, 3))
    assert targets.tolist() == [[0, 0, 0]]
