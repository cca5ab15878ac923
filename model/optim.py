"""Optimizer, learning rate, gradients and the moving average of the weights.

P weights in total.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from model.config import ADAMW, CYCLES, STEPS, Recipe

BACKBONE, HEAD = "backbone", "head"
"""Values of "part" of an optimizer's parameter groups."""
CYCLE_FLOOR = 0.1
"""Lowest rate of a tooth of "cycles" as a share of its peak."""


def build_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW or SGD; biases and norm weights are not decayed, as in timm.

    Args:
        network: What learns. The weights of its submodule `backbone` are one part, all others are
            the head.
        recipe: Kind of optimizer and its settings.

    Returns:
        The optimizer; each group has a "part", BACKBONE or HEAD, that says which of the rates of
        `learning_rates` is its own.
    """
    parts: dict[tuple[bool, str], list[nn.Parameter]] = {}
    for decayed in (True, False):
        for name, weight in network.named_parameters():
            if decayed == (weight.ndim > 1):
                part = BACKBONE if name.startswith(f"{BACKBONE}.") else HEAD
                parts.setdefault((decayed, part), []).append(weight)
    groups = [
        {"params": weights, "weight_decay": recipe.weight_decay if decayed else 0.0, "part": part}
        for (decayed, part), weights in parts.items()
    ]
    # Fused is one pass over weights, gradients and memory: a third of the time, on CPUs too.
    rate = recipe.learning_rate
    if recipe.optimizer == ADAMW:
        return torch.optim.AdamW(groups, lr=rate, fused=True)
    nesterov = recipe.momentum > 0
    return torch.optim.SGD(groups, lr=rate, momentum=recipe.momentum, nesterov=nesterov, fused=True)


def learning_rates(recipe: Recipe, *, step: int, steps_per_epoch: int) -> tuple[float, float]:
    """Learning rates of the backbone and of the head at a step.

    Linear warm-up to the peak, then the recipe's schedule; the fine-tuning epochs at the end have a
    lower peak and half a cosine of their own. During the first `head_epochs` the backbone rests. A
    pure function of the step, so there is no schedule state to store.

    Args:
        recipe: Peak, final rate, epochs, warm-up, schedule, head and fine-tuning epochs.
        step: Optimizer step of the whole training, 0-based.
        steps_per_epoch: Steps of one epoch.

    Returns:
        Rate of the backbone and rate of the head, >= 0.
    """
    tuned = min(recipe.finetune_epochs, recipe.epochs) * steps_per_epoch
    main = recipe.epochs * steps_per_epoch - tuned
    warmup = round(steps_per_epoch * recipe.warmup_epochs)
    if step >= main:
        peak = recipe.learning_rate * recipe.finetune_rate
        rate = _cosine(peak, recipe.final_learning_rate, step - main, tuned)
    elif step < warmup:
        rate = recipe.learning_rate * (step + 1) / warmup
    elif recipe.schedule == STEPS:
        drops = step // steps_per_epoch // recipe.decay_epochs
        rate = recipe.learning_rate * recipe.decay_factor**drops
    elif recipe.schedule == CYCLES:
        rate = _tooth(recipe.learning_rate, step // steps_per_epoch, recipe.decay_epochs)
    else:
        floor = recipe.final_learning_rate
        rate = _cosine(recipe.learning_rate, floor, step - warmup, main - warmup)
    resting = step < recipe.head_epochs * steps_per_epoch
    return (0.0 if resting else rate), rate


def _cosine(peak: float, floor: float, step: int, total: int) -> float:
    """Half a cosine from the peak to `floor` times the peak, reached at step `total` - 1.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5, one cycle. arXiv:1608.03983
    """
    done = (step + 1) / max(1, total)
    lowest = peak * floor
    return lowest + (peak - lowest) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def _tooth(peak: float, epoch: int, length: int) -> float:
    """Rate of an epoch in a saw-tooth that falls evenly and jumps back every `length` epochs.

    Source: Huang et al., "O2U-Net", ICCV 2019, section 3.2, with the rates of the authors' code.
    """
    done = (epoch % length + 1) / length
    return (1 - done) * peak + done * CYCLE_FLOOR * peak


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


class MovingAverage:
    """Moves the weights of one network towards those of another, step by step.

    Knows the tensors of both from the beginning: looking them up costs more than averaging them.
    """

    def __init__(self, average: nn.Module, network: nn.Module) -> None:
        old, new = average.state_dict(), network.state_dict()
        pairs = [(value, new[name]) for name, value in old.items()]
        floating = [pair for pair in pairs if pair[0].is_floating_point()]
        self._average = [value for value, _ in floating]
        self._network = [value for _, value in floating]
        self._counters = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def update(self, decay: float) -> None:
        """Set average = decay * average + (1 - decay) * network.

        Norm statistics move too; counters are copied.
        """
        # One call for all weights, as timm does it; hundreds of small ones would cost more.
        torch._foreach_lerp_(  # pyright: ignore[reportPrivateImportUsage]
            self._average, self._network, 1 - decay
        )
        for old, new in self._counters:
            old.copy_(new)


def update_even_average(average: nn.Module, network: nn.Module, count: int) -> None:
    """Take `network` into an even average of `count` networks; all then weigh 1 / (count + 1).

    Norm statistics are averaged like the weights, which spares the extra pass over the data that
    the paper makes to measure them anew.

    Source: Izmailov et al., "Averaging weights leads to wider optima and better generalization",
        UAI 2018, algorithm 1. arXiv:1803.05407
    """
    MovingAverage(average, network).update(count / (count + 1))
