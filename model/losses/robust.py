"""Losses without memory, beside cross-entropy.

B batch, K classes, p the softmax of the logits, t the targets.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from model.losses.soft_targets import has_label, soft_cross_entropy


def double_softmax_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cross-entropy that takes probabilities for logits, as the organisers' baseline does.

    Its softmax of a softmax never gives a class more than e / (e + K - 1), so the loss stays above
    a floor and its gradient fades early: a handicap, kept for comparison.

    Args:
        logits: Float [B, K].
        targets: Class probabilities, float [B, K].

    Returns:
        Loss, float32 [B], > 0, or 0 where the target is all zeros.
    """
    return soft_cross_entropy(logits.float().softmax(dim=1), targets)


def focal_loss(logits: torch.Tensor, targets: torch.Tensor, gamma: float) -> torch.Tensor:
    """Cross-entropy in which well-learned examples count less: sum_k t_k (1-p_k)^gamma (-log p_k).

    Args:
        logits: Float [B, K].
        targets: Class probabilities, float [B, K].
        gamma: Focusing exponent, >= 0; 0 is cross-entropy.

    Returns:
        Loss, float32 [B], >= 0.

    Source: Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 4.
        arXiv:1708.02002
    """
    log_probs = functional.log_softmax(logits.float(), dim=1)
    # 1 - p without cancellation; the floor keeps the slope of a root (gamma < 1) finite at p = 1.
    doubts = (-torch.expm1(log_probs)).clamp(min=torch.finfo(torch.float32).tiny)
    return -(targets * doubts**gamma * log_probs).sum(dim=1)


def generalized_cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, q: float
) -> torch.Tensor:
    """Between cross-entropy and mean absolute error: (1 - <t, p>^q) / q.

    Args:
        logits: Float [B, K].
        targets: Class probabilities, float [B, K]; one-hot gives the paper's loss.
        q: Exponent, above 0 up to 1; towards 0 it is -log <t, p>, at 1 it is 1 - <t, p>.

    Returns:
        Loss, float32 [B], 0..1/q.

    Source: Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks
        with noisy labels", NeurIPS 2018, equation 6. arXiv:1805.07836
    """
    known = has_label(targets)
    # The logarithm of zero mass has no gradient, so unknown rows aim anywhere and count nothing.
    aims = torch.where(known[:, None] > 0, targets, 1.0)
    log_probs = functional.log_softmax(logits.float(), dim=1)
    log_hit = torch.logsumexp(log_probs + aims.log(), dim=1)
    return -torch.expm1(q * log_hit) / q * known
