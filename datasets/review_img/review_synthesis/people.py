"""Figures that wear something: people, legs, wrists, heads and pets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from review_synthesis import palette
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import (
    Outline,
    Point,
    blob,
    box,
    ellipse,
    limb,
    mirror,
    rotate,
    shifted,
    smooth,
    tilted_box,
)
from review_synthesis.palette import Color
from review_synthesis.texture import Material

PATTERNS = ("folds", "folds", "folds", "plain", "knit", "stripes", "checks", "dots")


@dataclass(frozen=True)
class Body:
    """Where a standing figure is; `height` is head to foot, in stage units."""

    x: float
    top: float
    height: float
    skin: Color

    def at(self, across: float, down: float) -> Point:
        """Stage point of a place on the body, both as shares of the height."""
        return (self.x + across * self.height, self.top + down * self.height)


def fabric(rng: np.random.Generator, color: Color | None = None) -> Material:
    """Some garment cloth."""
    ground = palette.cloth(rng) if color is None else color
    pattern = PATTERNS[rng.integers(len(PATTERNS))]
    accent = palette.cloth(rng) if pattern in ("stripes", "checks", "dots") else None
    contrast = rng.uniform(0.05, 0.15)
    return Material(ground, pattern, contrast, rng.uniform(0.04, 0.12), accent, volume=0.4)


def skin(color: Color) -> Material:
    """Skin of the given tone."""
    return Material(color, "plain", 0.03, 0.1, volume=0.3)


def torso_outline(length: float, flare: float, shoulder: float = 0.115) -> Outline:
    """Top, coat or dress of a figure of height 1 whose head is at the origin.

    Args:
        length: Where the hem is, as a share of the height; 0.52 is the hip.
        flare: How much wider than the hips the hem is, as a share of the height.
        shoulder: Half of the shoulder width.
    """
    waist, hem = 0.082, 0.09 + flare
    right = [(0.03, 0.135), (shoulder, 0.17), (0.1, 0.25), (waist, 0.36), (hem, length)]
    left = [(-x, y) for x, y in reversed(right)]
    return smooth([*right, *left], per_side=4)


def sleeve_outline(elbow: Point, hand: Point, share: float) -> list[Outline]:
    """Sleeve from the shoulder (0.105, 0.185) along the arm; `share` 0.3 short .. 1 long."""
    shoulder = (0.105, 0.185)
    if share <= 0.5:
        end = tuple(np.add(shoulder, np.subtract(elbow, shoulder) * share * 2))
        return [limb(shoulder, (end[0], end[1]), 0.035, 0.033)]
    end = tuple(np.add(elbow, np.subtract(hand, elbow) * (share * 2 - 1) * 0.9))
    return [limb(shoulder, elbow, 0.035, 0.03), limb(elbow, (end[0], end[1]), 0.03, 0.025)]


def _placed(body: Body, outline: Outline) -> Outline:
    return outline * body.height + (body.x, body.top)


def draw_legs(canvas: Canvas, body: Body, trousers: Material | None, gap: float = 0.05) -> None:
    """Both legs and shoes; bare where `trousers` is None."""
    shoe = Material(palette.cloth(canvas.rng), "plain", 0.05, volume=0.5)
    for side in (-1, 1):
        hip, knee = body.at(side * 0.045, 0.5), body.at(side * gap, 0.73)
        ankle, toe = body.at(side * gap, 0.95), body.at(side * (gap + 0.02), 0.975)
        surface = skin(body.skin) if trousers is None else trousers
        width = body.height * (0.036 if trousers is None else 0.048)
        canvas.fill(limb(hip, knee, width * 1.15, width), surface)
        canvas.fill(limb(knee, ankle, width * 0.95, width * 0.6), surface)
        canvas.fill(limb(ankle, toe, body.height * 0.024, body.height * 0.026), shoe)


def draw_head(canvas: Canvas, body: Body, *, from_behind: bool) -> None:
    """Neck, head and hair, a face hinted at."""
    rng = canvas.rng
    hair = Material(palette.hair(rng), "wood", 0.15, 0.02, volume=0.4)
    neck = limb(body.at(0, 0.1), body.at(0, 0.16), 0.026 * body.height, 0.032 * body.height)
    long_hair = rng.random() < 0.5
    if long_hair:
        center = body.at(0, 0.1)
        canvas.fill(blob(rng, center, (0.075 * body.height, 0.12 * body.height), 0.1), hair)
    canvas.fill(neck, skin(body.skin))
    face = ellipse(body.at(0, 0.07), (0.05 * body.height, 0.066 * body.height))
    canvas.fill(face, hair if from_behind else skin(body.skin))
    if not from_behind:
        cap = smooth([body.at(*p) for p in ((-0.055, 0.07), (0, 0.0), (0.055, 0.07), (0.0, 0.04))])
        canvas.fill(cap, hair)
        for side in (-1, 1):
            eye = ellipse(body.at(side * 0.02, 0.075), (0.007 * body.height, 0.004 * body.height))
            canvas.flat(eye, (40, 30, 30))
        canvas.flat(
            ellipse(body.at(0, 0.105), (0.013 * body.height, 0.004 * body.height)), (170, 90, 90)
        )


def draw_arms(canvas: Canvas, body: Body, top: Material, sleeve: float) -> None:
    """Arms with sleeves; one may hold up a phone, as in front of a mirror."""
    rng = canvas.rng
    phone = rng.random() < 0.45
    for side in (-1, 1):
        raised = phone and side == 1
        elbow = (0.15, 0.33) if raised else (0.135 + rng.normal(0, 0.015), 0.34)
        hand = (0.055, 0.17) if raised else (0.13 + rng.normal(0, 0.04), 0.48)
        parts = [
            limb((0.105, 0.185), elbow, 0.027, 0.024),
            limb(elbow, hand, 0.024, 0.018),
            ellipse(hand, (0.024, 0.03)),
        ]
        for part in parts:
            canvas.fill(_placed(body, mirror(part) if side < 0 else part), skin(body.skin))
        for part in sleeve_outline(elbow, hand, sleeve):
            canvas.fill(_placed(body, mirror(part) if side < 0 else part), top)
        if raised:
            case = tilted_box((0.05, 0.13), (0.024, 0.045), rng.normal(0, 0.1))
            canvas.fill(_placed(body, case), Material(palette.printed(rng), volume=0.1))


def draw_person(canvas: Canvas, body: Body, *, bag: bool = False) -> None:
    """A dressed figure, from the shoes to the hair; what lies off stage is not seen."""
    rng = canvas.rng
    top = fabric(rng)
    dress = rng.random() < 0.35
    bare = dress or rng.random() < 0.25
    shade = ellipse(body.at(0.02, 0.97), (0.17 * body.height, 0.03 * body.height))
    canvas.shadow(shade, 0.45, 0.08)
    draw_legs(canvas, body, None if bare else fabric(rng), rng.uniform(0.035, 0.07))
    draw_head(canvas, body, from_behind=bool(rng.random() < 0.2))
    length = rng.uniform(0.6, 0.82) if dress else rng.uniform(0.46, 0.56)
    if bare and not dress:
        shorts = _placed(body, torso_outline(0.62, 0.03, 0.09) * (1, 1))
        canvas.fill(shorts, fabric(rng))
    flare = rng.uniform(0.01, 0.1) if dress else rng.uniform(-0.005, 0.03)
    canvas.fill(_placed(body, torso_outline(length, flare)), top)
    if rng.random() < 0.4:
        seam = _placed(body, np.array([(0.0, 0.16), (0.0, length)]))
        canvas.stroke(seam, palette.darker(top.color, 0.7), 0.004 * body.height)
    draw_arms(canvas, body, top, rng.choice([0.3, 0.4, 0.8, 1.0]))
    if bag:
        draw_shoulder_bag(canvas, body)


def draw_shoulder_bag(canvas: Canvas, body: Body) -> None:
    """A bag at the hip, with its strap across the chest."""
    rng = canvas.rng
    leather = Material(palette.cloth(rng), "plain", 0.06, volume=0.45)
    strap = _placed(body, np.array([(-0.08, 0.17), (0.13, 0.45)]))
    canvas.stroke(strap, palette.darker(leather.color, 0.8), 0.014 * body.height)
    corners = [(0.06, 0.44), (0.2, 0.44), (0.215, 0.58), (0.045, 0.58)]
    canvas.fill(_placed(body, smooth(corners, 4)), leather)
    flap = [(0.06, 0.44), (0.2, 0.44), (0.19, 0.5), (0.07, 0.5)]
    canvas.fill(_placed(body, np.array(flap)), Material(palette.darker(leather.color, 0.85)))


def draw_feet(canvas: Canvas) -> None:
    """Legs and shoes as their wearer sees them, looking down."""
    rng = canvas.rng
    tone = palette.skin_tone(rng)
    trousers = None if rng.random() < 0.4 else fabric(rng)
    shoe = Material(palette.cloth(rng), "plain", 0.06, volume=0.5)
    lace = palette.cloth(rng)
    spread, tilt = rng.uniform(0.2, 0.4), rng.normal(0, 0.12)
    for side in (-1, 1):
        toe, heel = (side * spread, -0.1 + rng.normal(0, 0.05)), (side * (spread - 0.03), 0.55)
        sole = rotate(limb(toe, heel, 0.17, 0.14), side * 0.06 + tilt)
        canvas.shadow(shifted(sole, 0.03, 0.05), 0.5, 0.08)
        canvas.fill(sole, shoe)
        for row in range(3):
            y = toe[1] + 0.12 + 0.05 * row
            ends = np.array([(toe[0] - 0.09, y), (toe[0] + 0.09, y)])
            canvas.stroke(rotate(ends, side * 0.06 + tilt), lace, 0.018)
        start = rotate(np.array([[heel[0], 0.42]]), tilt)[0]
        shin = limb((start[0], start[1]), (side * 0.3, 1.5), 0.13, 0.24)
        canvas.fill(shin, skin(tone) if trousers is None else trousers)


def draw_portrait(canvas: Canvas) -> None:
    """Head and shoulders with a hat, glasses or earrings."""
    rng = canvas.rng
    height = rng.uniform(4.5, 6.5)
    body = Body(rng.normal(0, 0.12), -0.09 * height, height, palette.skin_tone(rng))
    top = fabric(rng)
    draw_head(canvas, body, from_behind=bool(rng.random() < 0.15))
    canvas.fill(_placed(body, torso_outline(0.55, 0.02)), top)
    if rng.random() < 0.65:
        felt = Material(palette.cloth(rng), "knit", 0.1, 0.04, volume=0.5)
        crown = [(-0.06, 0.045), (-0.05, -0.02), (0.0, -0.04), (0.05, -0.02), (0.06, 0.045)]
        canvas.fill(_placed(body, smooth(crown, 4)), felt)
        brim = ellipse((0.0, 0.045), (rng.uniform(0.07, 0.11), 0.014))
        canvas.fill(_placed(body, brim), Material(palette.darker(felt.color, 0.85)))
        return
    for side in (-1, 1):
        lens = ellipse((side * 0.022, 0.076), (0.019, 0.016))
        canvas.glaze(_placed(body, lens), (20, 20, 24), rng.uniform(0.4, 0.9), 0.02)
    canvas.stroke(_placed(body, np.array([(-0.045, 0.07), (0.045, 0.07)])), (25, 25, 28), 0.03)


def draw_wrist(canvas: Canvas) -> None:
    """A forearm and hand with a watch, bracelet or ring."""
    rng = canvas.rng
    tone = palette.skin_tone(rng)
    angle = rng.uniform(-0.7, 0.7)
    parts = [limb((-1.6, 0.1), (0.15, 0.0), 0.36, 0.24), ellipse((0.45, 0.0), (0.34, 0.28))]
    parts += [limb((0.6, y), (1.05 - abs(y), 1.5 * y), 0.08, 0.06) for y in (-0.2, -0.07, 0.07)]
    for part in parts:
        canvas.fill(rotate(part, angle), skin(tone))
    band = Material(palette.cloth(rng), "plain", 0.05, volume=0.3)
    canvas.fill(rotate(box(-0.12, -0.3, 0.06, 0.3), angle), band)
    if rng.random() < 0.75:
        metal = Material((200, 196, 186), "plain", 0.05, volume=0.4)
        dial = Material(palette.cloth(rng), "plain", 0.03, volume=0.1)
        canvas.fill(rotate(ellipse((-0.03, 0), (0.22, 0.22)), angle), metal)
        canvas.fill(rotate(ellipse((-0.03, 0), (0.17, 0.17)), angle), dial)
        hands = np.array([(-0.03, -0.1), (-0.03, 0.0), (0.06, 0.03)])
        canvas.stroke(rotate(hands, angle), (230, 230, 230), 0.02)


def draw_pet(canvas: Canvas, *, dressed: bool) -> None:
    """A small dog or cat from the side."""
    rng = canvas.rng
    fur = Material(palette.hsv(rng, (0.05, 0.11), (0.05, 0.5), (0.3, 0.95)), "grain", 0.1, 0.02)
    look = 1 if rng.random() < 0.5 else -1
    lift = rng.uniform(0, 0.2)
    turned = (look, 1)
    canvas.shadow(ellipse((0, 0.75 + lift), (0.6, 0.08)), 0.5, 0.1)
    for x in (-0.35, -0.2, 0.2, 0.35):
        canvas.fill(limb((x, 0.3 + lift), (x, 0.75 + lift), 0.08, 0.055) * turned, fur)
    canvas.fill(blob(rng, (0.0, 0.2 + lift), (0.55, 0.28), 0.08), fur)
    tail = limb((-0.5, 0.1 + lift), (-0.75, -0.2 + lift), 0.06, 0.03)
    canvas.fill(tail * turned, fur)
    if dressed:
        coat = blob(rng, (0.03, 0.17 + lift), (0.42, 0.31), 0.05)
        canvas.fill(coat, fabric(rng))
    for ear in ((0.42, -0.4), (0.68, -0.4)):
        canvas.fill(ellipse((ear[0], ear[1] + lift), (0.08, 0.16), 0.3) * turned, fur)
    canvas.fill(blob(rng, (0.55, -0.15 + lift), (0.26, 0.24), 0.06) * turned, fur)
    for spot in ((0.5, -0.2), (0.67, -0.2), (0.68, -0.06)):
        canvas.flat(ellipse((spot[0], spot[1] + lift), (0.035, 0.035)) * turned, (25, 20, 20))
