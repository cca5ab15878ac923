from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from model.config import EMBEDDING, ONE_HOT
from model.errors import ConfigError, WeightsError
from model.learner import Learner
from model.networks import build_network
from model.networks.image import num_features, timm_backbone


@pytest.fixture
def embedded(recipe):
    return replace(recipe, category_encoding=EMBEDDING, category_embedding=4)


def build(recipe, **changes):
    options = {"num_classes": 5, "category_sizes": (3, 4), "pretrained": False}
    return build_network(recipe, **{**options, **changes})


def forward(network, side: int):
    images = torch.rand(2, 3, side, side)
    return network.eval()(images, torch.tensor([[0, 1], [2, 3]]))


@pytest.mark.parametrize("backbone", ["narrow", "test_resnet", "test_vit", "mobilenetv3_small_050"])
def test_any_backbone_turns_images_and_categories_into_logits(recipe, backbone):
    network = build(replace(recipe, backbone=backbone, image_size=32))
    assert forward(network, 32).shape == (2, 5)
    assert network.head.hidden.in_features == num_features(network.backbone) + 7


def test_the_category_changes_the_logits_and_only_of_its_example(recipe):
    network = build(recipe).eval()
    images = torch.rand(2, 3, 16, 16)
    first = network(images, torch.tensor([[0, 1], [2, 3]]))
    other = network(images, torch.tensor([[0, 1], [2, 0]]))
    assert torch.equal(first[0], other[0])
    assert not torch.equal(first[1], other[1])


def test_without_category_levels_the_image_decides_alone(recipe):
    network = build(recipe, category_sizes=())
    empty = torch.empty(2, 0, dtype=torch.int64)
    assert network(torch.rand(2, 3, 16, 16), empty).shape == (2, 5)


def test_the_one_hot_head_keeps_the_names_and_sizes_of_old_checkpoints(recipe):
    state = {name: tuple(value.shape) for name, value in build(recipe).head.state_dict().items()}
    assert state == {
        "hidden.weight": (8, 16 + 7),
        "hidden.bias": (8,),
        "logits.weight": (5, 8),
        "logits.bias": (5,),
    }


def test_one_hot_shows_each_level_in_a_block_of_its_own(recipe):
    shown = build(recipe).head.describe(torch.tensor([[2, 0], [1, 3]]))
    assert shown.tolist() == [[0, 0, 1, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0, 1]]


def test_an_embedding_shows_each_category_as_its_learned_vector(embedded):
    network = build(embedded)
    first, second = network.head.embeddings.parameters()
    assert [tuple(first.shape), tuple(second.shape)] == [(3, 4), (4, 4)]
    assert network.head.hidden.in_features == 16 + 2 * 4
    shown = network.head.describe(torch.tensor([[2, 1]]))
    assert torch.equal(shown[0], torch.cat([first[2], second[1]]))
    assert forward(network, 16).shape == (2, 5)


def test_a_learned_vector_learns_and_an_unknown_category_begins_with_zeros(embedded):
    network = build(embedded)
    assert not network.head.describe(torch.zeros(1, 2, dtype=torch.int64)).any()
    network(torch.rand(2, 3, 16, 16), torch.tensor([[0, 1], [2, 1]])).square().sum().backward()
    tables = network.head.embeddings.parameters()
    learned = [torch.any(table.grad != 0, dim=1).tolist() for table in tables]
    assert learned == [[True, False, True], [False, True, False, False]]


def test_without_category_levels_an_embedding_has_nothing_to_show(embedded):
    network = build(embedded, category_sizes=())
    empty = torch.empty(2, 0, dtype=torch.int64)
    assert network(torch.rand(2, 3, 16, 16), empty, empty, 0.5).shape == (2, 5)


@pytest.mark.parametrize("encoding", [ONE_HOT, EMBEDDING])
def test_blended_pictures_have_equally_blended_categories(embedded, encoding):
    head = build(replace(embedded, category_encoding=encoding)).head.eval()
    features, ids = torch.rand(2, 16), torch.tensor([[1, 3], [2, 0]])
    partners, both = ids.flip(0), head.describe(ids)
    # The perceptron's first layer is linear, so its input can be put together by hand.
    joined = torch.cat([features, 0.3 * both + 0.7 * both.flip(0)], dim=1)
    wanted = head.logits(torch.relu(head.hidden(joined)))
    torch.testing.assert_close(head(features, ids, partners, 0.3), wanted)
    per_example = head(features, ids, partners, torch.tensor([0.3, 1.0]))
    torch.testing.assert_close(per_example[0], wanted[0])
    torch.testing.assert_close(per_example[1], head(features, ids)[1])
    assert torch.equal(head(features, ids, partners, 1.0), head(features, ids))


