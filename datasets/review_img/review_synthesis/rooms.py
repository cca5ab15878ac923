"""Furniture and fittings in the place where they are used."""

from __future__ import annotations

import numpy as np

from review_synthesis import palette
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import blob, box, ellipse, limb, rotate, shifted, smooth, tilted_box
from review_synthesis.people import fabric
from review_synthesis.texture import Material


def timber(canvas: Canvas) -> Material:
    """Wood of this picture's furniture, or white board."""
    rng = canvas.rng
    if rng.random() < 0.3:
        return Material(palette.hsv(rng, (0.08, 0.14), (0, 0.08), (0.8, 0.97)), volume=0.15)
    return Material(palette.wood(rng), "wood", 0.07, 0.02, volume=0.15)


def draw_sofa(canvas: Canvas, base: float) -> None:
    """A sofa that stands on `base`, with cushions."""
    rng = canvas.rng
    cover = fabric(rng)
    width, height = rng.uniform(0.65, 1.0), rng.uniform(0.35, 0.5)
    x = rng.normal(0, 0.12)
    canvas.shadow(ellipse((x, base), (width * 1.1, 0.09)), 0.5, 0.1)
    back = smooth(
        [
            (x - width, base - 0.1),
            (x - width * 0.95, base - height - 0.35),
            (x + width * 0.95, base - height - 0.35),
            (x + width, base - 0.1),
        ],
        5,
    )
    canvas.fill(back, cover)
    for seat in (-0.45, 0.45):
        canvas.fill(
            box(
                x + (seat - 0.44) * width,
                base - height * 0.75,
                x + (seat + 0.44) * width,
                base - 0.12,
            ),
            cover,
        )
    for side in (-1, 1):
        canvas.fill(
            limb((x + side * width, base - height), (x + side * width, base - 0.08), 0.13, 0.12),
            cover,
        )
    for _ in range(rng.integers(0, 4)):
        place = (x + rng.uniform(-0.8, 0.8) * width, base - height * rng.uniform(0.85, 1.1))
        canvas.fill(tilted_box(place, (0.16, 0.15), rng.normal(0, 0.3)), fabric(rng))


def draw_bed(canvas: Canvas, base: float) -> None:
    """A made bed seen from its foot."""
    rng = canvas.rng
    cover, wood = fabric(rng), timber(canvas)
    width, x = rng.uniform(0.7, 1.1), rng.normal(0, 0.1)
    top = base - rng.uniform(0.5, 0.7)
    canvas.fill(box(x - width * 0.85, top - 0.45, x + width * 0.85, top + 0.1), wood)
    for side in (-0.42, 0.42):
        pillow = blob(rng, (x + side * width, top), (0.36 * width, 0.14), 0.06)
        canvas.fill(pillow, Material(palette.wall(rng), "folds", 0.06, 0.1, volume=0.4))
    quilt = [
        (x - width * 0.85, top + 0.06),
        (x + width * 0.85, top + 0.06),
        (x + width * 1.15, base + 0.25),
        (x - width * 1.15, base + 0.25),
    ]
    canvas.shadow(shifted(np.array(quilt), 0.0, 0.08), 0.4, 0.1)
    canvas.fill(np.array(quilt), cover)


def draw_shelf(canvas: Canvas, base: float) -> None:
    """A shelf or chest of drawers, filled."""
    rng = canvas.rng
    wood = timber(canvas)
    width, height = rng.uniform(0.35, 0.75), rng.uniform(0.7, 1.5)
    x = rng.normal(0, 0.2)
    rows, columns = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    canvas.shadow(box(x - width, base - height, x + width + 0.1, base + 0.03), 0.35, 0.1)
    canvas.fill(box(x - width, base - height, x + width, base), wood)
    closed = rng.random() < 0.4
    cell = (2 * width / columns, height / rows)
    for row in range(rows):
        for column in range(columns):
            left, top = x - width + column * cell[0] + 0.03, base - height + row * cell[1] + 0.03
            inside = box(left, top, left + cell[0] - 0.06, top + cell[1] - 0.06)
            if closed:
                canvas.fill(inside, Material(palette.darker(wood.color, 1.06), volume=0.12))
                canvas.flat(
                    ellipse((left + cell[0] / 2 - 0.03, top + 0.06), (0.03, 0.015)), (70, 60, 50)
                )
            else:
                canvas.fill(inside, Material(palette.darker(wood.color, 0.55), volume=0.3))
                draw_books(canvas, left, top + cell[1] - 0.06, cell[0] - 0.06)


