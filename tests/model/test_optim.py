import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from model.config import Recipe
from model.optim import (
    FlatGradients,
    average_decay,
    build_optimizer,
    learning_rate,
    update_average,
)

RECIPE = Recipe(learning_rate=0.1, final_learning_rate=0.1)


def rates(total: int = 100, warmup: int = 10) -> list[float]:
    return [learning_rate(s, total=total, warmup=warmup, recipe=RECIPE) for s in range(total)]


def test_the_rate_climbs_to_the_peak_and_falls_to_the_floor():
    assert rates()[:10] == pytest.approx([0.01 * (step + 1) for step in range(10)])
    assert max(rates()) == rates()[9] == pytest.approx(0.1)
    assert rates()[9:] == sorted(rates()[9:], reverse=True)
    assert rates()[-1] == pytest.approx(0.01)


def test_without_warm_up_it_begins_near_the_peak():
    assert rates(warmup=0)[0] == pytest.approx(0.1, rel=0.01)


def test_only_matrices_and_filters_are_decayed():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    for name in ("adamw", "sgd"):
        optimizer = build_optimizer(network, replace(RECIPE, optimizer=name, weight_decay=0.3))
        shapes = {
            group["weight_decay"]: [weight.ndim for weight in group["params"]]
            for group in optimizer.param_groups
        }
        assert shapes == {0.3: [4], 0.0: [1, 1, 1]}


def test_flat_gradients_are_the_gradients():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(36, 2))
    network = network.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    plain, images = copy.deepcopy(network), torch.randn(2, 3, 5, 5)
    flat = FlatGradients(network)
    for _ in range(2):
        flat.clear()
        network(images).square().sum().backward()
    plain(images).square().sum().backward()
    for ours, reference in zip(network.parameters(), plain.parameters(), strict=True):
        assert ours.grad is not None
        assert reference.grad is not None
        assert torch.equal(ours.grad, reference.grad)
        assert ours.grad.stride() == ours.stride()
    norm = torch.linalg.vector_norm(
        torch.cat([p.grad.reshape(-1) for p in plain.parameters() if p.grad is not None])
    )
    assert torch.linalg.vector_norm(flat.values).item() == pytest.approx(norm.item())


def test_clipping_shortens_long_gradients_only():
    network = nn.Linear(4, 1)
    flat = FlatGradients(network)
    flat.values.fill_(1.0)
    flat.clip(0.0)
    flat.clip(10.0)
    assert flat.values.tolist() == [1.0] * 5
    flat.clip(1.0)
    assert torch.linalg.vector_norm(flat.values).item() == pytest.approx(1.0, abs=1e-5)


def test_the_average_follows_weights_and_statistics():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = copy.deepcopy(network)
    with torch.no_grad():
        for value in network.state_dict().values():
            value.add_(1)
    before = copy.deepcopy(average.state_dict())
    update_average(average, network, 0.75)
    for name, value in average.state_dict().items():
        step = 1 if name.endswith("num_batches_tracked") else 0.25
        assert torch.allclose(value, before[name] + step), name


def test_the_average_forgets_its_start_quickly():
    assert average_decay(0, 0.999) == pytest.approx(0.1)
    assert average_decay(10**6, 0.999) == 0.999
    assert average_decay(5, 0.0) == 0
