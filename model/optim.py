"""Optimizer, learning rate, gradients and the moving average of the weights.

P weights in total.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from model.config import ADAMW, Recipe


def build_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW or SGD; biases and norm weights are not decayed, as in timm."""
    decayed = [weight for weight in network.parameters() if weight.ndim > 1]
    others = [weight for weight in network.parameters() if weight.ndim <= 1]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    if recipe.optimizer == ADAMW:
        return torch.optim.AdamW(groups, lr=recipe.learning_rate)
    nesterov = recipe.momentum > 0
    return torch.optim.SGD(
        groups, lr=recipe.learning_rate, momentum=recipe.momentum, nesterov=nesterov
    )


def learning_rate(step: int, *, total: int, warmup: int, recipe: Recipe) -> float:
    """Linear warm-up to the peak, then half a cosine down to the final rate.

    A pure function of the step, so there is no schedule state to store.

    Args:
        step: Optimizer step, 0..total-1.
        total: Steps of the whole training.
        warmup: Steps of the warm-up; the last of them is the peak.
        recipe: Peak and final rate.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, one cycle. arXiv:1608.03983
    """
    peak, floor = recipe.learning_rate, recipe.learning_rate * recipe.final_learning_rate
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup + 1) / max(1, total - warmup)
    return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


class FlatGradients:
    """Gradients of all weights in one tensor, so that ranks exchange them in one message.

    Each weight's `.grad` is a view of its part, with the weight's own memory format.
    """

    EXTRA = 2
    """Numbers that travel with the gradients: sum of the losses, sum of the example weights."""

    def __init__(self, network: nn.Module) -> None:
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        size = sum(weight.numel() for weight in weights)
        self.message = torch.zeros(size + self.EXTRA, device=weights[0].device)
        """Gradients [P] followed by the extra numbers; float32 [P + 2]."""
        self.values = self.message[:size]
        self.extra = self.message[size:]
        start = 0
        for weight in weights:
            weight.grad = torch.as_strided(
                self.message, weight.size(), weight.stride(), storage_offset=start
            )
            start += weight.numel()

    def clear(self) -> None:
        """Forget the last step."""
        self.message.zero_()

    def clip(self, longest: float) -> None:
        """Shorten the gradient to the norm `longest`; 0 leaves it as it is."""
        if longest > 0:
            norm = torch.linalg.vector_norm(self.values)
            self.values.mul_((longest / (norm + 1e-6)).clamp(max=1.0))


def average_decay(step: int, decay: float) -> float:
    """Decay of the moving average at a step; short at first, so that the start is forgotten.

    Source: TensorFlow's ExponentialMovingAverage with num_updates, as used by EfficientNet.
    """
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move `average` towards `network`: average = decay * average + (1 - decay) * network.

    Norm statistics move too; counters are copied.
    """
    old, new = average.state_dict(), network.state_dict()
    floating = [name for name, value in old.items() if value.is_floating_point()]
    # One call for all weights, as timm does it: hundreds of small ones would cost more than a step.
    torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
        [old[name] for name in floating], [new[name] for name in floating], 1 - decay
    )
    for name in old.keys() - set(floating):
        old[name].copy_(new[name])
