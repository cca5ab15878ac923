"""How hard the task is: the knobs, frozen together with the generator's version.

Borderline looks show a named class and OTHER with overlapping evidence. Foreign looks are OTHER
pictures that look like a class their category does not admit, so that only the category can tell.
Wrong labels fall on doubtful pictures more often than on plain ones.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difficulty:
    """How much the classes overlap, and how often reviewers are wrong."""

    borderline_named: float = 0.16
    """Share of pictures of a named class with a borderline look, 0..1."""
    borderline_other: float = 0.08
    """Share of OTHER pictures with a borderline look, 0..1."""
    foreign: float = 0.04
    """Share of OTHER pictures that look like a class their category does not admit, 0..1."""
    evidence: float = 5.0
    """First shape of the beta distribution of the evidence; the second is 2. 2 tells nothing."""
    noise: float = 0.10
    """Share of wrong training labels, 0..1; half of them on OTHER, half on the named classes."""
    careless: float = 0.08
    """Share of the wrong labels that have nothing to do with the picture, 0..1."""
