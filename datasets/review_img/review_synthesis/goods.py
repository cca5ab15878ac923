"""Products that nobody wears or uses: packed, lying, hanging, held."""

from __future__ import annotations

import numpy as np

from review_synthesis import palette
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import (
    Point,
    blob,
    box,
    ellipse,
    limb,
    rotate,
    shifted,
    smooth,
    tilted_box,
)
from review_synthesis.people import fabric, skin, sleeve_outline, torso_outline
from review_synthesis.prints import draw_label, draw_lines
from review_synthesis.rooms import timber
from review_synthesis.texture import Material


def draw_carton(canvas: Canvas) -> None:
    """A delivery box with tape and a label, closed or open."""
    rng = canvas.rng
    board = Material(
        palette.hsv(rng, (0.07, 0.1), (0.3, 0.5), (0.5, 0.8)), "grain", 0.05, 0.02, volume=0.1
    )
    half, angle = (rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.7)), rng.normal(0, 0.25)
    center = (rng.normal(0, 0.1), rng.normal(0.1, 0.1))
    front = tilted_box(center, half, angle)
    canvas.shadow(shifted(front, 0.06, 0.1), 0.5, 0.12)
    lid = np.array([front[0], front[1], front[1] + (-0.12, -0.3), front[0] + (0.12, -0.3)])
    canvas.fill(front, board)
    canvas.fill(lid, Material(palette.darker(board.color, 1.12), "grain", 0.05, 0.02, volume=0.1))
    tape = rotate(box(-0.07, -half[1], 0.07, half[1]), angle) + center
    canvas.fill(tape, Material((205, 180, 130), volume=0.05))
    if rng.random() < 0.7:
        draw_label(canvas, (center[0] + rng.normal(0, 0.15), center[1] + 0.1), (0.28, 0.18), angle)


def draw_pack(canvas: Canvas, center: Point = (0.0, 0.0), size: float = 0.75) -> None:
    """A pouch, bottle, jar or retail box with its print."""
    rng = canvas.rng
    ink = palette.printed(rng)
    angle = rng.normal(0, 0.2)
    wide, tall = size * rng.uniform(0.45, 0.85), size
    kind = rng.integers(3)
    if kind == 0:
        outline = tilted_box(center, (wide, tall), angle)
    elif kind == 1:
        corners = [
            (-wide, -tall * 0.9),
            (wide, -tall * 0.9),
            (wide * 1.05, tall),
            (-wide * 1.05, tall),
        ]
        outline = rotate(smooth(corners, 5), angle) + center
    else:
        neck = 0.35 * wide
        corners = [(-neck, -tall), (neck, -tall), (wide * 0.7, -tall * 0.5), (wide * 0.7, tall)]
        outline = (
            rotate(np.array([*corners, (-wide * 0.7, tall), (-wide * 0.7, -tall * 0.5)]), angle)
            + center
        )
    canvas.shadow(shifted(outline, 0.05, 0.07), 0.5, 0.1)
    canvas.fill(outline, Material(ink, "plain", 0.06, volume=0.4))
    badge = ellipse((0.0, -tall * 0.1), (wide * 0.5, tall * 0.25))
    canvas.fill(rotate(badge, angle) + center, Material(palette.printed(rng), volume=0.05))
    draw_lines(canvas, (center[0], center[1] + tall * 0.4), (wide * 0.55, tall * 0.25), 3, angle)
    canvas.glow(
        rotate(box(-wide * 0.6, -tall * 0.8, -wide * 0.45, tall * 0.8), angle) + center, 0.25
    )


