"""Colours of the things that reviews show."""

from __future__ import annotations

import colorsys

import numpy as np

Color = tuple[float, float, float]
"""Red, green, blue, 0..255."""
Range = tuple[float, float]

SKIN_TONES: tuple[Color, ...] = (
    (244, 214, 194),
    (236, 196, 170),
    (222, 178, 148),
    (201, 152, 120),
    (168, 118, 88),
    (120, 82, 62),
)
HAIR: tuple[Color, ...] = ((28, 24, 24), (44, 32, 26), (78, 52, 36), (120, 84, 52))
LIPSTICK_HUES: Range = (-0.06, 0.06)


def hsv(rng: np.random.Generator, hue: Range, saturation: Range, value: Range) -> Color:
    """Random colour; hue wraps at 1, saturation and value lie in 0..1."""
    h, s, v = (rng.uniform(*bounds) for bounds in (hue, saturation, value))
    red, green, blue = colorsys.hsv_to_rgb(h % 1, s, v)
    return (255 * red, 255 * green, 255 * blue)


def jitter(rng: np.random.Generator, color: Color, amount: float = 8.0) -> Color:
    """The colour, each channel moved by about `amount`."""
    moved = np.clip(np.array(color) + amount * rng.standard_normal(3), 0, 255)
    return (float(moved[0]), float(moved[1]), float(moved[2]))


def darker(color: Color, factor: float) -> Color:
    """The colour times `factor`, at most white."""
    red, green, blue = (min(255.0, channel * factor) for channel in color)
    return (red, green, blue)


def blend(first: Color, second: Color, share: float) -> Color:
    """`share` 0 gives the first colour, 1 the second."""
    mixed = [a + share * (b - a) for a, b in zip(first, second, strict=True)]
    return (mixed[0], mixed[1], mixed[2])


def skin_tone(rng: np.random.Generator) -> Color:
    """A skin colour, most often a light one."""
    weights = np.array([3, 4, 4, 2, 1, 0.7])
    tone = SKIN_TONES[rng.choice(len(SKIN_TONES), p=weights / weights.sum())]
    return jitter(rng, tone, 5)


def hair(rng: np.random.Generator) -> Color:
    """A hair colour."""
    return jitter(rng, HAIR[rng.integers(len(HAIR))], 6)


def cloth(rng: np.random.Generator) -> Color:
    """A garment colour: often black, white, grey, beige or navy, sometimes bright."""
    kind = rng.integers(5)
    if kind == 0:
        return hsv(rng, (0, 1), (0, 0.1), (0.1, 0.3))
    if kind == 1:
        return hsv(rng, (0, 1), (0, 0.08), (0.75, 0.97))
    if kind == 2:
        return hsv(rng, (0.05, 0.13), (0.15, 0.4), (0.55, 0.9))
    if kind == 3:
        return hsv(rng, (0.55, 0.68), (0.3, 0.7), (0.2, 0.6))
    return hsv(rng, (0, 1), (0.35, 0.85), (0.35, 0.9))


def wood(rng: np.random.Generator) -> Color:
    """Pale oak to dark walnut."""
    return hsv(rng, (0.055, 0.1), (0.2, 0.55), (0.4, 0.92))


def wall(rng: np.random.Generator) -> Color:
    """Wall paint or paper: pale, seldom coloured."""
    return hsv(rng, (0, 1), (0, 0.16), (0.62, 0.97))


def lipstick(rng: np.random.Generator) -> Color:
    """Make-up: reds, pinks, corals, browns."""
    return hsv(rng, LIPSTICK_HUES, (0.45, 0.9), (0.4, 0.92))


def cooked(rng: np.random.Generator) -> Color:
    """Prepared food: browns, oranges, soup reds, cream."""
    kind = rng.integers(4)
    if kind == 0:
        return hsv(rng, (0.04, 0.09), (0.5, 0.8), (0.3, 0.65))
    if kind == 1:
        return hsv(rng, (0.01, 0.06), (0.65, 0.92), (0.5, 0.85))
    if kind == 2:
        return hsv(rng, (0.09, 0.14), (0.4, 0.75), (0.65, 0.92))
    return hsv(rng, (0.09, 0.15), (0.08, 0.3), (0.75, 0.95))


def raw(rng: np.random.Generator) -> Color:
    """Uncooked food: meat, fish, greens, roots."""
    kind = rng.integers(3)
    if kind == 0:
        return hsv(rng, (-0.03, 0.02), (0.4, 0.75), (0.55, 0.85))
    if kind == 1:
        return hsv(rng, (0.22, 0.36), (0.4, 0.8), (0.35, 0.75))
    return hsv(rng, (0.03, 0.1), (0.35, 0.8), (0.65, 0.95))


def printed(rng: np.random.Generator) -> Color:
    """Ink of packages and labels: any bright colour."""
    return hsv(rng, (0, 1), (0.3, 0.95), (0.4, 0.98))
