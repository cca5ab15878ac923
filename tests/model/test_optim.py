import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from model.config import Recipe
from model.optim import (
    BACKBONE,
    HEAD,
    FlatGradients,
    MovingAverage,
    average_decay,
    build_optimizer,
    learning_rates,
    update_even_average,
)

RECIPE = Recipe(learning_rate=0.1, final_learning_rate=0.1, epochs=10)


def rates(recipe: Recipe = RECIPE, *, steps_per_epoch: int = 10) -> list[float]:
    """Rate of the head at each step."""
    return [
        learning_rates(recipe, step=step, steps_per_epoch=steps_per_epoch)[1]
        for step in range(recipe.epochs * steps_per_epoch)
    ]


def test_the_rate_climbs_to_the_peak_and_falls_to_the_floor():
    assert rates()[:10] == pytest.approx([0.01 * (step + 1) for step in range(10)])
    assert max(rates()) == rates()[9] == pytest.approx(0.1)
    assert rates()[9:] == sorted(rates()[9:], reverse=True)
    assert rates()[-1] == pytest.approx(0.01)
    # Half of the cosine's way: the mean of peak and floor.
    assert rates()[54] == pytest.approx(0.055)


def test_without_warm_up_it_begins_near_the_peak():
    assert rates(replace(RECIPE, warmup_epochs=0.0))[0] == pytest.approx(0.1, rel=0.01)


def test_fractions_of_an_epoch_warm_up():
    assert rates(replace(RECIPE, warmup_epochs=0.5))[:5] == pytest.approx(
        [0.02, 0.04, 0.06, 0.08, 0.1]
    )


def test_steps_fall_by_a_factor_every_few_epochs():
    recipe = replace(RECIPE, schedule="steps", decay_epochs=3, decay_factor=0.5)
    assert rates(recipe)[:10] == rates()[:10]
    expected = [0.1 * 0.5 ** (epoch // 3) for epoch in range(1, 10)]
    assert rates(recipe)[10::10] == pytest.approx(expected)
    assert rates(recipe)[19::10] == pytest.approx(expected)


def test_cycles_are_the_saw_tooth_of_o2u_net():
    recipe = replace(RECIPE, schedule="cycles", decay_epochs=5, warmup_epochs=0.0)
    tooth = [0.082, 0.064, 0.046, 0.028, 0.01]
    assert rates(recipe)[::10] == pytest.approx(tooth * 2)
    assert rates(recipe)[9::10] == pytest.approx(tooth * 2)


def test_fine_tuning_has_a_lower_peak_and_its_own_cosine():
    recipe = replace(RECIPE, finetune_epochs=4, finetune_rate=0.2)
    whole = rates(recipe)
    assert whole[:60] == rates(replace(RECIPE, epochs=6))
    assert whole[60] == pytest.approx(0.02, rel=0.01)
    assert whole[60:] == sorted(whole[60:], reverse=True)
    assert whole[79] == pytest.approx(0.011)
    assert whole[-1] == pytest.approx(0.002)
    assert rates(replace(recipe, finetune_epochs=99))[0] == pytest.approx(0.02, rel=0.01)


def test_the_backbone_rests_while_the_head_learns():
    recipe = replace(RECIPE, head_epochs=3)
    pairs = [learning_rates(recipe, step=step, steps_per_epoch=10) for step in range(100)]
    assert [head for _, head in pairs] == rates()
    assert [backbone for backbone, _ in pairs] == [0.0] * 30 + rates()[30:]


def test_backbone_and_head_are_groups_of_their_own_in_the_order_of_the_weights():
    network = nn.Sequential()
    network.add_module("backbone", nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    network.add_module("head", nn.Linear(4, 2))
    optimizer = build_optimizer(network, replace(RECIPE, weight_decay=0.3))
    kinds = [(group["part"], group["weight_decay"]) for group in optimizer.param_groups]
    assert kinds == [(BACKBONE, 0.3), (HEAD, 0.3), (BACKBONE, 0.0), (HEAD, 0.0)]
    # A stored optimizer state numbers the weights: first the decayed ones, then the others.
    numbered = [weight for group in optimizer.param_groups for weight in group["params"]]
    weights = list(network.parameters())
    expected = [w for w in weights if w.ndim > 1] + [w for w in weights if w.ndim <= 1]
    assert [id(weight) for weight in numbered] == [id(weight) for weight in expected]


@pytest.mark.parametrize("name", ["adamw", "sgd"])
def test_a_rate_of_zero_leaves_the_backbone_alone(name: str):
    network = nn.Sequential()
    network.add_module("backbone", nn.Linear(3, 4))
    network.add_module("head", nn.Linear(4, 2))
    before = copy.deepcopy(network.state_dict())
    optimizer = build_optimizer(network, replace(RECIPE, optimizer=name, weight_decay=0.3))
    for group in optimizer.param_groups:
        group["lr"] = 0.0 if group["part"] == BACKBONE else 0.1
    network(torch.ones(2, 3)).square().sum().backward()
    optimizer.step()
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]) == key.startswith("backbone"), key


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
    MovingAverage(average, network).update(0.75)
    for name, value in average.state_dict().items():
        step = 1 if name.endswith("num_batches_tracked") else 0.25
        assert torch.allclose(value, before[name] + step), name


def test_the_average_forgets_its_start_quickly():
    assert average_decay(0, 0.999) == pytest.approx(0.1)
    assert average_decay(10**6, 0.999) == 0.999
    assert average_decay(5, 0.0) == 0


def test_an_even_average_is_the_mean_of_all_networks():
    torch.manual_seed(0)
    networks = [nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)) for _ in range(3)]
    for number, network in enumerate(networks):
        network.train()
        for _ in range(number + 1):
            network(torch.randn(8, 2))
    average = copy.deepcopy(networks[2])
    for count, network in enumerate(networks):
        update_even_average(average, network, count)
    for name, value in average.state_dict().items():
        values = [network.state_dict()[name] for network in networks]
        if name.endswith("num_batches_tracked"):
            assert value == values[-1]
        else:
            assert torch.allclose(value, torch.stack(values).mean(dim=0)), name