def draw_cosmetics(canvas: Canvas) -> None:
    """Unopened lipsticks, compacts and bottles on a table."""
    rng = canvas.rng
    for _ in range(rng.integers(1, 4)):
        center = (rng.normal(0, 0.35), rng.normal(0, 0.3))
        angle = rng.uniform(-0.8, 0.8)
        case = Material(palette.cloth(rng), volume=0.5)
        if rng.random() < 0.7:
            tube = tilted_box(center, (0.13, 0.5), angle)
            canvas.shadow(shifted(tube, 0.04, 0.06), 0.45, 0.08)
            canvas.fill(tube, case)
            canvas.fill(
                rotate(box(-0.1, -0.75, 0.1, -0.45), angle) + center,
                Material(palette.lipstick(rng), volume=0.5),
            )
        else:
            pot = ellipse(center, (0.35, 0.33))
            canvas.shadow(shifted(pot, 0.04, 0.06), 0.45, 0.08)
            canvas.fill(pot, case)
            canvas.fill(ellipse(center, (0.26, 0.25)), Material(palette.lipstick(rng), volume=0.2))


def draw_flat_garment(canvas: Canvas, *, hanging: bool) -> None:
    """A garment on a bed or a hanger, shaped like a worn one with no one in it."""
    rng = canvas.rng
    cloth = fabric(rng)
    height = rng.uniform(3.2, 4.2)
    angle = 0.0 if hanging else rng.normal(0, 0.4)
    hem = rng.uniform(0.48, 0.6)
    shift = np.array([rng.normal(0, 0.1), -0.33 * height + rng.normal(0, 0.08)])
    elbow, hand = (0.19, 0.3), (0.21, 0.42)
    reach = rng.choice([0.4, 0.5, 1.0])
    parts = [torso_outline(hem, rng.uniform(0, 0.05), 0.125)]
    for sleeve in sleeve_outline(elbow, hand, reach):
        parts += [sleeve, sleeve * (-1, 1)]
    placed = [rotate(part * height + shift, angle) for part in reversed(parts)]
    for part in placed:
        canvas.shadow(shifted(part, 0.04, 0.05), 0.3, 0.08)
    for part in placed:
        canvas.fill(part, cloth)
    neck = rotate(ellipse((0.0, 0.148), (0.045, 0.022)) * height + shift, angle)
    canvas.fill(neck, Material(palette.darker(cloth.color, 0.55), volume=0.1))
    if hanging:
        top = shift + np.array([0.0, 0.1 * height])
        hook = (
            np.array([(0.0, 0.05), (0.0, -0.12), (0.06, -0.2), (0.1, -0.12)]) * height * 0.4 + top
        )
        canvas.stroke(hook, (90, 90, 95), 0.03)


def draw_shoe_pair(canvas: Canvas) -> None:
    """A pair of shoes standing empty."""
    rng = canvas.rng
    leather = Material(palette.cloth(rng), "plain", 0.06, volume=0.5)
    angle = rng.uniform(-0.6, 0.6)
    for x in (-0.3, 0.3):
        sole = rotate(limb((x, -0.45), (x, 0.45), 0.2, 0.18), angle)
        canvas.shadow(shifted(sole, 0.05, 0.07), 0.5, 0.1)
        canvas.fill(sole, leather)
        opening = rotate(ellipse((x, 0.35), (0.13, 0.2)), angle)
        canvas.fill(opening, Material(palette.darker(leather.color, 0.35), volume=0.2))
        for row in range(3):
            ends = np.array([(x - 0.1, -0.2 + 0.1 * row), (x + 0.1, -0.2 + 0.1 * row)])
            canvas.stroke(rotate(ends, angle), palette.cloth(rng), 0.02)