def test_blending_passes_through_the_whole_network(embedded):
    network, images = build(embedded).eval(), torch.rand(2, 3, 16, 16)
    ids, partners = torch.tensor([[1, 3], [2, 0]]), torch.tensor([[2, 2], [1, 1]])
    assert torch.equal(network(images, ids, partners, 0.0), network(images, partners))


@pytest.mark.parametrize("encoding", [ONE_HOT, EMBEDDING])
def test_a_head_works_in_the_precision_of_its_features(embedded, encoding):
    head = build(replace(embedded, category_encoding=encoding)).head.to(torch.bfloat16)
    features = torch.rand(2, 16, dtype=torch.bfloat16)
    assert head(features, torch.tensor([[1, 3], [2, 0]])).dtype == torch.bfloat16


def test_an_unknown_backbone_is_answered_with_the_close_ones(recipe):
    with pytest.raises(ConfigError, match=r"no such model\. Did you mean .*efficientnet_b1"):
        build(replace(recipe, backbone="eficientnet_b1"))


def test_the_narrow_network_cannot_be_pretrained(recipe):
    with pytest.raises(ConfigError, match="no published weights: --set pretrained=false"):
        build(recipe, pretrained=True)


def test_pretrained_weights_that_cannot_be_had_are_never_replaced_by_random_ones(recipe):
    # conftest.py keeps the tests offline, and no cache holds these weights.
    with pytest.raises(WeightsError, match=r"cannot be had: .*--weights FILE"):
        build(replace(recipe, backbone="test_resnet"), pretrained=True)
    with pytest.raises(WeightsError, match="publishes no weights"):
        build(replace(recipe, backbone="resnet200"), pretrained=True)


@pytest.mark.parametrize("kind", ["safetensors", "pth", "wrapped"])
def test_a_weights_file_fills_the_backbone(recipe, tmp_path, kind):
    recipe = replace(recipe, backbone="test_resnet")
    source = timm_backbone(recipe, download=False)
    # A published file also holds the classifier that we do not use.
    state = {**source.state_dict(), "fc.weight": torch.zeros(10, 3), "fc.bias": torch.zeros(10)}
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "safetensors":
        save_file(state, path)
    else:
        torch.save({"state_dict": state} if kind == "wrapped" else state, path)
    torch.manual_seed(1)
    loaded = build(recipe, pretrained=True, weights=path).backbone.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in source.state_dict().items())


def test_a_weights_file_that_does_not_fit_says_where(recipe, tmp_path):
    recipe = replace(recipe, backbone="test_resnet")
    state = timm_backbone(recipe, download=False).state_dict()
    name = next(iter(state))
    cases = {
        "lacks": {key: value for key, value in state.items() if key != name},
        "has unknown other": {**state, "other": torch.zeros(1)},
        f"holds {name}": {**state, name: torch.zeros(1)},
    }
    for message, content in cases.items():
        save_file(content, tmp_path / "w.safetensors")
        with pytest.raises(WeightsError, match=message):
            build(recipe, weights=tmp_path / "w.safetensors")


def test_a_file_that_is_not_weights_is_refused(recipe, tmp_path):
    with pytest.raises(WeightsError, match="There is no weights file"):
        build(recipe, weights=tmp_path / "none.safetensors")
    for name in ("text.safetensors", "text.pth"):
        (tmp_path / name).write_text("hello")
        with pytest.raises(WeightsError, match="cannot be read"):
            build(recipe, weights=tmp_path / name)
    torch.save({"hook": print}, tmp_path / "code.pth")
    with pytest.raises(WeightsError, match="nothing but tensors"):
        build(recipe, weights=tmp_path / "code.pth")


def test_sharing_batch_statistics_keeps_weights_and_activations(recipe):
    recipe = replace(recipe, backbone="mobilenetv3_small_050")
    learner = Learner(build(recipe), recipe)
    before = dict(learner.network.named_parameters())
    activations = [type(layer.act) for layer in learner.network.modules() if hasattr(layer, "act")]
    learner.share_batch_statistics()
    after = dict(learner.network.named_parameters())
    assert before.keys() == after.keys()
    assert all(before[name] is after[name] for name in before)
    kinds = {type(layer).__name__ for layer in learner.network.modules()}
    assert not any("BatchNorm" in kind and "Sync" not in kind for kind in kinds)
    assert activations == [
        type(layer.act) for layer in learner.network.modules() if hasattr(layer, "act")
    ]
