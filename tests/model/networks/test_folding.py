from dataclasses import replace

import pytest
import torch
from torch import nn

from model.networks import build_network
from model.networks.classifier import CategoryHead, Classifier
from model.networks.folding import for_inference

IDS = torch.tensor([[0, 1], [2, 3], [1, 1]])


def lived_in(network: Classifier) -> Classifier:
    """Norms as a training leaves them: no mean is 0, no deviation 1, some weights negative."""
    generator = torch.Generator().manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None
            assert layer.running_var is not None
            for tensor, low in (
                *((layer.running_mean, -0.5), (layer.bias.data, -0.5)),
                *((layer.running_var, 0.5), (layer.weight.data, -0.3)),
            ):
                tensor.copy_(low + torch.rand(tensor.shape, generator=generator))
    return network


def classifier(backbone: nn.Module, num_features: int) -> Classifier:
    head = CategoryHead(num_features, (3, 4), hidden_size=8, num_classes=5, drop_rate=0.5)
    return lived_in(Classifier(backbone, head))


def norms(network: nn.Module) -> int:
    return sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


def logits(network: nn.Module, side: int = 32) -> torch.Tensor:
    images = torch.rand((3, 3, side, side), generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        return network(images, IDS)


@pytest.mark.parametrize(
    "backbone",
    ["narrow", "test_resnet", "test_efficientnet", "mobilenetv3_small_050", "test_vit"],
)
def test_the_copy_says_the_same_without_norms(recipe, backbone):
    network = build_network(
        replace(recipe, backbone=backbone, image_size=32),
        num_classes=5,
        category_sizes=(3, 4),
        pretrained=False,
    )
    lived_in(network)
    copy = for_inference(network, 32, torch.float32)
    assert norms(copy) == 0
    torch.testing.assert_close(logits(copy), logits(network.eval()), rtol=1e-4, atol=1e-5)


def test_the_network_itself_is_left_alone(recipe):
    network = build_network(recipe, num_classes=5, category_sizes=(3, 4), pretrained=False)
    network.train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    copy = for_inference(network, 16, torch.bfloat16)
    after = network.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(layer.training for layer in network.modules())
    assert not any(layer.training for layer in copy.modules())
    assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in copy.modules())


def test_weights_of_products_are_cast_once(recipe):
    network = build_network(recipe, num_classes=5, category_sizes=(3, 4), pretrained=False)
    copy = for_inference(lived_in(network), 16, torch.bfloat16)
    assert {parameter.dtype for parameter in copy.parameters()} == {torch.bfloat16}
    with torch.autocast("cpu", torch.bfloat16):
        reduced = logits(copy).float()
    assert reduced == pytest.approx(logits(network.eval()), abs=0.02)


class TwoReaders(nn.Module):
    """What the convolution gives is read by the norm, and by somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        seen = self.convolution(images)
        return (self.norm(seen) * seen).mean((2, 3))


class UsedTwice(nn.Module):
    """One convolution before two norms."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 3)
        self.norms = nn.ModuleList([nn.BatchNorm2d(3), nn.BatchNorm2d(3)])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        for norm in self.norms:
            images = norm(self.convolution(images))
        return images.mean((2, 3))


@pytest.mark.parametrize(("backbone", "features"), [(TwoReaders, 4), (UsedTwice, 3)])
def test_a_norm_that_cannot_be_folded_stays(backbone, features):
    network = classifier(backbone(), features)
    copy = for_inference(network, 16, torch.float32)
    assert norms(copy) == norms(network)
    assert torch.equal(logits(copy, 16), logits(network.eval(), 16))
