"""The expected numbers are those of the tests in google/bi-tempered-loss."""

import pytest
import torch
from torch.nn import functional

from model.losses import bi_tempered_loss, soft_cross_entropy, soft_targets
from model.losses.bi_tempered import tempered_log_softmax

LOGITS = torch.tensor([[-0.5, 0.1, 2.0], [0.1, 1.5, -5.0], [4.0, -3.0, -6.0]])
TARGETS = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1], [0.2, 0.8, 0.0]])


def test_losses_are_those_of_the_authors():
    losses = bi_tempered_loss(LOGITS, TARGETS, t1=0.5, t2=1.5)
    assert losses.tolist() == pytest.approx([0.02301914, 0.18972909, 0.93874922], abs=1e-4)


@pytest.mark.parametrize(
    ("t1", "t2", "expected"),
    [(1.0, 1.0, 0.628705), (0.9, 1.1, 0.45677936), (0.8, 1.2, 0.34298314), (0.7, 1.3, 0.26295574)],
)
def test_losses_follow_the_temperatures(t1: float, t2: float, expected: float):
    loss = bi_tempered_loss(LOGITS[:1], torch.tensor([[0.2, 0.5, 0.3]]), t1, t2)
    assert loss.item() == pytest.approx(expected, abs=1e-5)


def test_smoothed_losses_are_those_of_the_authors():
    # Their smoothing gives the other classes 0.1 / (K - 1) each.
    targets = soft_targets(torch.arange(3), 3, 0.1, 1 - torch.eye(3))
    losses = bi_tempered_loss(LOGITS, targets, t1=0.5, t2=1.5)
    assert losses.tolist() == pytest.approx([0.76652711, 0.08627685, 1.35443510], abs=1e-5)


def fixed_point(logits: torch.Tensor, temperature: float, steps: int) -> torch.Tensor:
    """Tempered softmax by algorithm 1 of the paper."""
    power = 1 - temperature
    shifted = logits - logits.amax(dim=1, keepdim=True)
    mass = torch.ones(len(logits), 1)
    for _ in range(steps + 1):
        mass = (1 + power * shifted * mass**power).pow(1 / power).sum(dim=1, keepdim=True)
    normaliser = -(mass ** (temperature - 1) - 1) / power
    return (1 + power * (shifted - normaliser)).pow(1 / power)


def test_the_tempered_softmax_is_the_fixed_point_of_the_paper():
    # The authors stop after five steps, here with sums of up to 1.002.
    expected = [
        [0.3205458, 0.32714278, 0.3523402],
        [0.3430056, 0.36491093, 0.29220778],
        [0.41369352, 0.30534995, 0.28299212],
    ]
    five = fixed_point(LOGITS, 4.0, steps=5)
    assert torch.allclose(five, torch.tensor(expected), atol=1e-6)
    for temperature in (1.2, 2.0, 4.0):
        ours = tempered_log_softmax(LOGITS, temperature).exp()
        assert torch.allclose(ours, fixed_point(LOGITS, temperature, steps=200), atol=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 1.0001, 1.2, 2.0, 4.0])
@pytest.mark.parametrize("scale", [0.1, 10.0, 1000.0])
def test_tempered_probabilities_sum_to_one(temperature: float, scale: float):
    torch.manual_seed(0)
    for num_classes in (2, 5, 1000):
        logits = scale * torch.randn(50, num_classes)
        sums = tempered_log_softmax(logits, temperature).exp().sum(dim=1)
        assert sums.tolist() == pytest.approx([1.0] * 50, abs=1e-5)


def test_temperatures_of_one_are_cross_entropy():
    torch.manual_seed(0)
    logits, labels = torch.randn(16, 5), torch.randint(0, 5, (16,))
    ours = bi_tempered_loss(logits, soft_targets(labels, 5, 0.0), t1=1.0, t2=1.0)
    assert torch.allclose(
        ours, functional.cross_entropy(logits, labels, reduction="none"), atol=1e-6
    )
    smoothed = soft_targets(labels, 5, 0.2)
    entropy = torch.special.entr(smoothed).sum(dim=1)
    ours = bi_tempered_loss(logits, smoothed, t1=1.0, t2=1.0)
    assert torch.allclose(ours, soft_cross_entropy(logits, smoothed) - entropy, atol=1e-6)


@pytest.mark.parametrize(("t1", "t2"), [(1.0, 1.0), (0.5, 1.5), (0.8, 1.2), (0.0, 4.0), (1.0, 1.3)])
def test_the_gradient_is_that_of_the_paper(t1: float, t2: float):
    logits = LOGITS.clone().requires_grad_()
    bi_tempered_loss(logits, TARGETS, t1, t2).sum().backward()
    probs = tempered_log_softmax(LOGITS, t2).exp()
    pulls = (probs - TARGETS) * probs ** (t2 - t1)
    escorts = probs**t2 / (probs**t2).sum(dim=1, keepdim=True)
    assert logits.grad is not None
    assert torch.allclose(logits.grad, pulls - escorts * pulls.sum(dim=1, keepdim=True), atol=1e-5)


def test_it_is_zero_where_prediction_and_target_agree():
    targets = tempered_log_softmax(LOGITS, 1.2).exp()
    assert bi_tempered_loss(LOGITS, targets, 0.8, 1.2).abs().max().item() < 1e-6


def test_a_hopeless_label_costs_no_more_than_the_bound():
    logits = torch.tensor([[1e6, 0.0, 0.0]], requires_grad=True)
    loss = bi_tempered_loss(logits, torch.eye(3)[1:2], t1=0.2, t2=1.2)
    loss.sum().backward()
    assert loss.item() == pytest.approx(1 / 0.8, abs=1e-4)
    assert logits.grad is not None
    assert logits.grad.abs().max().item() < 1e-3


def test_an_unknown_label_has_no_loss_and_no_gradient():
    logits = LOGITS.clone().requires_grad_()
    losses = bi_tempered_loss(logits, torch.cat([torch.zeros(1, 3), TARGETS[1:]]), 0.8, 1.2)
    losses.sum().backward()
    assert losses[0].item() == 0
    assert logits.grad is not None
    assert logits.grad[0].abs().max().item() == 0
    assert logits.grad[1].abs().max().item() > 0