def draw_bag(canvas: Canvas) -> None:
    """A bag, purse or folded belt on its own."""
    rng = canvas.rng
    leather = Material(
        palette.cloth(rng), str(rng.choice(["plain", "grain", "knit"])), 0.08, 0.03, volume=0.45
    )
    wide, tall = rng.uniform(0.45, 0.75), rng.uniform(0.35, 0.55)
    turn = np.linspace(np.pi, 2 * np.pi, 14)
    strap = np.stack([wide * 0.6 * np.cos(turn), -0.1 + 0.9 * tall * np.sin(turn)], axis=1)
    canvas.stroke(strap, palette.darker(leather.color, 0.75), 0.06)
    body = smooth(
        [(-wide * 0.85, -0.1), (wide * 0.85, -0.1), (wide, tall * 1.4), (-wide, tall * 1.4)], 5
    )
    canvas.shadow(shifted(body, 0.05, 0.07), 0.45, 0.1)
    canvas.fill(body, leather)
    canvas.fill(ellipse((0, 0.15), (0.05, 0.05)), Material((200, 180, 120), volume=0.4))


def draw_planks(canvas: Canvas) -> None:
    """Furniture still in parts: boards, bars and a bag of screws on the floor."""
    rng = canvas.rng
    wood = timber(canvas)
    for _ in range(rng.integers(3, 7)):
        center = (rng.normal(0, 0.35), rng.normal(0, 0.35))
        board = tilted_box(
            center, (rng.uniform(0.4, 0.9), rng.uniform(0.06, 0.25)), rng.normal(0, 0.5)
        )
        canvas.shadow(shifted(board, 0.03, 0.05), 0.4, 0.06)
        canvas.fill(board, wood)
    bag = blob(rng, (rng.uniform(-0.6, 0.6), 0.6), (0.18, 0.14), 0.3)
    canvas.glaze(bag, (235, 238, 240), 0.6, 0.03)


def draw_folded_cloth(canvas: Canvas) -> None:
    """Folded bedding or clothes, perhaps still in plastic."""
    rng = canvas.rng
    cloth = fabric(rng)
    top = -0.5
    for _ in range(rng.integers(1, 4)):
        thick = rng.uniform(0.18, 0.4)
        fold = smooth([(-0.7, top), (0.7, top), (0.72, top + thick), (-0.72, top + thick)], 4)
        canvas.shadow(shifted(fold, 0.04, 0.06), 0.35, 0.08)
        canvas.fill(fold, cloth)
        top += thick * 0.9
    if rng.random() < 0.5:
        canvas.glow(box(-0.75, -0.55, 0.75, top + 0.1), 0.15, 0.02)
        canvas.glow(blob(rng, (0.2, 0.0), (0.5, 0.06)), 0.5, 0.05)


def draw_held(canvas: Canvas) -> None:
    """A hand that holds a product up to the camera."""
    rng = canvas.rng
    tone = palette.skin_tone(rng)
    canvas.fill(limb((0.9, 1.6), (0.3, 0.5), 0.36, 0.26), skin(tone))
    draw_pack(canvas, (rng.normal(0, 0.08), rng.normal(-0.15, 0.08)), rng.uniform(0.4, 0.65))
    for row in range(4):
        y = 0.05 + 0.16 * row
        canvas.fill(limb((0.45, y + 0.1), (0.08, y), 0.09, 0.07), skin(tone))


def draw_cloth_close(canvas: Canvas, worn: float) -> None:
    """Cloth so close that one cannot say whether somebody is inside.

    Args:
        canvas: Where to draw.
        worn: 0 lies empty, 1 shows a good piece of arm or neck.
    """
    rng = canvas.rng
    cloth = fabric(rng)
    canvas.backdrop(cloth)
    tone = palette.skin_tone(rng)
    angle = rng.uniform(0, 2 * np.pi)
    edge = 1.05 - 0.75 * worn * rng.uniform(0.6, 1.2)
    side = rotate(box(-2, edge, 2, 3), angle)
    canvas.shadow(side, 0.35, 0.12)
    beyond = skin(tone) if rng.random() < 0.15 + 0.8 * worn else fabric(rng)
    canvas.fill(side, beyond)
    if rng.random() < 0.5:
        seam = rotate(np.array([(-0.2, -1.5), (0.1, 1.5)]), angle)
        canvas.stroke(seam, palette.darker(cloth.color, 0.75), 0.02)
