"""Early-learning regularisation: what the network first believed restrains what it memorises.

N examples, B batch, K classes.
"""

from __future__ import annotations

import torch

from model.errors import CheckpointError
from model.losses.soft_targets import has_label, soft_cross_entropy

LEAST_PROBABILITY = 1e-4
"""Probabilities are kept this far from 0 and 1, as in the authors' code."""
TARGETS = "targets"
"""Name of the memory among the stored tensors."""


class EarlyLearning:
    """Cross-entropy plus lambda log(1 - <t_i, p_i>), with t_i the example's averaged predictions.

    The second term falls without bound while predictions agree with earlier ones, so the gradient
    of a wrong label that comes late is cancelled.

    Source: Liu et al., "Early-learning regularization prevents memorization of noisy labels",
        NeurIPS 2020, equation 6; clipping and normalisation from the authors' code.
        arXiv:2007.00151
    """

    def __init__(
        self,
        *,
        num_examples: int,
        num_classes: int,
        strength: float,
        memory: float,
        device: torch.device,
    ) -> None:
        """Begin without memories.

        Args:
            num_examples: N.
            num_classes: K.
            strength: lambda, >= 0.
            memory: beta, 0..1: share of its old target that an example keeps per visit.
            device: Where the memory lies; that of the logits.
        """
        self.strength = strength
        self.memory = memory
        self.targets = torch.zeros(num_examples, num_classes, device=device)
        """Averaged predictions, float [N, K]; rows sum to 1 - beta^visits."""

    def __call__(
        self, logits: torch.Tensor, targets: torch.Tensor, indices: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Loss of each example; remembers the predictions.

        Args:
            logits: Float [B, K].
            targets: Class probabilities, float [B, K].
            indices: Examples, int [B].
            epoch: Has no influence.

        Returns:
            Loss, float32 [B]; below 0 where a long-held belief is confident.
        """
        probs = logits.float().softmax(dim=1).clamp(LEAST_PROBABILITY, 1 - LEAST_PROBABILITY)
        believed = self._remember(indices, probs.detach())
        agreement = (believed * probs).sum(dim=1)
        restraint = torch.log(1 - agreement) * has_label(targets)
        return soft_cross_entropy(logits, targets) + self.strength * restraint

    def _remember(self, indices: torch.Tensor, probs: torch.Tensor) -> torch.Tensor:
        """Move the examples' targets towards `probs`; returns them, float [B, K]."""
        # A balanced sampler may show an example twice in a batch: the mean of both is one visit,
        # so that no order of writing decides.
        visited, place, visits = indices.unique(return_inverse=True, return_counts=True)
        device = self.targets.device
        visited, place, visits = visited.to(device), place.to(device), visits.to(device)
        sums = torch.zeros(len(visited), probs.shape[1], device=device)
        sums.index_add_(0, place, probs / probs.sum(dim=1, keepdim=True))
        fresh = sums / visits[:, None]
        self.targets[visited] = self.memory * self.targets[visited] + (1 - self.memory) * fresh
        return self.targets[visited][place]

    def tensors(self) -> dict[str, torch.Tensor]:
        """The memory itself, not a copy: {"targets": float [N, K]}."""
        return {TARGETS: self.targets}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Go on from what `tensors` returned; an empty table leaves the memory as it is.

        Raises:
            CheckpointError: If it is of another number of examples or classes.
        """
        if not tensors:
            return
        found = tensors[TARGETS]
        if found.shape != self.targets.shape:
            raise CheckpointError(
                f"The stored early-learning targets are {list(found.shape)}, this training needs "
                f"{list(self.targets.shape)}. Resume with the data the session began with."
            )
        self.targets.copy_(found)
