import pytest
import torch

from model.preprocess import IMAGENET_MEAN, IMAGENET_STD, Preprocess


def test_bytes_become_normalised_channels_last_floats():
    images = torch.randint(0, 256, (2, 8, 8, 3), dtype=torch.uint8)
    before = images.clone()
    ready = Preprocess(size=8, crop=1.0).to_input(images, torch.device("cpu"))
    assert ready.shape == (2, 3, 8, 8)
    assert ready.is_contiguous(memory_format=torch.channels_last)
    green = (images[1, 2, 3, 1].item() / 255 - IMAGENET_MEAN[1]) / IMAGENET_STD[1]
    assert ready[1, 1, 2, 3].item() == pytest.approx(green, abs=1e-5)
    assert torch.equal(images, before)
