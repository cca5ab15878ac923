"""A small convolutional network for CPUs, tests and the demo.

B batch, S input size in pixels, w width in channels. Per CPU second it learns far more from a few
thousand small pictures than a library model from scratch.
"""

from __future__ import annotations

import torch
from torch import nn


class NarrowNet(nn.Module):
    """5x5 stem, then two strided stages with a residual block each; pooled features."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = 4 * width
        self.layers = nn.Sequential(
            _convolution(3, width, kernel=5, stride=2),  # [B, w, S/2, S/2]
            _convolution(width, 2 * width, stride=2),  # [B, 2w, S/4, S/4]
            ResidualBlock(2 * width),
            _convolution(2 * width, 4 * width, stride=2),  # [B, 4w, S/8, S/8]
            ResidualBlock(4 * width),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Features of normalised images: [B, 3, S, S] → [B, 4w]."""
        return self.layers(images).mean(dim=(2, 3))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

    Source: He et al., "Deep residual learning", CVPR 2016. arXiv:1512.03385
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _convolution(channels, channels)
        self.second = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        # Begin as the identity, which makes the first steps safe at high learning rates.
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[B, C, H, W] → [B, C, H, W]."""
        return torch.relu(features + self.norm(self.second(self.first(features))))


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
