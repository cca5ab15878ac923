"""What is reviewed and what the reviewer ticked: one record per picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from review_synthesis.appearance import Appearance, choose_appearance
from review_synthesis.catalog import (
    NUM_CLASSES,
    SHARES,
    SWATCH,
    category_given_class,
    fine_categories,
    middle_categories,
)
from review_synthesis.difficulty import Difficulty
from review_synthesis.label_noise import ticked_labels

DEMO_RAREST = 0.03
"""Share of SWATCH at demo scale, so that a few thousand pictures hold enough of it."""
SPLITS = ("train", "test", "test_submit")


@dataclass(frozen=True)
class Review:
    """One picture and what is known about it."""

    image_name: str
    """File name; says nothing about class or order."""
    split: str
    """One of SPLITS."""
    index: int
    """Position within the split; with the seed it determines every pixel."""
    categories: tuple[str, str, str, str]
    """Product category, levels 1 to 4."""
    answer: int
    """True class."""
    given: int
    """Class that the reviewer ticked; the same as `answer` outside the training split."""
    look: str
    """A key of `looks.LOOKS`."""
    evidence: float
    """Evidence for the named class, for borderline looks, 0..1."""
    doubt: float
    """How hard the picture is to tell, 0..1."""


def class_shares(scale: str, *, balanced: bool) -> tuple[float, ...]:
    """Shares of the five classes; they sum to 1.

    Args:
        scale: "full" keeps the real proportions, "demo" raises the rarest class.
        balanced: Give all classes the same share instead.
    """
    if balanced:
        return (1 / NUM_CLASSES,) * NUM_CLASSES
    rarest = SHARES[SWATCH] / sum(SHARES) if scale == "full" else DEMO_RAREST
    rest = sum(SHARES) - SHARES[SWATCH]
    return tuple(
        rarest if label == SWATCH else (1 - rarest) * share / rest
        for label, share in enumerate(SHARES)
    )


def plan_reviews(
    seed: int, split: str, count: int, shares: Sequence[float], difficulty: Difficulty
) -> list[Review]:
    """Decide about every picture of one split.

    Args:
        seed: Seed of the data set.
        split: One of SPLITS; labels are wrong in "train" only.
        count: Number of pictures.
        shares: Share of each class; met up to rounding.
        difficulty: Overlap and label noise.

    Returns:
        One record per picture, in random order.
    """
    rng = np.random.default_rng([seed, SPLITS.index(split), 0])
    answers = rng.permutation(np.repeat(np.arange(NUM_CLASSES), exact_counts(count, shares)))
    places = np.empty(count, dtype=np.int64)
    odds = category_given_class()
    for label in range(NUM_CLASSES):
        members = np.flatnonzero(answers == label)
        places[members] = rng.choice(odds.shape[1], size=len(members), p=odds[label])
    seen = [
        choose_appearance(rng, int(answer), middle_categories()[place], difficulty)
        for answer, place in zip(answers, places, strict=True)
    ]
    given = ticked_labels(rng, answers, seen, difficulty) if split == "train" else answers
    return [
        _review(seed, split, index, (int(answers[index]), int(given[index])), appearance, fine)
        for index, (appearance, fine) in enumerate(
            zip(seen, _fine_choices(rng, places), strict=True)
        )
    ]


def _fine_choices(
    rng: np.random.Generator, places: NDArray[np.int64]
) -> list[tuple[str, str, str, str]]:
    """All four category levels of each picture; early names of a category are common ones."""
    draws = rng.random(len(places)) ** 2
    chosen = []
    for place, draw in zip(places, draws, strict=True):
        category, pairs = middle_categories()[place], fine_categories()[place]
        chosen.append((category.large, category.name, *pairs[int(len(pairs) * draw)]))
    return chosen


def _review(
    seed: int,
    split: str,
    index: int,
    labels: tuple[int, int],
    appearance: Appearance,
    categories: tuple[str, str, str, str],
) -> Review:
    return Review(
        image_name=image_name(seed, split, index),
        split=split,
        index=index,
        categories=categories,
        answer=labels[0],
        given=labels[1],
        look=appearance.look,
        evidence=appearance.evidence,
        doubt=appearance.doubt,
    )


def exact_counts(count: int, shares: Sequence[float]) -> NDArray[np.int64]:
    """Whole numbers that sum to `count`, each at most one away from its share of it."""
    exact = count * np.asarray(shares) / np.sum(shares)
    counts = np.floor(exact).astype(np.int64)
    most_cut = np.argsort(counts - exact, kind="stable")
    counts[most_cut[: count - counts.sum()]] += 1
    return counts


def image_name(seed: int, split: str, index: int) -> str:
    """Name such as shops give to uploads: a hash, so neither class nor order shows."""
    digest = hashlib.blake2b(f"{seed}/{split}/{index}".encode(), digest_size=10).hexdigest()
    return f"{digest}.jpg"
