"""What models that never saw an example think of it: the table behind filters and ensembles.

M members, N examples, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from model.errors import CheckpointError

FILE = "out_of_fold.safetensors"
"""Its name inside a checkpoint."""


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Held-out predictions of all examples of a training set, in the set's order."""

    pred_probs: NDArray[np.float32]
    """Probabilities of each member, float [M, N, K]; NaN rows where a member learned from the
    example, or nobody predicted it."""
    given: NDArray[np.int64]
    """Given label, int [N]."""
    folds: NDArray[np.int64]
    """Fold of each example, int [N]; -1 for none."""

    @property
    def covered(self) -> NDArray[np.int64]:
        """Positions that every member predicted, ascending."""
        return np.flatnonzero(~np.isnan(self.pred_probs).any(axis=(0, 2)))

    def save(self, folder: Path) -> None:
        """Write the table into a checkpoint folder."""
        tensors = {"pred_probs": self.pred_probs, "given": self.given, "folds": self.folds}
        save_file(
            {name: np.ascontiguousarray(value) for name, value in tensors.items()}, folder / FILE
        )


def load_out_of_fold(folder: Path) -> OutOfFold | None:
    """The table of a checkpoint; None if it has none.

    Raises:
        CheckpointError: If it is damaged.
    """
    if not (folder / FILE).is_file():
        return None
    try:
        tensors = load_file(folder / FILE)
        return OutOfFold(tensors["pred_probs"], tensors["given"], tensors["folds"])
    except (SafetensorError, KeyError) as error:
        raise CheckpointError(
            f"{folder / FILE} is damaged: {error}. Use another checkpoint of the session."
        ) from error
