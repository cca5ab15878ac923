"""The bi-tempered logistic loss: bounded for wrong labels, heavy-tailed near the boundary.

B batch, K classes, a logits, p tempered probabilities, t targets.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from model.losses.soft_targets import has_label

NORMALISATION_STEPS = 5
"""Newton steps towards the normalisation: rows of 2 to 1000 logits up to +-1000 sum to 1 within
3e-6 after them, for t2 up to 4."""


def bi_tempered_loss(
    logits: torch.Tensor, targets: torch.Tensor, t1: float, t2: float
) -> torch.Tensor:
    """Bregman divergence between targets and tempered probabilities.

    sum_k t_k (log_t1 t_k - log_t1 p_k) - (t_k^(2-t1) - p_k^(2-t1)) / (2-t1), with
    log_s x = (x^(1-s) - 1) / (1-s). At t1 = t2 = 1 this is the cross-entropy less the entropy of
    the targets, so the cross-entropy itself where they are one-hot.

    Args:
        logits: Float [B, K].
        targets: Class probabilities, float [B, K].
        t1: Temperature of the logarithm, 0..1; below 1 no example costs more than 1 / (1-t1).
        t2: Temperature of the softmax, >= 1; above 1 its tails are heavy.

    Returns:
        Loss, float32 [B], >= 0.

    Source: Amid et al., "Robust bi-tempered logistic loss based on Bregman divergences", NeurIPS
        2019, equation 5. arXiv:1906.03361
    """
    log_probs = tempered_log_softmax(logits.float(), t2)
    # x log_t x is 0 at 0; any finite logarithm gives that.
    log_targets = targets.clamp(min=torch.finfo(torch.float32).tiny).log()
    gaps = _tempered(log_targets, t1) - _tempered(log_probs, t1)
    power = 2 - t1
    masses = (targets**power - (power * log_probs).exp()) / power
    return (targets * gaps - masses).sum(dim=1) * has_label(targets)


def tempered_log_softmax(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Logarithm of the tempered softmax.

    p_k = (1 + (t2-1)(c - a_k))^(-1/(t2-1)), where c makes the row sum to 1; the limit at t2 = 1 is
    the softmax.

    Args:
        logits: Float [B, K].
        temperature: t2, >= 1.

    Returns:
        Natural logarithms, float [B, K]; their gradient is that of the exact normalisation.

    Source: Amid et al., 2019, equations 3 and 4; the normalisation is Newton's method where their
        algorithm 1 iterates a fixed point.
    """
    if temperature == 1:
        return functional.log_softmax(logits, dim=1)
    # Nothing changes when all logits move together; with the largest at 0, c begins at 0.
    shifted = logits - logits.detach().amax(dim=1, keepdim=True)
    with torch.no_grad():
        normaliser = torch.zeros_like(shifted[:, :1])
        for _ in range(NORMALISATION_STEPS):
            normaliser = _newton_step(shifted, normaliser, temperature)
    # One more step, now with a gradient: at the solution it is the implicit derivative of c, so the
    # steps before need none.
    normaliser = _newton_step(shifted, normaliser, temperature)
    return _log_probs(shifted, normaliser, temperature)


def _newton_step(
    logits: torch.Tensor, normaliser: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Next estimate of c, [B, 1], from Newton's method on Z^(1-t2) = 1 with Z = sum_k p_k.

    This power of Z is nearly straight in c, and exactly straight for a single class, so no start
    overshoots. The slope dZ/dc = -sum_k p_k^t2 takes no gradient: at the solution it is multiplied
    by zero.
    """
    log_probs = _log_probs(logits, normaliser, temperature)
    mass = log_probs.exp().sum(dim=1, keepdim=True)
    slope = (temperature * log_probs.detach()).exp().sum(dim=1, keepdim=True)
    excess = temperature - 1
    # Newton on Z^(1-t2) - 1, solved for the step: Z (1 - Z^(t2-1)) / ((1-t2) slope).
    return normaliser + mass * torch.expm1(excess * mass.log()) / (excess * slope)


def _log_probs(logits: torch.Tensor, normaliser: torch.Tensor, temperature: float) -> torch.Tensor:
    excess = temperature - 1
    # log1p keeps all digits where t2 is close to 1.
    return -torch.log1p(excess * (normaliser - logits)) / excess


def _tempered(logarithms: torch.Tensor, temperature: float) -> torch.Tensor:
    """log_s x from the natural logarithm of x."""
    if temperature == 1:
        return logarithms
    return torch.expm1((1 - temperature) * logarithms) / (1 - temperature)
