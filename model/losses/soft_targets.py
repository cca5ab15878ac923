"""Class probabilities as targets, and the cross-entropy with them.

B batch, K classes.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from model.batch import UNKNOWN_LABEL


def soft_targets(
    labels: torch.Tensor,
    num_classes: int,
    smoothing: float,
    plausibility: torch.Tensor | None = None,
) -> torch.Tensor:
    """Class probabilities the loss aims at.

    Args:
        labels: Given class, int [B]; UNKNOWN_LABEL gives a row of zeros, which has no loss.
        num_classes: K.
        smoothing: Mass that is spread over all K classes, 0..1.
        plausibility: In which proportion the classes share that mass, float [B, K], >= 0, not
            all 0 in a row; None shares evenly. A 0 at the example's own class spreads all of the
            mass over the others, so the own class keeps exactly 1 - smoothing.

    Returns:
        Targets, float [B, K]; rows sum to 1, or to 0 where the label is unknown.

    Source: Szegedy et al., "Rethinking the Inception architecture", CVPR 2016, section 7.
        arXiv:1512.00567
    """
    known = labels != UNKNOWN_LABEL
    hard = functional.one_hot(labels.clamp(min=0), num_classes).float()
    if plausibility is None:
        return (hard * (1 - smoothing) + smoothing / num_classes) * known[:, None]
    shares = plausibility / plausibility.sum(dim=1, keepdim=True)
    return (hard * (1 - smoothing) + smoothing * shares) * known[:, None]


def has_label(targets: torch.Tensor) -> torch.Tensor:
    """1 where the target is known and 0 where its row is all zeros; float [B]."""
    return (targets.sum(dim=1) > 0).float()


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
