"""Near-duplicate pictures, found by a hash that re-encoding and resizing hardly change.

N pictures, B pictures of a batch, H different hashes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from model.batch import Box, Framing
from model.pixels.loader import PictureFiles, stream_batches

Hashes = NDArray[np.uint64]

THUMBNAIL = 32
"""Side of the grey picture that is hashed, pixels."""
FREQUENCIES = 8
"""Lowest frequencies of each axis that make the hash; their square is its number of bits."""
LUMA = (0.299, 0.587, 0.114)
"""Share of R, G and B in grey. Source: ITU-R BT.601."""
NO_HASH = 0
"""Stands for "cannot be compared". No picture has it: half of a hash's bits are always set."""
FEATURELESS = 2.0
"""Median deviation of the coefficients, in grey levels, below which rounding and compression decide
most bits; pictures of one colour, or of one even slope, would all look alike."""
NEAR = 4
"""Bits in which copies of a picture may differ; as half the bits are set, the number is even.
Of copies at JPEG quality 20 to 75 and 37 % to 100 % of the size 85 % to 96 % lie within 4 bits,
and 42 % to 70 % within 2; of 8 million pairs of different generated pictures, 2 do."""
SPARE_BLOCKS = 2
"""Blocks of the hash that candidates share; more of them make fewer candidates, but more passes."""
LONGEST_RUN = 64
"""Neighbours in one bucket that a hash is compared with, which bounds the time."""
LONGEST_CHAIN = 64
"""Different hashes that one group may hold. A picture has few variants: a longer chain is made of
unlike pictures, each near the next."""
BATCH = 256
"""Pictures that are decoded together."""


@dataclass(frozen=True)
class Squeeze:
    """The whole picture, squeezed into a small square."""

    size: int = THUMBNAIL
    """Side of the square, pixels."""
    pads: bool = False

    def box(self, width: int, height: int, index: int) -> Box:
        """Box of any picture; `index` has no influence."""
        return 0.0, 0.0, float(width), float(height)


@dataclass(frozen=True, eq=False)
class Fingerprints:
    """What can be told of pictures by a small copy of each."""

    hashes: Hashes
    """Perceptual hash, uint64 [N]; NO_HASH for unreadable and for featureless pictures."""
    readable: NDArray[np.bool_]
    """Whether the file could be decoded, bool [N]."""