def draw_books(canvas: Canvas, left: float, bottom: float, width: float) -> None:
    """A row of books that stands on `bottom`."""
    rng = canvas.rng
    x = left
    while x < left + width * rng.uniform(0.3, 1.0) - 0.05:
        thick, tall = rng.uniform(0.03, 0.08), rng.uniform(0.1, 0.2)
        canvas.flat(box(x, bottom - tall, x + thick * 0.9, bottom), palette.cloth(rng))
        x += thick


def draw_table(canvas: Canvas, base: float) -> None:
    """A desk or table with things on it, perhaps a chair."""
    rng = canvas.rng
    wood = timber(canvas)
    width, height, x = rng.uniform(0.55, 0.95), rng.uniform(0.5, 0.75), rng.normal(0, 0.1)
    top = base - height
    canvas.shadow(ellipse((x, base), (width, 0.08)), 0.4, 0.1)
    for side in (-0.88, 0.88):
        canvas.fill(
            limb((x + side * width, top), (x + side * width * 1.02, base), 0.045, 0.03), wood
        )
    slab = [
        (x - width * 0.85, top - 0.16),
        (x + width * 0.85, top - 0.16),
        (x + width, top + 0.03),
        (x - width, top + 0.03),
    ]
    canvas.fill(np.array(slab), wood)
    canvas.flat(box(x - width, top + 0.03, x + width, top + 0.08), palette.darker(wood.color, 0.7))
    for _ in range(rng.integers(1, 4)):
        place = x + rng.uniform(-0.7, 0.7) * width
        tall = rng.uniform(0.1, 0.35)
        canvas.fill(
            box(place - 0.08, top - 0.08 - tall, place + 0.08, top - 0.08),
            Material(palette.cloth(rng), volume=0.4),
        )
    if rng.random() < 0.5:
        draw_chair(canvas, x + rng.uniform(-0.5, 0.5), base + 0.1)


def draw_chair(canvas: Canvas, x: float, base: float) -> None:
    """A chair that stands on `base`."""
    wood, cover = timber(canvas), fabric(canvas.rng)
    for side in (-0.2, 0.2):
        canvas.fill(limb((x + side, base - 0.42), (x + side * 1.2, base), 0.03, 0.02), wood)
    canvas.fill(box(x - 0.24, base - 0.95, x + 0.24, base - 0.5), cover)
    canvas.fill(ellipse((x, base - 0.42), (0.28, 0.1)), cover)


def draw_window(canvas: Canvas, horizon: float) -> None:
    """A window with curtains or a blind."""
    rng = canvas.rng
    width, x = rng.uniform(0.4, 0.8), rng.uniform(-0.5, 0.5)
    top, bottom = -canvas.reach[1] + rng.uniform(0, 0.3), horizon - rng.uniform(0.0, 0.5)
    canvas.fill(box(x - width, top, x + width, bottom), Material((228, 238, 246), volume=0.05))
    canvas.stroke(np.array([(x, top), (x, bottom)]), (245, 245, 245), 0.05)
    cloth = Material(palette.cloth(rng), "stripes", 0.1, 0.05, None, volume=0.3)
    share = rng.uniform(0.3, 0.75)
    hem = horizon + 0.08
    for side in (-1, 1):
        inner = x + side * width * (1 - share)
        outer = x + side * (width + 0.12)
        canvas.fill(box(min(inner, outer), top, max(inner, outer), hem), cloth)


def draw_wall_piece(canvas: Canvas) -> None:
    """A clock, picture or lamp that hangs on the wall."""
    rng = canvas.rng
    center = (rng.uniform(-0.5, 0.5), rng.uniform(-0.7, -0.2))
    size = rng.uniform(0.16, 0.4)
    frame = Material(palette.cloth(rng), volume=0.2)
    kind = rng.integers(3)
    if kind == 0:
        canvas.shadow(ellipse((center[0] + 0.03, center[1] + 0.04), (size, size)), 0.35, 0.06)
        canvas.fill(ellipse(center, (size, size)), frame)
        canvas.fill(
            ellipse(center, (size * 0.85, size * 0.85)), Material((240, 238, 232), volume=0.1)
        )
        hands = np.array([(0.0, -0.6), (0.0, 0.0), (0.4, 0.1)]) * size + center
        canvas.stroke(hands, (40, 40, 40), 0.03)
    elif kind == 1:
        canvas.shadow(tilted_box((center[0] + 0.03, center[1] + 0.04), (size, size * 1.2), 0), 0.35)
        canvas.fill(tilted_box(center, (size, size * 1.2), 0), frame)
        art = Material(palette.printed(rng), "grain", 0.3, 0.2, palette.printed(rng), volume=0)
        canvas.fill(tilted_box(center, (size * 0.82, size), 0), art)
    else:
        cord = np.array([(center[0], -canvas.reach[1]), center])
        canvas.stroke(cord, (60, 60, 60), 0.02)
        shade = np.array([(-0.4, -0.5), (0.4, -0.5), (0.9, 0.4), (-0.9, 0.4)]) * size + center
        canvas.fill(shade, frame)
        canvas.glow(ellipse((center[0], center[1] + size * 0.6), (size, size * 0.5)), 0.6, 0.2)


