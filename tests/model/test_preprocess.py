from dataclasses import asdict

import pytest
import torch

from model.augment import CenterCrop, Pad, Resize
from model.config import Recipe
from model.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess, preprocess_of


def test_bytes_become_normalised_channels_last_floats():
    images = torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8)
    before = images.clone()
    ready = Preprocess(size=8, crop=1.0).to_input(images, torch.device("cpu"))
    assert ready.shape == (2, 3, 8, 8)
    assert ready.is_contiguous(memory_format=torch.channels_last)
    green = (images[1, 2, 3, 1].item() / 255 - IMAGENET_MEAN[1]) / IMAGENET_STD[1]
    assert ready[1, 1, 2, 3].item() == pytest.approx(green, abs=1e-5)
    assert torch.equal(images, before)


def test_published_statistics_are_used_unless_the_recipe_wants_none():
    published = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.2, 0.1)}
    assert preprocess_of(Recipe(), published).mean == (0.5, 0.4, 0.3)
    assert preprocess_of(Recipe(), published).std == (0.2, 0.2, 0.1)
    assert preprocess_of(Recipe(), {}).mean == IMAGENET_MEAN
    assert preprocess_of(Recipe(), {}).std == IMAGENET_STD
    bare = preprocess_of(Recipe(pixel_statistics="none", image_size=16), published)
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).expand(1, 16, 16, 3)
    shares = bare.to_input(images, torch.device("cpu"))[0, :, 0, 0].tolist()
    assert shares == pytest.approx([0.0, 0.2, 1.0])


def test_inference_sees_what_the_recipe_says_at_the_size_of_the_last_epochs():
    recipe = Recipe(image_size=64, finetune_epochs=2, finetune_size=96, eval_framing="pad")
    assert preprocess_of(recipe, {}).framing == Pad(96)
    assert preprocess_of(Recipe(eval_framing="resize"), {}).framing == Resize(224)
    assert preprocess_of(Recipe(eval_crop=0.8), {}).framing == CenterCrop(224, 0.8)


def test_settings_written_before_there_was_a_choice_still_crop_the_middle():
    old = {"size": 32, "crop": 0.9, "mean": IMAGENET_MEAN, "std": IMAGENET_STD}
    assert Preprocess(**old).framing == CenterCrop(32, 0.9)
    assert Preprocess(**asdict(Preprocess(**old))) == Preprocess(**old)
