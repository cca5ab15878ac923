"""Bytes to network input, on the device; the settings travel in the checkpoint.

B batch, S input size in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model.augment import CenterCrop

IMAGENET_MEAN = (0.485, 0.456, 0.406)
"""Mean of the ImageNet training set per channel R, G, B, for pixels in 0..1."""
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Standard deviation of the ImageNet training set per channel, for pixels in 0..1."""


@dataclass(frozen=True)
class Preprocess:
    """How a picture becomes network input at inference; deterministic."""

    size: int
    """Side of the network input, pixels."""
    crop: float
    """Side of the centred crop as a share of the picture's short side, 0..1."""
    mean: tuple[float, float, float] = IMAGENET_MEAN
    """Subtracted per channel R, G, B, for pixels in 0..1."""
    std: tuple[float, float, float] = IMAGENET_STD
    """Divisor per channel, for pixels in 0..1."""

    @property
    def framing(self) -> CenterCrop:
        """The part of the picture that is seen at inference."""
        return CenterCrop(self.size, self.crop)

    def to_input(self, images: torch.Tensor, device: torch.device) -> torch.Tensor:
        """Normalise on the device, where it costs least; the bus carries bytes.

        Args:
            images: uint8 [B, S, S, 3].
            device: Where the network lives.

        Returns:
            float32 [B, 3, S, S] in channels-last memory format.
        """
        # [B, S, S, 3] seen as [B, 3, S, S] *is* channels-last: nothing is copied here.
        pixels = images.to(device, non_blocking=True).permute(0, 3, 1, 2).float()
        mean = torch.tensor(self.mean, device=device).view(1, 3, 1, 1) * 255
        std = torch.tensor(self.std, device=device).view(1, 3, 1, 1) * 255
        return pixels.sub_(mean).div_(std)
