"""The contract between the images on disk (`data_loader`) and the network (`model`).

Letters used in shapes: N examples, B batch, S input size in pixels, K classes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

UNKNOWN_LABEL = -1
"""Label of an example whose class is not known, or that must not count in the loss."""

GREY = 128
"""Every channel of what stands in for pixels that a picture does not have; near the mean of most
pixel statistics, so that the network sees almost nothing there."""

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels of the upright image; fractions are meant."""


class Framing(Protocol):
    """Which part of an image fills the network's input.

    The loader asks for the box *before* it decodes, so that it decodes no more than the box needs.
    """

    @property
    def size(self) -> int:
        """Side of the square network input, pixels."""
        ...

    @property
    def pads(self) -> bool:
        """Whether a box may reach over the picture's edges; what lies outside becomes GREY."""
        ...

    def box(self, width: int, height: int, index: int) -> Box:
        """Box that is resized to size x size; `index` names the example, for replayable crops."""
        ...


@dataclass(frozen=True)
class Batch:
    """Examples on their way to the network; pixels stay bytes until they are on the device."""

    images: torch.Tensor
    """RGB pixels, uint8 [B, S, S, 3]; an unreadable file is a uniform grey square."""
    labels: torch.Tensor
    """Given class, int64 [B], 0..K-1; UNKNOWN_LABEL where there is none."""
    indices: torch.Tensor
    """Position of each example in its source, int64 [B]."""
    readable: torch.Tensor
    """False where the file could not be decoded and `images` holds the substitute, bool [B]."""


class ExampleSource(Protocol):
    """A set of labelled images with product categories, readable in any order."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Given class of each example, [N]; UNKNOWN_LABEL where there is none."""
        ...

    @property
    def categories(self) -> Sequence[tuple[str, ...]]:
        """Product category of each example, broadest level first, N tuples; may be empty tuples."""
        ...

    def __len__(self) -> int:
        """Number of examples, N."""
        ...

    def batches(
        self, order: NDArray[np.int64], *, batch_size: int, framing: Framing, workers: int
    ) -> Iterator[Batch]:
        """Batches of the examples `order` names, in exactly that order, whatever `workers` is.

        The last batch may be smaller.
        """
        ...

    def duplicate_groups(self, workers: int) -> NDArray[np.int64]:
        """Group number of each example, int [N]; near-duplicate pictures share one.

        Args:
            workers: Threads that look at the pictures.
        """
        ...
