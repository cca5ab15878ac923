"""Food: cooked and served, or raw and packed."""

from __future__ import annotations

import numpy as np

from review_synthesis import palette
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import Point, blob, box, ellipse, limb, shifted, tilted_box
from review_synthesis.palette import Color
from review_synthesis.texture import Material


def crockery(canvas: Canvas) -> Material:
    """White, grey, dark or glazed ware."""
    rng = canvas.rng
    if rng.random() < 0.65:
        return Material(palette.hsv(rng, (0.05, 0.6), (0, 0.08), (0.8, 0.98)), volume=0.25)
    return Material(palette.hsv(rng, (0, 1), (0.05, 0.5), (0.12, 0.6)), volume=0.3)


def scatter(canvas: Canvas, center: Point, radii: Point, pieces: int, piece: Material) -> None:
    """Heap pieces of one food inside an ellipse."""
    rng = canvas.rng
    for _ in range(pieces):
        angle, distance = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random()) * 0.8
        place = (
            center[0] + radii[0] * distance * np.cos(angle),
            center[1] + radii[1] * distance * np.sin(angle),
        )
        size = max(radii) * rng.uniform(0.12, 0.3)
        shape = blob(rng, place, (size, size * rng.uniform(0.5, 1.0)), 0.3)
        color = palette.jitter(rng, piece.color, 12)
        canvas.shadow(shifted(shape, 0.01, 0.02), 0.4, 0.03)
        canvas.fill(shape, Material(color, piece.texture, piece.contrast, piece.period, volume=0.5))


def draw_noodles(canvas: Canvas, center: Point, radii: Point, color: Color) -> None:
    """Curved strands inside an ellipse."""
    rng = canvas.rng
    along = np.linspace(0, 1, 14)
    for _ in range(26):
        start, sweep = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 3.0)
        distance = rng.uniform(0.2, 0.85) + rng.normal(0, 0.15) * along
        angle = start + sweep * along
        strand = (
            np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.clip(distance, 0, 0.9)[:, None]
        )
        ink = palette.jitter(rng, color, 16)
        canvas.stroke(strand * radii + center, ink, rng.uniform(0.02, 0.045))


def draw_serving(canvas: Canvas, center: Point, radii: Point) -> None:
    """What lies in a plate or bowl: soup, noodles, rice, meat, garnish."""
    rng = canvas.rng
    color = palette.cooked(rng)
    style = rng.integers(4)
    bed = Material(color, "grain", 0.22, 0.05, volume=0.3)
    if style == 0:
        canvas.fill(ellipse(center, radii), Material(color, "plain", 0.1, 0.1, volume=0.3))
        scatter(canvas, center, radii, int(rng.integers(4, 9)), Material(palette.cooked(rng)))
        canvas.glow(blob(rng, center, (radii[0] * 0.4, radii[1] * 0.25)), 0.25, 0.05)
    elif style == 1:
        canvas.fill(ellipse(center, radii), Material(palette.darker(color, 0.7), volume=0.3))
        draw_noodles(canvas, center, radii, color)
    elif style == 2:
        canvas.fill(blob(rng, center, radii, 0.12), bed)
        scatter(
            canvas,
            center,
            radii,
            int(rng.integers(3, 8)),
            Material(palette.cooked(rng), "grain", 0.15),
        )
    else:
        scatter(canvas, center, radii, int(rng.integers(7, 14)), bed)
    if rng.random() < 0.75:
        green = Material(palette.hsv(rng, (0.22, 0.35), (0.5, 0.85), (0.35, 0.7)))
        garnish = (radii[0] * 0.5, radii[1] * 0.5)
        scatter(canvas, center, garnish, int(rng.integers(3, 8)), green)


def draw_plate(canvas: Canvas, center: Point, size: float, flat: float) -> None:
    """A served plate or bowl; `flat` is height over width of its rim, 1 from straight above."""
    rng = canvas.rng
    ware = crockery(canvas)
    rim = ellipse(center, (size, size * flat))
    canvas.shadow(shifted(rim, 0.04, 0.07), 0.5, 0.1)
    canvas.fill(rim, ware)
    deep = rng.random() < 0.5
    inner = rng.uniform(0.78, 0.9) if deep else rng.uniform(0.65, 0.85)
    if deep:
        hollow = Material(palette.darker(ware.color, 0.8), volume=0.2)
        canvas.fill(ellipse(center, (size * 0.92, size * flat * 0.92)), hollow)
    draw_serving(canvas, center, (size * inner, size * inner * flat))


