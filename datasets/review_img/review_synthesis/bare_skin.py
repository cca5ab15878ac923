"""Colour shown on skin: swatches on arms and hands, painted nails, lips."""

from __future__ import annotations

import numpy as np

from review_synthesis import palette
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import blob, box, ellipse, limb, rotate, shifted, smooth
from review_synthesis.palette import Color
from review_synthesis.people import skin
from review_synthesis.texture import Material


def draw_swatches(canvas: Canvas, angle: float, strokes: int, spread: float) -> None:
    """Rows of colour, smeared across a line through the middle of the stage.

    Args:
        canvas: Where to draw.
        angle: Direction of the line, radians.
        strokes: How many colours.
        spread: Half of the length of the line, stage units.
    """
    rng = canvas.rng
    base = palette.lipstick(rng)
    places = np.linspace(-spread, spread, strokes) if strokes > 1 else np.zeros(1)
    for place in places:
        color = palette.blend(base, palette.lipstick(rng), rng.uniform(0.3, 1))
        half = (rng.uniform(0.05, 0.11), rng.uniform(0.13, 0.24))
        smear = rotate(blob(rng, (place, rng.normal(0, 0.03)), half, 0.35), angle)
        canvas.glaze(smear, color, rng.uniform(0.75, 1.0), 0.02)
        if rng.random() < 0.5:
            canvas.glow(rotate(ellipse((place, -0.05), (0.02, 0.07)), angle), 0.3, 0.02)


def draw_arm_swatch(canvas: Canvas) -> None:
    """The inside of a forearm with swatches."""
    rng = canvas.rng
    tone, angle = palette.skin_tone(rng), rng.uniform(-1.2, 1.2)
    width = rng.uniform(0.4, 0.75)
    shift = rng.normal(0, 0.1)
    arm = rotate(limb((-2.2, shift), (2.2, shift), width * 1.2, width), angle)
    canvas.shadow(shifted(arm, 0.04, 0.06), 0.4, 0.1)
    canvas.fill(arm, skin(tone))
    vein = np.array([(-1.5, shift + 0.1), (-0.4, shift), (0.9, shift - 0.1)])
    canvas.glaze(
        rotate(np.concatenate([vein, shifted(vein[::-1], 0, 0.05)]), angle),
        (120, 140, 160),
        0.15,
        0.05,
    )
    draw_swatches(canvas, angle, int(rng.integers(1, 7)), rng.uniform(0.35, 0.8))


def draw_hand(canvas: Canvas, tone: Color, angle: float, nails: Color | None) -> None:
    """The back of a hand with its fingers; `nails` None leaves them bare."""
    rng = canvas.rng
    surface = skin(tone)
    canvas.fill(rotate(limb((-2.0, 0.05), (-0.4, 0.0), 0.42, 0.33), angle), surface)
    palm = smooth([(-0.5, -0.33), (0.2, -0.36), (0.28, 0.33), (-0.45, 0.36)], 5)
    canvas.fill(rotate(palm, angle), surface)
    spread = rng.uniform(0.7, 1.3)
    fingers = [(-0.27, 0.8), (-0.09, 0.95), (0.1, 0.92), (0.27, 0.75)]
    ends = [((0.15, y), (reach, y * (1 + 0.5 * spread))) for y, reach in fingers]
    ends.append(((-0.2, 0.3), (0.3, 0.55 + 0.1 * spread)))
    for start, tip in ends:
        canvas.fill(rotate(limb(start, tip, 0.095, 0.07), angle), surface)
        plate = ellipse((tip[0] + 0.02, tip[1]), (0.065, 0.048))
        ink = palette.blend(tone, (240, 190, 185), 0.5) if nails is None else nails
        canvas.fill(rotate(plate, angle), Material(ink, volume=0.35))
        if nails is not None:
            canvas.glow(
                rotate(ellipse((tip[0] + 0.02, tip[1] - 0.015), (0.03, 0.01)), angle), 0.5, 0.02
            )


def draw_hand_swatch(canvas: Canvas) -> None:
    """The back of a hand with a few swatches."""
    rng = canvas.rng
    angle = rng.uniform(-1.0, 1.0)
    draw_hand(canvas, palette.skin_tone(rng), angle, None)
    draw_swatches(canvas, angle, int(rng.integers(1, 4)), rng.uniform(0.1, 0.3))


def draw_nails(canvas: Canvas) -> None:
    """A hand with painted nails."""
    rng = canvas.rng
    color = palette.lipstick(rng) if rng.random() < 0.6 else palette.printed(rng)
    draw_hand(canvas, palette.skin_tone(rng), rng.uniform(-1.0, 1.0), color)


def draw_lips(canvas: Canvas) -> None:
    """A mouth seen close, with colour on the lips."""
    rng = canvas.rng
    tone, color = palette.skin_tone(rng), palette.lipstick(rng)
    canvas.backdrop(Material(tone, "plain", 0.04, 0.2))
    width, open_by = rng.uniform(0.5, 0.85), rng.uniform(0.0, 0.1)
    center = np.array([rng.normal(0, 0.08), rng.normal(0.05, 0.1)])
    canvas.shadow(ellipse((center[0], center[1] + 0.5), (width * 0.8, 0.12)), 0.2, 0.2)
    canvas.shadow(ellipse((center[0], center[1] - 0.85), (0.3, 0.12)), 0.3, 0.15)
    upper = [
        (-1, 0),
        (-0.45, -0.3),
        (-0.12, -0.42),
        (0, -0.34),
        (0.12, -0.42),
        (0.45, -0.3),
        (1, 0),
        (0.4, -open_by),
        (0, 0.02 - open_by),
        (-0.4, -open_by),
    ]
    lower = [
        (-1, 0),
        (-0.4, open_by),
        (0, 0.04 + open_by),
        (0.4, open_by),
        (1, 0),
        (0.5, 0.38),
        (0, 0.5),
        (-0.5, 0.38),
    ]
    gap = ellipse((center[0], center[1]), (width * 0.7, 0.05 + width * open_by))
    canvas.fill(gap, Material((90, 40, 42)))
    surface = Material(color, "grain", 0.08, 0.05, volume=0.35)
    for lip in (upper, lower):
        canvas.fill(smooth(np.array(lip) * width + center, 4), surface)
    shine = ellipse((center[0] - 0.1, center[1] + 0.27 * width), (0.25 * width, 0.06))
    canvas.glow(shine, rng.uniform(0.1, 0.6), 0.06)


def draw_smear(canvas: Canvas, on_skin: float) -> None:
    """Colour smeared on something pale, close up: skin or, as likely, paper or a tissue.

    Args:
        canvas: Where to draw.
        on_skin: 0 looks like paper, 1 like skin; in between nobody can be sure.
    """
    rng = canvas.rng
    paper = palette.hsv(rng, (0.06, 0.13), (0.0, 0.14), (0.8, 0.97))
    ground = palette.blend(paper, palette.skin_tone(rng), on_skin)
    canvas.backdrop(Material(ground, "plain", 0.04, 0.2))
    if rng.random() < 0.3 + 0.5 * on_skin:
        edge = rng.uniform(0.5, 0.9)
        side = rotate(box(-2, edge, 2, 3), rng.uniform(0, 2 * np.pi))
        canvas.shadow(side, 0.3, 0.2)
        canvas.fill(side, Material(palette.cloth(rng), "plain", 0.05, volume=0.0))
    draw_swatches(canvas, rng.uniform(0, np.pi), int(rng.integers(1, 5)), rng.uniform(0.2, 0.7))
