"""What is around the product: rooms, table tops, everyday clutter."""

from __future__ import annotations

import numpy as np

from review_synthesis import palette
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import blob, box, ellipse, limb, shifted, tilted_box
from review_synthesis.people import fabric
from review_synthesis.texture import Material


def draw_room(canvas: Canvas, horizon: float) -> None:
    """Wall, floor below `horizon`, skirting board and the light of a window."""
    rng = canvas.rng
    half_width, half_height = canvas.reach
    pattern = rng.choice(["plain", "plain", "plain", "stripes"])
    paint = palette.wall(rng)
    accent = palette.darker(paint, 0.96) if pattern == "stripes" else None
    canvas.backdrop(Material(paint, str(pattern), 0.04, 0.12, accent))
    flooring = rng.choice(["wood", "plain", "grain"])
    floor = Material(palette.wood(rng), str(flooring), 0.06, 0.04, volume=0.0)
    canvas.fill(box(-half_width, horizon, half_width, half_height), floor)
    canvas.flat(box(-half_width, horizon - 0.05, half_width, horizon), palette.darker(paint, 1.06))
    if rng.random() < 0.3:
        corner = rng.uniform(-0.9, 0.9)
        shade = np.array([(corner, -half_height), (half_width, -half_height)])
        side = np.concatenate([shade, [(half_width, horizon), (corner, horizon)]])
        canvas.shadow(side, 0.12, 0.02)
    spot = blob(rng, (rng.uniform(-1, 1), rng.uniform(-1, 0.3)), (0.9, 0.7))
    canvas.glow(spot, rng.uniform(0.05, 0.25), 0.4)


def draw_table_top(canvas: Canvas) -> None:
    """A surface that fills the picture: desk, cloth, floor, bed cover."""
    rng = canvas.rng
    kind = rng.integers(4)
    if kind == 0:
        canvas.backdrop(Material(palette.wood(rng), "wood", 0.08, 0.025))
    elif kind == 1:
        canvas.backdrop(fabric(rng))
    elif kind == 2:
        canvas.backdrop(Material(palette.wall(rng), "plain", 0.05, 0.2))
    else:
        canvas.backdrop(
            Material(palette.hsv(rng, (0, 1), (0, 0.3), (0.2, 0.9)), "grain", 0.05, 0.03)
        )
    light = blob(rng, (rng.uniform(-1, 1), rng.uniform(-1, 1)), (0.9, 0.9))
    canvas.glow(light, rng.uniform(0.0, 0.22), 0.5)


def draw_clutter(canvas: Canvas, pieces: int) -> None:
    """Everyday things at the edge of the picture: books, cups, cables, paper."""
    rng = canvas.rng
    for _ in range(pieces):
        angle = rng.uniform(0, 2 * np.pi)
        center = (canvas.reach[0] * np.cos(angle), canvas.reach[1] * np.sin(angle))
        color = palette.cloth(rng)
        kind = rng.integers(3)
        if kind == 0:
            half = (rng.uniform(0.1, 0.3), rng.uniform(0.1, 0.25))
            shape = tilted_box(center, half, rng.uniform(0, np.pi))
        elif kind == 1:
            radius = rng.uniform(0.1, 0.22)
            shape = ellipse(center, (radius, radius))
        else:
            end = (center[0] * 0.6, center[1] * 0.8 + rng.normal(0, 0.2))
            shape = limb(center, end, 0.025, 0.02)
        canvas.shadow(shifted(shape, 0.03, 0.04), 0.35, 0.06)
        canvas.fill(shape, Material(color, volume=0.3))
