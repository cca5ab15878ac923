"""The loss that a recipe names, behind one signature.

N examples, B batch, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from model.config import (
    BI_TEMPERED,
    CROSS_ENTROPY,
    DOUBLE_SOFTMAX,
    ELR,
    FOCAL,
    GCE,
    NEGATIVE,
    Recipe,
)
from model.losses.bi_tempered import bi_tempered_loss
from model.losses.early_learning import EarlyLearning
from model.losses.negative import NegativeLearning
from model.losses.robust import double_softmax_loss, focal_loss, generalized_cross_entropy
from model.losses.soft_targets import soft_cross_entropy

Formula = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Logits [B, K] and targets [B, K] to losses [B]."""


class LossFunction(Protocol):
    """Losses of the examples of a batch, and what they remember from one visit to the next."""

    def __call__(
        self, logits: torch.Tensor, targets: torch.Tensor, indices: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Loss of each example, with a gradient for the logits.

        Args:
            logits: Float [B, K].
            targets: Class probabilities, float [B, K]; a row of zeros has no loss.
            indices: Examples, int [B], 0..N-1; on any device.
            epoch: Epoch, 0-based.

        Returns:
            Loss, float32 [B].
        """
        ...

    def tensors(self) -> dict[str, torch.Tensor]:
        """What a later `restore` needs, by name: the live tensors; may be empty."""
        ...

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Go on from what `tensors` of an equal loss returned; an empty table starts afresh."""
        ...


@dataclass(frozen=True)
class Memoryless:
    """A loss that depends on logits and targets only."""

    formula: Formula

    def __call__(
        self, logits: torch.Tensor, targets: torch.Tensor, indices: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Loss of each example, float32 [B]; `indices` and `epoch` have no influence."""
        return self.formula(logits, targets)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Nothing."""
        return {}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Nothing to take over."""


def build_loss(
    recipe: Recipe,
    *,
    class_counts: NDArray[np.int64],
    num_examples: int,
    device: torch.device,
) -> LossFunction:
    """The loss that `recipe.loss` names, with the recipe's settings.

    Args:
        recipe: Names the loss and its settings; its seed draws complementary classes.
        class_counts: Labelled training examples of each class, int [K], all > 0.
        num_examples: N, one more than the largest index that the loss will see.
        device: Where logits and targets will lie.

    Returns:
        The loss; its memory, if it has one, is empty.
    """
    if recipe.loss == ELR:
        return EarlyLearning(
            num_examples=num_examples,
            num_classes=len(class_counts),
            strength=recipe.elr_strength,
            memory=recipe.elr_memory,
            device=device,
        )
    if recipe.loss == NEGATIVE:
        weights = torch.from_numpy(class_counts.max() / class_counts).float()
        return NegativeLearning(recipe.seed, weights.to(device))
    return Memoryless(_formula(recipe))


def _formula(recipe: Recipe) -> Formula:
    formulas: dict[str, Formula] = {
        CROSS_ENTROPY: soft_cross_entropy,
        DOUBLE_SOFTMAX: double_softmax_loss,
        FOCAL: partial(focal_loss, gamma=recipe.focal_gamma),
        GCE: partial(generalized_cross_entropy, q=recipe.gce_q),
        BI_TEMPERED: partial(bi_tempered_loss, t1=recipe.bi_tempered_t1, t2=recipe.bi_tempered_t2),
    }
    return formulas[recipe.loss]
