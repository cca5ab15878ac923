"""Boxes of many pictures, resized to squares on whatever device their pixels lie.

Pillow's bilinear filter with antialiasing, at fractional edges: each output pixel is a weighted sum
of the few source pixels that its triangle covers. The sums are taken tap by tap, in one order, so
that a picture's pixels depend neither on its batch nor on how that was divided.

B pictures of a batch, P pixels of all pictures, S side of the squares, T taps, R rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from numpy.typing import NDArray

from model.batch import GREY

WORKING_PIXELS = 2**24
"""Pixels that are resized at once, which then take up about 0.6 GB; one picture may have more."""
HAIR = 1e-6
"""Share of a side by which rounding may put an edge outside the picture."""


@dataclass(frozen=True, eq=False)
class Places:
    """Where pictures lie in a long row of pixels, and what is wanted of each."""

    starts: NDArray[np.int64]
    """First pixel of each picture, [B]; its rows follow one another."""
    widths: NDArray[np.int64]
    """Columns, [B]."""
    heights: NDArray[np.int64]
    """Rows, [B]."""
    boxes: NDArray[np.float64]
    """left, top, right, bottom in pixels, [B, 4]; may reach over the edges."""

    def __len__(self) -> int:
        return len(self.starts)


def crop_batch(row: torch.Tensor, places: Places, size: int) -> torch.Tensor:
    """The box of each picture as a square; what lies outside the picture is GREY.

    Args:
        row: RGB of all pixels, uint8 [P, 3].
        places: The pictures among them, and the boxes.
        size: S.

    Returns:
        uint8 [B, S, S, 3] on the row's device. Nothing waits for it.
    """
    out = torch.empty((len(places), size, size, 3), dtype=torch.uint8, device=row.device)
    reach = np.maximum(1.0, (places.boxes[:, 2:] - places.boxes[:, :2]) / size)
    tops = np.floor(places.boxes[:, 1] - reach[:, 1]).clip(0, places.heights - 1)
    bottoms = np.ceil(places.boxes[:, 3] + reach[:, 1]).clip(tops + 1, places.heights)
    columns = places.starts, places.widths, places.heights, tops, bottoms - tops
    table = np.column_stack([places.boxes, *columns]).astype(np.float64)
    # One copy; whole numbers up to 2^53 are exact. The driver takes it over before it returns.
    numbers = torch.from_numpy(table).to(row.device, non_blocking=True)
    for part in _portions(table[:, -1], size):
        taps = np.ceil(2 * reach[part].max(axis=0)).astype(int).tolist()
        rows = int(table[part, -1].max())
        out[part] = _cropped(row, numbers[part], (taps[0], taps[1]), rows, size)
    return out


def _portions(rows: NDArray[np.float64], size: int) -> Iterator[slice]:
    """Neighbours whose windows of `rows` rows, all as high as the highest, fit into the budget."""
    begin, highest = 0, 0.0
    for end, own in enumerate(rows.tolist()):
        highest = max(highest, own)
        if end > begin and (end - begin + 1) * highest * size > WORKING_PIXELS:
            yield slice(begin, end)
            begin, highest = end, own
    if len(rows):
        yield slice(begin, len(rows))


def _cropped(
    row: torch.Tensor, numbers: torch.Tensor, taps: tuple[int, int], rows: int, size: int
) -> torch.Tensor:
    """A portion of `crop_batch`.

    Args:
        row: As there.
        numbers: Box, start, width, height, first row and number of rows that count, float [B, 9].
        taps: Most source pixels of an output pixel, across and down.
        rows: R, most rows that count.
        size: S.
    """
    left, top, right, bottom, *whole = numbers.unbind(dim=1)
    start, width, height, first, count = (number.long()[:, None] for number in whole)
    across, shares = _taps(left, right, width, size=size, taps=taps[0])
    down, weights = _taps(top, bottom, height, size=size, taps=taps[1])
    window = torch.minimum(torch.arange(rows, device=row.device), count - 1) + first  # [B, R]
    begins = (start + window * width)[:, :, None]
    lines = GREY * (1 - _total(shares))[:, None, :, None]
    lines = lines.expand(-1, rows, -1, 3).contiguous()  # [B, R, S, 3]
    for tap in range(taps[0]):
        pixels = row.index_select(0, (begins + across[:, None, :, tap]).flatten())
        lines.addcmul_(pixels.view(lines.shape), shares[:, None, :, tap, None])
    flat = lines.view(len(numbers) * rows, size * 3)
    offset = torch.arange(len(numbers), device=row.device)[:, None] * rows - first
    square = GREY * (1 - _total(weights))[:, :, None]
    square = square.expand(-1, -1, size * 3).contiguous()  # [B, S, 3 * S]
    for tap in range(taps[1]):
        chosen = torch.clamp(down[:, :, tap], first, first + count - 1) + offset
        line = flat.index_select(0, chosen.flatten()).view(square.shape)
        square.addcmul_(line, weights[:, :, tap, None])
    square = square.add_(0.5).clamp_(0, 255).to(torch.uint8)
    return square.view(len(numbers), size, size, 3)


def _taps(
    low: torch.Tensor, high: torch.Tensor, length: torch.Tensor, *, size: int, taps: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which source pixels make up each output pixel of one axis, and their shares.

    Args:
        low: Where the box begins, float64 [B].
        high: Where it ends, float64 [B].
        length: Pixels of the picture, int [B, 1].
        size: S.
        taps: T.

    Returns:
        Source pixels inside the picture, int [B, S, T]; shares, float32 [B, S, T], 0 for what lies
        outside. They sum to 1 but for the grey that a box shows beyond an edge.

    Source: `precompute_coeffs` in Pillow's Resample.c.
    """
    low, high = low[:, None], high[:, None]
    step = (high - low) / size
    reach = step.clamp(min=1.0)
    centre = low + (torch.arange(size, device=low.device) + 0.5) * step  # [B, S]
    first = (centre - reach + 0.5).floor()
    place = first[:, :, None] + torch.arange(taps, device=low.device)  # [B, S, T]
    distance = (place + 0.5 - centre[:, :, None]).abs()
    weight = (1 - distance / reach[:, :, None]).clamp(min=0)
    before, behind = place < 0, place >= length[:, :, None]
    grey_before, grey_behind = low < -HAIR * length, high > length * (1 + HAIR)
    # Beyond an edge that the box does not cross there is nothing, and the others share its part.
    nothing = (before & ~grey_before[:, :, None]) | (behind & ~grey_behind[:, :, None])
    weight = weight.masked_fill(nothing, 0.0)
    weight = weight / _total(weight)[:, :, None]
    weight = weight.masked_fill(before | behind, 0.0).float()
    return torch.minimum(place.long().clamp(min=0), length[:, :, None] - 1), weight


def _total(weights: torch.Tensor) -> torch.Tensor:
    """Sum over the taps, [B, S], one after the other: further taps of no weight change nothing."""
    return reduce(torch.add, weights.unbind(dim=2))
