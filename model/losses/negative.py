"""Negative learning: an example is told one class that it is *not*.

B batch, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from model.losses.soft_targets import has_label
from model.seeding import Purpose, derive_seed, uniforms

LEAST_DOUBT = 1e-5
"""Smallest 1 - p in the logarithm, as in the authors' code."""


@dataclass(frozen=True, eq=False)
class NegativeLearning:
    """-log(1 - p_c) of a complementary class c, drawn anew for every example in every epoch.

    A wrong label names a wrong complementary class only once in K - 1 draws, so wrong labels are
    learned late.

    Source: Kim et al., "NLNL: Negative learning for noisy labels", ICCV 2019, equation 3; class
        weights and floor from the authors' code. arXiv:1908.07387
    """

    seed: int
    """Seed of the training."""
    class_weights: torch.Tensor
    """n_max / n_k of each class, float32 [K], on the device of the logits."""

    def __call__(
        self, logits: torch.Tensor, targets: torch.Tensor, indices: torch.Tensor, epoch: int
    ) -> torch.Tensor:
        """Loss of each example.

        Args:
            logits: Float [B, K].
            targets: Class probabilities, float [B, K]; a soft target weighs its classes' losses
                and draws as if its label were drawn from it first.
            indices: Examples, int [B].
            epoch: Epoch, 0-based.

        Returns:
            Loss, float32 [B], >= 0.
        """
        chosen = complementary_classes(targets, self.seed, epoch, indices)
        doubts = 1 - logits.float().softmax(dim=1).gather(1, chosen[:, None])[:, 0]
        weights = targets @ self.class_weights
        return -doubts.clamp(min=LEAST_DOUBT).log() * weights * has_label(targets)

    def tensors(self) -> dict[str, torch.Tensor]:
        """Nothing: the draws are hashed from seed, epoch and example."""
        return {}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Nothing to take over."""


def complementary_classes(
    targets: torch.Tensor, seed: int, epoch: int, indices: torch.Tensor
) -> torch.Tensor:
    """One class per example that its label is not, each of the others as likely.

    Args:
        targets: Class probabilities, float [B, K]; with a soft target, class c is drawn with
            probability (1 - t_c) / (K - 1). A row of zeros draws from all classes.
        seed: Seed of the training.
        epoch: Epoch, 0-based.
        indices: Examples, int [B].

    Returns:
        Classes, int [B].
    """
    key = derive_seed(seed, Purpose.COMPLEMENT, epoch)
    draws = torch.from_numpy(uniforms(key, indices.cpu().numpy(), 1)).to(targets.device)
    edges = (1 - targets.double()).clamp(min=0).cumsum(dim=1)
    # Scaled by the row's own sum, a draw below 1 never passes the last class that can be drawn.
    return torch.searchsorted(edges, draws * edges[:, -1:], right=True)[:, 0]
