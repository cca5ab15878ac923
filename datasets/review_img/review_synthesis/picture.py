"""One review to one JPEG. The same seed, split and index give the same bytes in any process."""

from __future__ import annotations

import numpy as np

from review_synthesis.camera import develop, encode, random_shot
from review_synthesis.canvas import Canvas
from review_synthesis.looks import LOOKS
from review_synthesis.plan import SPLITS, Review

HEIGHTS, WIDTHS = (49, 1280), (52, 1280)
"""Least and greatest height and width of the real pictures, pixels."""
PHONE_SIZES = ((960, 1280), (1280, 960), (1280, 1280), (720, 1280))
PHONE_SHARES = (0.45, 0.20, 0.15, 0.05)
"""Width and height of uncropped uploads, and how often each comes; the rest is cropped freely."""
DEMO_SHRINK = 8
DEMO_SIDES = (64, 160)
SCENE_LIMIT = 640
"""Longest side of the scene before the camera; larger pictures are enlarged from it."""
WIDER = 1.12
"""Scene over picture size, because the camera's roll cuts the edges off."""


def picture_size(rng: np.random.Generator, scale: str) -> tuple[int, int]:
    """Width and height of one picture in pixels.

    At scale "full" heights are 49..1280 (mean about 1117) and widths 52..1280 (mean about 1025),
    as in the real task; at scale "demo" an eighth of that, sides 64..160.
    """
    kind = rng.choice(len(PHONE_SIZES) + 1, p=[*PHONE_SHARES, 1 - sum(PHONE_SHARES)])
    if kind < len(PHONE_SIZES):
        width, height = PHONE_SIZES[kind]
    else:
        width = round(WIDTHS[0] + (WIDTHS[1] - WIDTHS[0]) * rng.beta(1.65, 1.35))
        height = round(HEIGHTS[0] + (HEIGHTS[1] - HEIGHTS[0]) * rng.beta(1.39, 1.6))
    if scale == "full":
        return width, height
    low, high = DEMO_SIDES
    return (
        min(high, max(low, round(width / DEMO_SHRINK))),
        min(high, max(low, round(height / DEMO_SHRINK))),
    )


def draw_picture(seed: int, scale: str, review: Review) -> bytes:
    """JPEG bytes of one review.

    Args:
        seed: Seed of the data set.
        scale: "demo" or "full".
        review: What to show.
    """
    rng = np.random.default_rng([seed, SPLITS.index(review.split), 1, review.index])
    size = picture_size(rng, scale)
    # Half as much again smooths the edges of small pictures; large ones gain nothing from it.
    enlarge = min(1.5, SCENE_LIMIT / max(size)) * WIDER
    scene_size = (max(32, round(size[0] * enlarge)), max(32, round(size[1] * enlarge)))
    canvas = Canvas(scene_size, rng)
    LOOKS[review.look](canvas, review.evidence)
    shot = random_shot(rng, review.doubt)
    return encode(develop(canvas.image, size, shot, rng), shot.quality)