def fingerprints(
    files: PictureFiles,
    *,
    workers: int,
    framing: Framing | None = None,
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Fingerprints:
    """Hash every picture; what is wrong with the files is counted in `files.tally`.

    Args:
        files: N pictures.
        workers: Decoding threads; they do not change the result.
        framing: Another framing of side THUMBNAIL than the whole picture.
        on_progress: Called as on_progress(stage, done, total) after every batch.
    """
    hashes = np.full(len(files.names), NO_HASH, dtype=np.uint64)
    readable = np.zeros(len(files.names), dtype=bool)
    order = np.arange(len(files.names), dtype=np.int64)
    framing = framing or Squeeze()
    done = 0
    for batch in stream_batches(files, order, batch_size=BATCH, framing=framing, workers=workers):
        positions = batch.indices.numpy()
        # The grey square in place of an unreadable picture has no features.
        hashes[positions] = picture_hashes(batch.images.numpy())
        readable[positions] = batch.readable.numpy()
        done += len(positions)
        if on_progress:
            on_progress("Looking at pictures", done, len(files.names))
    return Fingerprints(hashes, readable)


def picture_hashes(pixels: NDArray[np.uint8]) -> Hashes:
    """Perceptual hash of small pictures: which low frequencies are stronger than their median.

    Args:
        pixels: RGB, uint8 [B, THUMBNAIL, THUMBNAIL, 3].

    Returns:
        Hashes, uint64 [B]; the first bit is the mean, then row by row. NO_HASH where the picture
        has no features.

    Source: Zauner, "Implementation and benchmarking of perceptual image hash functions", 2010,
        section 3.2.1; laid out as in the Python package ImageHash.
    """
    grey = pixels.astype(np.float64) @ np.array(LUMA)
    waves = _cosines()
    strengths = (waves @ grey @ waves.T).reshape(len(pixels), FREQUENCIES**2)
    deviations = strengths - np.median(strengths, axis=1, keepdims=True)
    packed = np.packbits(deviations > 0, axis=1).view(">u8")[:, 0].astype(np.uint64)
    return np.where(np.median(np.abs(deviations), axis=1) < FEATURELESS, NO_HASH, packed)


def duplicate_groups(hashes: Hashes, *, distance: int = NEAR) -> NDArray[np.int64]:
    """Put pictures whose hashes are near each other, directly or by a short chain, into one group.

    Args:
        hashes: uint64 [N]; a picture with NO_HASH is alone in its group.
        distance: Bits in which neighbours may differ, 0..8.

    Returns:
        Group of each picture, int [N]; numbered from 0 by the group's first picture.

    Raises:
        ValueError: If the distance is out of range.
    """
    if not 0 <= distance <= 8:
        raise ValueError(f"distance is {distance}; give 0..8.")
    groups = np.arange(len(hashes), dtype=np.int64)
    hashed = np.flatnonzero(hashes != NO_HASH)
    distinct, first, place = np.unique(hashes[hashed], return_index=True, return_inverse=True)
    chains = np.arange(len(distinct), dtype=np.int64)
    for left, right in _near_pairs(distinct, distance):
        _join(chains, left, right)
    too_long = np.bincount(chains, minlength=len(distinct))[chains] > LONGEST_CHAIN
    chains = np.where(too_long, np.arange(len(distinct)), chains)
    groups[hashed] = hashed[first[chains[place]]]
    return _numbered(groups)


def _cosines() -> NDArray[np.float64]:
    """Lowest rows of the orthonormal DCT-II, float [FREQUENCIES, THUMBNAIL]."""
    angles = np.outer(np.arange(FREQUENCIES), 2 * np.arange(THUMBNAIL) + 1)
    waves = np.sqrt(2 / THUMBNAIL) * np.cos(np.pi / (2 * THUMBNAIL) * angles)
    waves[0] /= np.sqrt(2)
    return waves


def _near_pairs(
    distinct: Hashes, distance: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of hashes that differ in at most `distance` bits, as two int [P] at a time.

    Cut into distance + 2 blocks, such hashes agree in at least two of them. So pairs are looked for
    among the hashes that agree in two blocks, for every choice of two.

    Source: Manku, Jain and Das Sarma, "Detecting near-duplicates for web crawling", WWW 2007.
    """
    for mask in _block_masks(distance):
        keys = distinct & mask
        order = np.argsort(keys, kind="stable")
        for left, right in _bucket_mates(keys[order]):
            a, b = order[left], order[right]
            near = _count_bits(distinct[a] ^ distinct[b]) <= distance
            yield a[near], b[near]


def _block_masks(distance: int) -> Iterator[np.uint64]:
    """Every choice of SPARE_BLOCKS out of distance + SPARE_BLOCKS blocks of the 64 bits."""
    count = distance + SPARE_BLOCKS
    edges = [64 * block // count for block in range(count + 1)]
    blocks = [(1 << high) - (1 << low) for low, high in pairwise(edges)]
    for chosen in combinations(blocks, SPARE_BLOCKS):
        yield np.uint64(sum(chosen))


def _bucket_mates(
    keys: NDArray[np.uint64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Positions of equal keys in a sorted array, first those next to each other."""
    left = np.arange(len(keys), dtype=np.int64)
    for step in range(1, LONGEST_RUN + 1):
        left = left[left + step < len(keys)]
        left = left[keys[left] == keys[left + step]]
        if not left.size:
            return
        yield left, left + step


def _count_bits(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Set bits of each word, added up in ever wider fields.

    Source: Warren, "Hacker's Delight", section 5-1.
    """
    fields = (0x5555555555555555, 0x3333333333333333, 0x0F0F0F0F0F0F0F0F)
    for step, field in enumerate(map(np.uint64, fields)):
        words = (words & field) + ((words >> np.uint64(1 << step)) & field)
    return (words * np.uint64(0x0101010101010101)) >> np.uint64(56)


def _join(roots: NDArray[np.int64], left: NDArray[np.int64], right: NDArray[np.int64]) -> None:
    """Merge the trees at both ends of each edge; a root is its tree's smallest member.

    Args:
        roots: Root of each node, int [H]; changed.
        left: One end of each edge, int [P].
        right: The other end, int [P].
    """
    while left.size:
        low = np.minimum(roots[left], roots[right])
        high = np.maximum(roots[left], roots[right])
        apart = low < high
        left, right = left[apart], right[apart]
        np.minimum.at(roots, high[apart], low[apart])
        while (roots != roots[roots]).any():
            roots[:] = roots[roots]


def _numbered(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, numbered from 0 in the order in which they first appear."""
    _, first, place = np.unique(groups, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), dtype=np.int64)
    numbers[np.argsort(first)] = np.arange(len(first))
    return numbers[place]
