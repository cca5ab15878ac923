"""What one training learns from and is judged by.

N examples, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.batch import UNKNOWN_LABEL
from model.split import Split


@dataclass(frozen=True, eq=False)
class Lesson:
    """Who learns which label, and who is held out.

    Validation always goes by the labels of the source, whatever a filter thinks of them: only so
    do trainings on different labels compare.
    """

    split: Split
    labels: NDArray[np.int64]
    """Label to learn, int [N]; UNKNOWN_LABEL where it was dropped."""
    weights: NDArray[np.float32] | None = None
    """Weight of each example in the loss, float [N], >= 0; None counts all alike."""

    def taught(self, *, unlabelled: bool) -> NDArray[np.int64]:
        """Positions that a training visits, ascending, int [T].

        Args:
            unlabelled: Whether examples without a label take part, as they do where the loss also
                asks for consistency.
        """
        train = self.split.train
        return train if unlabelled else train[self.labels[train] != UNKNOWN_LABEL]

    def learned_labels(self) -> NDArray[np.int64]:
        """The labels of the training side; UNKNOWN_LABEL everywhere else, int [N]."""
        labels = np.full(len(self.labels), UNKNOWN_LABEL, dtype=np.int64)
        labels[self.split.train] = self.labels[self.split.train]
        return labels
