"""How the thing under review comes out in the picture: which look, and how plainly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from review_synthesis import catalog
from review_synthesis.catalog import DISH, OTHER, PLACED, SHARES, SWATCH, WORN, MiddleCategory
from review_synthesis.difficulty import Difficulty

T = TypeVar("T")
NAMED = (WORN, PLACED, SWATCH, DISH)

BORDERLINE: dict[int, str] = {
    WORN: "cloth_close",
    PLACED: "room_part",
    SWATCH: "smear",
    DISH: "food_tray",
}
"""The look that could be this class or OTHER."""

_FIGURES = ("full_figure", "upper_body", "upper_body", "lower_body")
_ROOMS = ("living_room", "bedroom", "study", "curtains", "rug")
NAMED_LOOKS: dict[int, dict[str, tuple[str, ...]]] = {
    WORN: {
        catalog.CLOTHES: (*_FIGURES, "full_figure"),
        catalog.ACCESSORIES: ("feet", "with_bag", "portrait", "wrist", "lower_body"),
        catalog.LIVING: ("dressed_pet",),
        catalog.BABY: ("child", "child", "portrait"),
        catalog.SPORTS: (*_FIGURES, "feet", "portrait"),
    },
    PLACED: {
        catalog.FURNITURE: _ROOMS,
        catalog.LIVING: ("small_house", "rug"),
        catalog.BABY: ("rug", "bedroom", "small_house"),
        catalog.SPORTS: ("home_gym",),
    },
    SWATCH: {
        catalog.COSMETICS: ("arm_swatch", "arm_swatch", "hand_swatch", "nails", "lips"),
        catalog.BABY: ("hand_swatch", "lips"),
    },
    DISH: {catalog.FOOD: ("plate", "plate", "table_spread", "pan")},
}
"""Looks of the named classes in each large category that admits them."""

_ANYWHERE = ("carton", "pack", "print_close", "receipt", "screenshot", "blur", "held", "street")
OTHER_LOOKS: dict[str, tuple[str, ...]] = {
    catalog.FURNITURE: (*_ANYWHERE, "planks", "planks", "carton", "folded_cloth", "folded_cloth"),
    catalog.CLOTHES: (*_ANYWHERE, *2 * ("flat_garment", "hanging_garment"), "folded_cloth"),
    catalog.ACCESSORIES: (*_ANYWHERE, *2 * ("shoe_pair", "bag")),
    catalog.FOOD: (*_ANYWHERE, *2 * ("pack", "raw"), "meat_on_plate"),
    catalog.LIVING: (*_ANYWHERE, "pack", "plain_pet", "plain_pet"),
    catalog.BABY: (*_ANYWHERE, "pack", "pack", "flat_garment", "folded_cloth"),
    catalog.COSMETICS: (*_ANYWHERE, *3 * ("cosmetics",), "pack"),
    catalog.SPORTS: (*_ANYWHERE, "shoe_pair", "flat_garment", "bag", "held"),
}
"""Looks of OTHER in each large category."""


@dataclass(frozen=True)
class Appearance:
    """What a picture shows."""

    look: str
    """A key of `looks.LOOKS`."""
    rival: int
    """The class it is most easily mistaken for."""
    evidence: float
    """Evidence for the named class, 0..1; only borderline looks show it."""
    doubt: float
    """How hard the picture is to tell, 0 (plain) .. 1."""
    temptation: float
    """Relative chance that a reviewer ticks the rival, above 0."""


def choose_appearance(
    rng: np.random.Generator, answer: int, category: MiddleCategory, difficulty: Difficulty
) -> Appearance:
    """Draw the appearance of one picture of class `answer` in the category."""
    if answer != OTHER:
        return _named(rng, answer, category, difficulty)
    return _other(rng, category, difficulty)


def _named(
    rng: np.random.Generator, answer: int, category: MiddleCategory, difficulty: Difficulty
) -> Appearance:
    siblings = sorted(category.admits - {answer, OTHER})
    rival = siblings[0] if siblings and rng.random() < 0.15 else OTHER
    if rng.random() < difficulty.borderline_named:
        evidence = rng.beta(difficulty.evidence, 2)
        return _appearance(BORDERLINE[answer], rival, evidence, 1 - evidence)
    looks = NAMED_LOOKS[answer][category.large]
    return _appearance(_pick(rng, looks), rival, 1.0, rng.beta(1.2, 8))


def _other(
    rng: np.random.Generator, category: MiddleCategory, difficulty: Difficulty
) -> Appearance:
    admitted = sorted(category.admits - {OTHER})
    kind = rng.random()
    if kind < difficulty.foreign:
        rival = _common_class(rng, [label for label in NAMED if label not in admitted])
        looks = [look for family in NAMED_LOOKS[rival].values() for look in family]
        return _appearance(_pick(rng, looks), rival, 1.0, rng.uniform(0.2, 0.5))
    rival = _common_class(rng, admitted or NAMED)
    # Where the category admits no named class, nobody is tempted to tick one.
    weight = 1.0 if admitted else 0.15
    if kind < difficulty.foreign + difficulty.borderline_other:
        evidence = rng.beta(2, difficulty.evidence)
        return _appearance(BORDERLINE[rival], rival, evidence, evidence, weight)
    look = _pick(rng, OTHER_LOOKS[category.large])
    return _appearance(look, rival, 0.0, rng.beta(1.2, 8), weight)


def _appearance(
    look: str, rival: int, evidence: float, doubt: float, weight: float = 1.0
) -> Appearance:
    temptation = weight * (0.3 + 2.5 * float(doubt))
    return Appearance(look, rival, float(evidence), float(doubt), temptation)


def _common_class(rng: np.random.Generator, labels: Sequence[int]) -> int:
    """One of the classes, in proportion to their shares: a rare class has few lookalikes too."""
    odds = np.array([SHARES[label] for label in labels])
    return labels[int(rng.choice(len(labels), p=odds / odds.sum()))]


def _pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    return choices[int(rng.integers(len(choices)))]
