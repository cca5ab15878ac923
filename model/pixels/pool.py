"""Memory of batches, used again as soon as nobody looks at it any more.

Fresh memory of this size comes page by page from the system, which for cached pictures costs a
tenth of the work. So a batch's pixels lie in an array that goes back into the pool when the last
tensor that shows any part of it is gone; a consumer may keep a batch for as long as it likes.
"""

from __future__ import annotations

import weakref

import numpy as np
import torch
from numpy.typing import NDArray


class BatchMemory:
    """Room for batches of one shape; may be used by several threads."""

    def __init__(self, batch_size: int, size: int) -> None:
        """Nothing is allocated yet.

        Args:
            batch_size: Most pictures of a batch, B.
            size: Side of the pictures, S.
        """
        self._shape = batch_size, size, size, 3
        self._free: list[NDArray[np.uint8]] = []

    def take(self, count: int) -> torch.Tensor:
        """Memory for `count` pictures, uint8 [count, S, S, 3], its content undefined.

        Where CUDA is available it is page-locked and torch's own allocator uses it again, because
        only that one knows when the last copy to the device has ended.
        """
        if torch.cuda.is_available():
            return torch.empty((count, *self._shape[1:]), dtype=torch.uint8, pin_memory=True)
        try:
            whole = self._free.pop()
        except IndexError:
            whole = np.empty(self._shape, dtype=np.uint8)
        part = whole[:count]
        # All that is made of the tensor keeps its storage alive, and that alone keeps `part`.
        weakref.finalize(part, self._free.append, whole).atexit = False
        return torch.from_numpy(part)
