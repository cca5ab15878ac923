"""One seed, and every random choice as a pure function of it.

Two kinds of randomness exist. Choices about an example (its crop, its flip, ...) are *hashed* from
(seed, purpose, epoch, example), so they do not depend on workers, ranks, batches or on what was
drawn before. What torch draws itself (dropout, stochastic depth) comes from generators that are
re-seeded at the start of every epoch from (seed, epoch, rank). So the seed and the number of
finished epochs are the complete state of all generators, and that is what a checkpoint stores.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


class Purpose(IntEnum):
    """What a random number is for; equal seeds with different purposes share nothing."""

    WEIGHTS = 1
    SPLIT = 2
    ORDER = 3
    CROP = 4
    FLIP = 5
    CATEGORY = 6
    EPOCH = 7
    MIXING = 8
    COLOUR = 9
    BLUR = 10
    CHANNELS = 11
    RECTANGLES = 12
    POLICY = 13
    VERTICAL = 14
    FOLDS = 15
    FILTER = 16
    COMPLEMENT = 17
    TUNING = 18


def mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit words one to one (the finaliser of SplitMix64).

    Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
    """
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def derive_seed(seed: int, purpose: Purpose, *position: int) -> int:
    """Seed of a generator for one purpose at one position (epoch, rank, ...); 0..2**64-1."""
    key = np.array([seed & _MASK], dtype=np.uint64)
    for word in (int(purpose), *position):
        # Multiplied as Python numbers: numpy warns when a scalar wraps around.
        key = mix(key + np.uint64(_GOLDEN * (word + 1) & _MASK))
    return int(key[0])


def uniforms(key: int, indices: NDArray[np.int64], draws: int) -> NDArray[np.float64]:
    """Numbers in [0, 1) that depend on the key and the example only.

    Args:
        key: From `derive_seed`.
        indices: Examples, int [B].
        draws: Numbers per example.

    Returns:
        Uniform numbers, float [B, draws].
    """
    golden = np.uint64(_GOLDEN)
    streams = mix(np.uint64(key) ^ mix(golden * (indices.astype(np.uint64) + np.uint64(1))))
    counters = np.arange(1, draws + 1, dtype=np.uint64)
    words = mix(streams[:, None] + golden * counters[None, :])
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def uniforms_of_one(key: int, index: int) -> Iterator[float]:
    """The row of `uniforms` that belongs to one example, number by number, without end.

    For a few numbers, Python's own integers are five times as fast as arrays of length one.

    Args:
        key: From `derive_seed`.
        index: The example.
    """
    counter = _mix_one(key ^ _mix_one(_GOLDEN * (index + 1) & _MASK))
    while True:
        counter = counter + _GOLDEN & _MASK
        # `_mix_one`, written out: a call would take as long again.
        word = (counter ^ counter >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        word = (word ^ word >> 27) * 0x94D049BB133111EB & _MASK
        yield ((word ^ word >> 31) >> 11) * 2.0**-53


def _mix_one(word: int) -> int:
    """What `mix` does, to one word."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & _MASK
    word = (word ^ word >> 27) * 0x94D049BB133111EB & _MASK
    return word ^ word >> 31


def seed_generators(seed: int, purpose: Purpose, *position: int) -> None:
    """Restart the generators of torch (all devices), numpy and Python from one seed."""
    value = derive_seed(seed, purpose, *position)
    torch.manual_seed(value % 2**63)
    np.random.seed(value % 2**32)
    random.seed(value)
