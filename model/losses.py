"""Cross-entropy for soft targets.

B batch, K classes.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from model.batch import UNKNOWN_LABEL


def soft_targets(labels: torch.Tensor, num_classes: int, smoothing: float) -> torch.Tensor:
    """Class probabilities the loss aims at.

    Args:
        labels: Given class, int [B]; UNKNOWN_LABEL gives a row of zeros, which has no loss.
        num_classes: K.
        smoothing: Mass that is spread evenly over all K classes, 0..1.

    Returns:
        Targets, float [B, K]; rows sum to 1, or to 0 where the label is unknown.

    Source: Szegedy et al., "Rethinking the Inception architecture", CVPR 2016, section 7.
    """
    known = labels != UNKNOWN_LABEL
    hard = functional.one_hot(labels.clamp(min=0), num_classes).float()
    return (hard * (1 - smoothing) + smoothing / num_classes) * known[:, None]


def soft_cross_entropy(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of each example.

    Args:
        logits: Float [B, K].
        targets: Class probabilities, float [B, K].

    Returns:
        Loss, float32 [B], >= 0.
    """
    return -(targets * functional.log_softmax(logits.float(), dim=1)).sum(dim=1)


def class_offsets(class_counts: torch.Tensor, strength: float) -> torch.Tensor:
    """What training adds to the logits, so that rare classes need no head start at inference.

    Args:
        class_counts: Training examples of each class, [K], all > 0.
        strength: tau; 0 gives zeros, 1 makes the balanced error consistent.

    Returns:
        tau * log(share of the class), float32 [K].

    Source: Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, section 5.
        arXiv:2007.07314
    """
    shares = class_counts.double() / class_counts.sum()
    return (strength * shares.log()).float()
