"""A recipe: the complete, frozen description of one training.

Every field states its unit or meaning below it, its default and its legal values in place; a recipe
with an illegal value cannot be made.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from model.errors import ConfigError

BFLOAT16, FLOAT32, AUTO = "bf16", "fp32", "auto"
"""Values of `Recipe.precision`."""
ADAMW, SGD = "adamw", "sgd"
"""Values of `Recipe.optimizer`."""
NARROW = "narrow"
"""Value of `Recipe.backbone` that means the small network of `networks/narrow.py`."""


def within(default: float, low: float, high: float) -> Any:
    """Field of a number with its legal range, both ends included."""
    return field(default=default, metadata={"low": low, "high": high})


def one_of(default: str, *choices: str) -> Any:
    """Field of a word with its legal values."""
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what comes out of a training, apart from the data."""

    name: str = "unnamed"
    """Name of the recipe this one began as, for people."""
    seed: int = within(0, 0, 2**31 - 1)
    """Decides every random choice: weights, hold-out, order, crops, flips, dropout."""

    backbone: str = "efficientnet_b1"
    """Name of a timm model, optionally with ".tag"; "narrow" is our own small network."""
    narrow_width: int = within(24, 4, 256)
    """Channels of the first layer of "narrow"; other backbones ignore it."""
    pretrained: bool = True
    """Start the backbone from published weights (timm online, or a weights file)."""
    hidden_size: int = within(512, 1, 8192)
    """Units of the perceptron's hidden layer."""
    drop_rate: float = within(0.0, 0.0, 0.95)
    """Dropout before the logits: share of hidden units, 0..0.95."""
    drop_path_rate: float = within(0.0, 0.0, 0.95)
    """Stochastic depth of a timm backbone: share of blocks at the deepest layer, 0..0.95."""
    category_levels: int = within(2, 0, 4)
    """Levels of the product category the network sees, broadest first; 0 uses none."""
    category_dropout: float = within(0.0, 0.0, 1.0)
    """Share of training examples whose category is shown as "unknown", 0..1.

    Above 0 it teaches the network what to do with a category it has never met.
    """

    image_size: int = within(224, 16, 1024)
    """Side of the square network input, pixels."""
    crop_scale: float = within(0.25, 0.01, 1.0)
    """Smallest share of the picture's area that a training crop keeps, 0.01..1."""
    crop_ratio: float = within(4 / 3, 1.0, 4.0)
    """Longest width:height of a training crop; its inverse is the shortest."""
    flip_prob: float = within(0.5, 0.0, 1.0)
    """Share of training examples that are mirrored left to right, 0..1."""
    eval_crop: float = within(0.95, 0.1, 1.0)
    """Side of the centred evaluation crop as a share of the picture's short side, 0.1..1."""

    label_smoothing: float = within(0.0, 0.0, 0.9)
    """Target mass that is spread evenly over all classes, 0..0.9."""
    logit_adjustment: float = within(0.0, 0.0, 2.0)
    """Strength tau of the class-balanced loss; 0 is plain cross-entropy, 1 fully balanced.

    Training adds tau * log(share of the class) to the logits, so that at inference rare
    classes are not pushed aside (Menon et al., 2021).
    """

    optimizer: str = one_of(ADAMW, ADAMW, SGD)
    """"adamw", or "sgd" with Nesterov momentum."""
    learning_rate: float = within(5e-4, 1e-8, 100.0)
    """Peak learning rate, reached at the end of the warm-up."""
    final_learning_rate: float = within(0.01, 0.0, 1.0)
    """Learning rate at the very end as a share of the peak, 0..1."""
    momentum: float = within(0.9, 0.0, 0.999)
    """Momentum of "sgd"; "adamw" ignores it."""
    weight_decay: float = within(0.02, 0.0, 10.0)
    """Decoupled (adamw) or L2 (sgd) decay of matrices and filters; never of biases and norms."""
    batch_size: int = within(128, 2, 65536)
    """Examples per optimizer step, over all ranks together."""
    epochs: int = within(20, 1, 100_000)
    """Passes over the training share."""
    warmup_epochs: float = within(1.0, 0.0, 1000.0)
    """Epochs of linear warm-up; fractions are meant."""
    clip_grad_norm: float = within(5.0, 0.0, 1e6)
    """Longest gradient (Euclidean norm over all weights); 0 never clips."""
    ema_decay: float = within(0.999, 0.0, 0.999999)
    """Decay per step of the moving average of the weights that inference uses; 0 keeps the last."""
    patience: int = within(0, 0, 100_000)
    """Epochs without a better validation score after which training stops; 0 never stops early."""
    valid_share: float = within(0.1, 0.01, 0.5)
    """Share of each class that is held out for validation, 0.01..0.5."""

    precision: str = one_of(AUTO, AUTO, FLOAT32, BFLOAT16)
    """"bf16" autocast, "fp32", or "auto": bf16 where this device is faster with it."""
    loader_workers: int = within(-1, -1, 256)
    """Threads that decode pictures, per rank; -1 uses the cores at hand. Never changes results."""

    def __post_init__(self) -> None:
        for item in fields(self):
            check_value(item, getattr(self, item.name))


def check_value(item: Field[Any], value: object) -> None:
    """Raise unless `value` is legal for the recipe field `item`.

    Raises:
        ConfigError: If it is of another type, outside the range, or none of the choices.
    """
    limits = item.metadata
    if "choices" in limits and value not in limits["choices"]:
        raise ConfigError(f"{item.name} is {value!r}; give one of {', '.join(limits['choices'])}.")
    if "low" not in limits:
        return
    low, high = limits["low"], limits["high"]
    whole = item.type == "int"
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{item.name} is {value!r}; give {kind} {low:g}..{high:g}.")
    # A NaN compares false with everything, so ask for what is wanted.
    if not low <= value <= high:
        raise ConfigError(f"{item.name} is {value:g}; give {low:g}..{high:g}.")