def draw_plant(canvas: Canvas, x: float, base: float) -> None:
    """A pot plant that stands on `base`."""
    rng = canvas.rng
    green = palette.hsv(rng, (0.25, 0.38), (0.4, 0.8), (0.25, 0.6))
    for _ in range(9):
        lean = rng.normal(0, 0.5)
        tip = (x + 0.4 * np.sin(lean), base - 0.3 - 0.45 * np.cos(lean) * rng.uniform(0.6, 1.2))
        leaf = limb((x, base - 0.25), tip, 0.015, rng.uniform(0.03, 0.07))
        canvas.fill(leaf, Material(palette.jitter(rng, green, 14), volume=0.3))
    pot = np.array(
        [(x - 0.14, base - 0.3), (x + 0.14, base - 0.3), (x + 0.1, base), (x - 0.1, base)]
    )
    canvas.fill(pot, Material(palette.cloth(rng), volume=0.4))


def draw_rug(canvas: Canvas, center: float) -> None:
    """A rug or play mat on the floor."""
    rng = canvas.rng
    kinds = ("checks", "dots", "grain", "stripes")
    weave = Material(
        palette.cloth(rng),
        str(rng.choice(kinds)),
        0.15,
        rng.uniform(0.05, 0.15),
        palette.cloth(rng),
        volume=0.1,
    )
    width, depth = rng.uniform(0.6, 1.1), rng.uniform(0.18, 0.4)
    if rng.random() < 0.5:
        canvas.fill(ellipse((0, center), (width, depth)), weave)
        return
    outline = np.array(
        [
            (-width * 0.8, center - depth),
            (width * 0.8, center - depth),
            (width * 1.1, center + depth),
            (-width * 1.1, center + depth),
        ]
    )
    canvas.fill(rotate(outline, rng.normal(0, 0.04)), weave)


def draw_small_house(canvas: Canvas, base: float) -> None:
    """A pet house or play tent in use."""
    rng = canvas.rng
    cloth = fabric(rng)
    width, height, x = rng.uniform(0.5, 0.8), rng.uniform(0.8, 1.3), rng.normal(0, 0.1)
    canvas.shadow(ellipse((x, base), (width * 1.1, 0.1)), 0.45, 0.1)
    front = [(x - width, base), (x, base - height), (x + width, base)]
    canvas.fill(np.array(front), cloth)
    door = [(x - width * 0.4, base), (x, base - height * 0.6), (x + width * 0.4, base)]
    canvas.fill(smooth(door, 5), Material(palette.darker(cloth.color, 0.4), volume=0.3))


def draw_machine(canvas: Canvas, base: float) -> None:
    """A training bench or bicycle set up at home."""
    rng = canvas.rng
    metal = Material(palette.hsv(rng, (0, 1), (0, 0.3), (0.15, 0.5)), volume=0.4)
    pad = Material(palette.cloth(rng), volume=0.5)
    lean, reach = rng.uniform(-0.2, 0.2), rng.uniform(0.6, 0.9)
    canvas.shadow(ellipse((0, base), (reach, 0.08)), 0.45, 0.1)
    bars = [
        ((-reach, base - 0.05), (reach, base - 0.08)),
        ((-0.3, base), (-0.5 + lean, base - 1.0)),
        ((0.5, base), (-0.1, base - 0.7)),
        ((-0.5 + lean, base - 1.0), (-0.15, base - 1.1)),
    ]
    for start, end in bars:
        canvas.fill(limb(start, end, 0.05, 0.045), metal)
    canvas.fill(limb((0.1, base - 0.7), (0.55, base - 0.7), 0.1, 0.08), pad)
    radius = rng.uniform(0.2, 0.3)
    canvas.fill(ellipse((-0.55, base - radius), (radius, radius)), metal)
