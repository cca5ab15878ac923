"""Real pictures with noisy labels of people and shops, in memory, and how they are scored.

The archives come from outside the repository and stay there; their README says what is in them.
N training pictures, M test pictures, H x W pixels, S input side, B batch, K classes.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from PIL import Image

from model.batch import UNKNOWN_LABEL, Batch, Framing
from model.metrics import confusion_matrix

CIFAR, FASHION = "cifar10n_dev.npz", "fashion5_dev.npz"
"""The archives."""
COMPETITION_SHARES = (33.0, 25.0, 1.5, 12.0, 100.0)
"""How common each class of the imb5 sets is where the predictions are to be used."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one size, decoded once: an `ExampleSource`."""

    pixels: NDArray[np.uint8]
    """RGB, [N, H, W, 3]."""
    labels: NDArray[np.int64]
    """Given class, int [N]; UNKNOWN_LABEL where there is none."""
    categories: Sequence[tuple[str, ...]]
    """Product category of each picture, broadest level first, N tuples."""
    groups: NDArray[np.int64]
    """Pictures of one product share a number, int [N]."""

    def __len__(self) -> int:
        return len(self.pixels)

    def batches(
        self, order: NDArray[np.int64], *, batch_size: int, framing: Framing, workers: int
    ) -> Iterator[Batch]:
        """Batches in the given order; nothing is left to decode, so `workers` has no work.

        Raises:
            ValueError: If the framing pads, which these pictures do not need.
        """
        if framing.pads:
            raise ValueError("These pictures cannot be padded; use another framing.")
        _, height, width, _ = self.pixels.shape
        for start in range(0, len(order), batch_size):
            indices = order[start : start + batch_size]
            boxes = np.array([framing.box(width, height, int(index)) for index in indices])
            yield Batch(
                resized(torch.from_numpy(self.pixels[indices]), boxes, framing.size),
                torch.from_numpy(self.labels[indices]),
                torch.from_numpy(indices),
                torch.ones(len(indices), dtype=torch.bool),
            )

    def duplicate_groups(self, workers: int) -> NDArray[np.int64]:
        """The groups that came with the data."""
        return self.groups


@dataclass(frozen=True, eq=False)
class RealSet:
    """A training set with given labels, and a test set that only the score looks at."""

    name: str
    class_names: tuple[str, ...]
    train: Pictures
    train_truth: NDArray[np.int64]
    """True class of each training picture, int [N]; nothing but the arm "clean" looks at it."""
    test: Pictures
    test_labels: NDArray[np.int64]
    """True class of each test picture, int [M]."""
    class_weights: NDArray[np.float64]
    """Weight of a test picture of each class, float [K]."""

    def score(self, predicted: NDArray[np.int64]) -> NDArray[np.float64]:
        """F1 of each class under the shares that the set stands for, float [K].

        A test set with the same number of pictures of every class measures the rare ones well;
        weighting its pictures gives the F1 that a test set of unequal shares would have.

        Args:
            predicted: Class of each test picture, int [M].
        """
        counts = confusion_matrix(self.test_labels, predicted, len(self.class_names))
        weighted = counts * self.class_weights[:, None]
        hits, seen = np.diag(weighted), weighted.sum(axis=0) + weighted.sum(axis=1)
        return np.divide(2 * hits, seen, out=np.zeros_like(hits), where=seen > 0)


def resized(pixels: torch.Tensor, boxes: NDArray[np.float64], size: int) -> torch.Tensor:
    """A box of each picture as a square, antialiased as Pillow's bilinear resize does it.

    Args:
        pixels: uint8 [B, H, W, 3].
        boxes: left, top, right, bottom in pixels, float [B, 4].
        size: S.

    Returns:
        uint8 [B, S, S, 3].
    """
    _, height, width, _ = pixels.shape
    down = _triangles(boxes[:, 1], boxes[:, 3], size, height)  # [B, S, H]
    across = _triangles(boxes[:, 0], boxes[:, 2], size, width)  # [B, S, W]
    # Colours go between the axes, so that both products work on plain matrices.
    planes = pixels.transpose(2, 3).float().flatten(2)  # [B, H, 3 * W]
    rows = torch.bmm(down, planes).view(len(pixels), size * 3, width)
    square = torch.bmm(rows, across.transpose(1, 2)).view(len(pixels), size, 3, size)
    square = square.add_(0.5).clamp_(0, 255).to(torch.uint8)
    return square.transpose(2, 3).contiguous()


def _triangles(
    start: NDArray[np.float64], end: NDArray[np.float64], size: int, length: int
) -> torch.Tensor:
    """Share of each source pixel in each output pixel of one axis, float [B, size, length]."""
    scale = ((end - start) / size)[:, None, None]
    centres = start[:, None, None] + (np.arange(size)[None, :, None] + 0.5) * scale
    distance = np.abs(np.arange(length)[None, None, :] + 0.5 - centres)
    weights = np.maximum(0.0, 1.0 - distance / np.maximum(1.0, scale))
    return torch.from_numpy((weights / weights.sum(axis=2, keepdims=True)).astype(np.float32))