def draw_pan(canvas: Canvas) -> None:
    """A pan or pot on the stove, from above."""
    rng = canvas.rng
    iron = Material(palette.hsv(rng, (0, 1), (0, 0.15), (0.1, 0.4)), volume=0.3)
    center, size = (rng.normal(0, 0.1), rng.normal(0, 0.1)), rng.uniform(0.65, 0.95)
    angle = rng.uniform(0, 2 * np.pi)
    end = (center[0] + 2 * np.cos(angle), center[1] + 2 * np.sin(angle))
    canvas.shadow(ellipse((center[0] + 0.05, center[1] + 0.06), (size, size)), 0.5, 0.1)
    canvas.fill(limb(center, end, 0.1, 0.08), iron)
    canvas.fill(ellipse(center, (size, size)), iron)
    canvas.fill(
        ellipse(center, (size * 0.92, size * 0.92)), Material(palette.darker(iron.color, 0.7))
    )
    draw_serving(canvas, center, (size * 0.85, size * 0.85))
    canvas.glow(blob(rng, (center[0], center[1] - 0.3), (0.5, 0.5)), rng.uniform(0, 0.25), 0.4)


def draw_table_spread(canvas: Canvas) -> None:
    """A main dish among side dishes, chopsticks beside it."""
    rng = canvas.rng
    flat = rng.uniform(0.6, 1.0)
    for _ in range(rng.integers(2, 5)):
        angle = rng.uniform(0, 2 * np.pi)
        place = (0.95 * np.cos(angle), 0.85 * np.sin(angle))
        draw_plate(canvas, place, rng.uniform(0.25, 0.38), flat)
    draw_plate(canvas, (rng.normal(0, 0.1), rng.normal(0.05, 0.1)), rng.uniform(0.5, 0.65), flat)
    x = rng.choice([-0.85, 0.85])
    for offset in (0.0, 0.06):
        sticks = np.array([(x + offset, -0.5), (x + offset + rng.normal(0, 0.05), 0.8)])
        canvas.stroke(sticks, palette.wood(rng), 0.03)


def draw_raw(canvas: Canvas) -> None:
    """Raw ingredients: cuts of meat, roots, greens, loose on the table."""
    rng = canvas.rng
    for _ in range(rng.integers(1, 4)):
        color = palette.raw(rng)
        center = (rng.normal(0, 0.35), rng.normal(0, 0.35))
        kind = rng.integers(3)
        if kind == 0:
            slab = blob(rng, center, (rng.uniform(0.35, 0.7), rng.uniform(0.25, 0.45)), 0.3)
            canvas.shadow(shifted(slab, 0.03, 0.05), 0.4, 0.06)
            fat = palette.hsv(rng, (0.02, 0.1), (0.05, 0.2), (0.85, 0.97))
            canvas.fill(
                slab, Material(color, "grain", 0.2, 0.12, fat if rng.random() < 0.5 else None)
            )
        elif kind == 1:
            for _ in range(rng.integers(2, 6)):
                place = (center[0] + rng.normal(0, 0.25), center[1] + rng.normal(0, 0.25))
                fruit = blob(rng, place, (rng.uniform(0.15, 0.28), rng.uniform(0.15, 0.25)), 0.08)
                canvas.shadow(shifted(fruit, 0.03, 0.04), 0.45, 0.06)
                canvas.fill(fruit, Material(palette.jitter(rng, color, 10), volume=0.55))
        else:
            for _ in range(rng.integers(4, 9)):
                tip = (center[0] + rng.normal(0, 0.4), center[1] + rng.normal(0, 0.3))
                leaf = limb(center, tip, 0.04, rng.uniform(0.05, 0.12))
                canvas.fill(leaf, Material(palette.jitter(rng, color, 14), "grain", 0.1, 0.05))


def draw_tray(canvas: Canvas, cooked: float) -> None:
    """Food in a tray or bowl of which one cannot say whether it is ready to eat.

    Args:
        canvas: Where to draw.
        cooked: 0 looks raw and packed, 1 cooked and served.
    """
    rng = canvas.rng
    center = (rng.normal(0, 0.08), rng.normal(0, 0.08))
    half = (rng.uniform(0.6, 0.85), rng.uniform(0.5, 0.8))
    ware = Material(palette.hsv(rng, (0, 1), (0, 0.15), (0.1, 0.97)), volume=0.2)
    served = rng.random() < cooked
    rim = ellipse(center, half) if served else tilted_box(center, half, rng.normal(0, 0.2))
    canvas.shadow(shifted(rim, 0.04, 0.06), 0.45, 0.08)
    canvas.fill(rim, ware)
    color = palette.blend(palette.raw(rng), palette.cooked(rng), cooked)
    radii = (half[0] * 0.8, half[1] * 0.8)
    food = Material(color, "grain", 0.12 + 0.1 * cooked, 0.06)
    canvas.fill(blob(rng, center, radii, 0.1), food)
    scatter(canvas, center, radii, int(rng.integers(4, 10)), food)
    if rng.random() < 0.7 - 0.6 * cooked:
        film = box(
            center[0] - half[0], center[1] - half[1], center[0] + half[0], center[1] + half[1]
        )
        canvas.glow(film, 0.12, 0.02)
        canvas.glow(blob(rng, center, (0.5, 0.08)), 0.5, 0.05)
