"""How each example fared in each epoch of a training.

N examples, E epochs, B batch, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.ranks import RankGroup

MEASURES = 3
"""Numbers kept of an example: loss, logit margin, confidence in its label."""


@dataclass(frozen=True, eq=False)
class Dynamics:
    """Training dynamics, as seen in the training pass: augmented, and before the step.

    Source: Swayamdipta et al., "Dataset cartography", EMNLP 2020. arXiv:2009.10795
    """

    losses: NDArray[np.float32]
    """Plain cross-entropy with the label, float [E, N]; NaN where it was not visited."""
    margins: NDArray[np.float32]
    """Logit of the label minus the largest other one, float [E, N]."""
    confidences: NDArray[np.float32]
    """Probability of the label, float [E, N], 0..1."""


@dataclass
class DynamicsRecorder:
    """Collects the dynamics while a training runs."""

    num_examples: int
    """N."""
    epochs: list[NDArray[np.float32]] = field(default_factory=list[NDArray[np.float32]])
    """Finished epochs, float [MEASURES, N] each."""
    _open: torch.Tensor | None = None
    """The epoch under way: MEASURES sums and the number of visits, float64 [MEASURES + 1, N]."""

    def see(self, indices: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Note one batch.

        Args:
            indices: Examples, int [B].
            logits: Float [B, K].
            labels: Labels, int [B]; UNKNOWN_LABEL is not noted.
        """
        if self._open is None:
            self._open = torch.zeros(MEASURES + 1, self.num_examples, dtype=torch.float64)
        known = (labels != UNKNOWN_LABEL).cpu()
        scores = logits.detach().float().cpu()[known]
        rows = labels.cpu()[known, None]
        log_probs = scores.log_softmax(dim=1).gather(1, rows)[:, 0]
        own = scores.gather(1, rows)[:, 0]
        others = scores.scatter(1, rows, -torch.inf).amax(dim=1)
        measured = torch.stack([-log_probs, own - others, log_probs.exp(), torch.ones_like(own)])
        self._open.index_add_(1, indices.cpu()[known], measured.double())

    def close_epoch(self, group: RankGroup, device: torch.device) -> None:
        """End an epoch: every rank gets what all ranks saw."""
        if self._open is None:
            self._open = torch.zeros(MEASURES + 1, self.num_examples, dtype=torch.float64)
        sums = group.sum(self._open.to(device)).cpu()
        visits = sums[MEASURES].masked_fill(sums[MEASURES] == 0, torch.nan)
        self.epochs.append((sums[:MEASURES] / visits).float().numpy())
        self._open = None

    def result(self) -> Dynamics:
        """What was seen so far."""
        history = np.stack(self.epochs, axis=1)
        return Dynamics(*history)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The finished epochs, for a later `restore`."""
        return {f"{number}": torch.from_numpy(epoch) for number, epoch in enumerate(self.epochs)}

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Go on after the epochs that `tensors` returned."""
        self.epochs = [tensors[f"{number}"].numpy() for number in range(len(tensors))]
