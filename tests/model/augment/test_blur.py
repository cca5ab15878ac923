import math

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional

from model.augment import Visit, gaussian_blur
from model.augment.blur import SIGMAS, blur


@pytest.mark.parametrize("sigma", [SIGMAS[0], SIGMAS[7], SIGMAS[-1]])
def test_two_passes_blur_as_one_pass_of_torchvision(make_images, sigma):
    images = make_images(3)
    length = 2 * math.ceil(3 * sigma) + 1
    one_pass = functional.gaussian_blur(images, [length, length], [sigma, sigma])
    assert (blur(images, sigma).int() - one_pass.int()).abs().max() <= 1


def test_a_point_becomes_a_gaussian():
    image = torch.zeros(1, 3, 15, 15, dtype=torch.uint8)
    image[:, :, 7, 7] = 255
    blurred = blur(image, 1.0)[0, 0].double()
    distances = torch.arange(15, dtype=torch.float64) - 7
    bell = torch.exp(-(distances**2) / 2) / math.sqrt(2 * math.pi)
    assert (blurred - 255 * bell[:, None] * bell).abs().max() < 1


def test_the_share_of_blurred_images_is_the_probability(make_images):
    images = make_images(1, side=8).expand(3000, 3, 8, 8)
    visit = Visit(0, 0, np.arange(3000))
    for prob in (0.0, 0.3, 1.0):
        changed = (gaussian_blur(images, visit, prob) != images).flatten(1).any(dim=1)
        assert changed.float().mean().item() == pytest.approx(prob, abs=0.03)


def test_every_sigma_is_drawn(make_images):
    images = make_images(1, side=16).expand(300, 3, 16, 16)
    blurred = gaussian_blur(images, Visit(0, 0, np.arange(300)), 1.0)
    found = {bytes(image.numpy().tobytes()) for image in blurred}
    assert found == {blur(images[:1], sigma)[0].numpy().tobytes() for sigma in SIGMAS}