def load_set(name: str, folder: Path) -> RealSet:
    """Read and decode one of SETS.

    Args:
        name: Which.
        folder: Where the archives are.

    Raises:
        FileNotFoundError: If the archive is not there.
    """
    archive, read = SETS[name]
    with np.load(folder / archive, allow_pickle=False) as data:
        return read(name, data)


def read_fashion(name: str, data: NpzFile) -> RealSet:
    """Shop photographs; the shop filed children's products under adults."""
    test = data["is_test"]
    pixels = decode(data["jpeg"], data["offset"], np.arange(len(test)))
    large, middle = data["large_names"][data["large"]], data["middle_names"][data["middle"]]
    paths = [(str(a), str(b)) for a, b in zip(large, middle, strict=True)]
    groups, given = data["group"].astype(np.int64), data["given"].astype(np.int64)

    def side(members: NDArray[np.int64], labels: NDArray[np.int64]) -> Pictures:
        return Pictures(pixels[members], labels, [paths[i] for i in members], groups[members])

    learn, held_out = np.flatnonzero(~test), np.flatnonzero(test)
    class_names = tuple(map(str, data["class_names"]))
    return RealSet(
        name,
        class_names,
        side(learn, given[learn]),
        data["clean"][learn].astype(np.int64),
        side(held_out, np.full(len(held_out), UNKNOWN_LABEL)),
        data["clean"][held_out].astype(np.int64),
        np.ones(len(class_names)),
    )


def read_balanced(name: str, data: NpzFile) -> RealSet:
    """CIFAR-10 in equal parts, each label by one person ("bal10_random1")."""
    positions, labels = name.split("_")
    members = data[positions].astype(np.int64)
    classes = np.arange(10)
    return _cifar(name, data, members=members, given=data[labels], classes=classes)


def read_competition(name: str, data: NpzFile) -> RealSet:
    """Five classes of CIFAR-10 in the competition's shares ("imb5_aggre" and the like)."""
    _, labels = name.split("_")
    members, classes = data[name].astype(np.int64), data["imb5_classes"].astype(np.int64)
    return _cifar(name, data, members=members, given=data[labels], classes=classes)


def decode(
    jpeg: NDArray[np.uint8], offset: NDArray[np.int64], members: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Pictures as RGB, all as large as the first of them, uint8 [N, H, W, 3].

    Args:
        jpeg: Files end to end, bytes.
        offset: File i is offset[i]:offset[i + 1].
        members: Which files, int [N].
    """
    files = (io.BytesIO(jpeg[offset[i] : offset[i + 1]].tobytes()) for i in members)
    pictures = [Image.open(file).convert("RGB") for file in files]
    size = pictures[0].size
    # One shop photograph is some pixels narrower than the others.
    return np.stack([np.asarray(item.resize(size, Image.Resampling.BILINEAR)) for item in pictures])


def _cifar(
    name: str,
    data: NpzFile,
    *,
    members: NDArray[np.int64],
    given: NDArray[np.uint8],
    classes: NDArray[np.int64],
) -> RealSet:
    """A part of CIFAR-10 whose classes are renumbered in the order of `classes`."""
    number = np.full(10, UNKNOWN_LABEL)
    number[classes] = np.arange(len(classes))
    truth = number[data["test_clean"]]
    tested = np.flatnonzero(truth != UNKNOWN_LABEL)
    competition = len(classes) == len(COMPETITION_SHARES)
    weights = np.array(COMPETITION_SHARES if competition else np.ones(len(classes)))

    def side(prefix: str, chosen: NDArray[np.int64], labels: NDArray[np.int64]) -> Pictures:
        pixels = decode(data[f"{prefix}jpeg"], data[f"{prefix}offset"], chosen)
        return Pictures(pixels, labels, [()] * len(chosen), np.arange(len(chosen)))

    return RealSet(
        name,
        tuple(str(data["class_names"][old]) for old in classes),
        side("", members, number[given[members]]),
        number[data["clean"][members]],
        side("test_", tested, np.full(len(tested), UNKNOWN_LABEL)),
        truth[tested],
        weights / weights.mean(),
    )


Reader = Callable[[str, NpzFile], RealSet]
SETS: dict[str, tuple[str, Reader]] = {
    "fashion5_dev": (FASHION, read_fashion),
    "imb5_aggre": (CIFAR, read_competition),
    "imb5m_aggre": (CIFAR, read_competition),
    "bal10_random1": (CIFAR, read_balanced),
}
"""Archive and reader of each set."""
