"""Printed and displayed things: labels, text, receipts, screenshots.

Letters are made of strokes, not of a font, so that the same seed gives the same bytes on a
machine with other fonts.
"""

from __future__ import annotations

import numpy as np

from review_synthesis import palette
from review_synthesis.canvas import Canvas
from review_synthesis.geometry import Point, blob, box, ellipse, rotate, shifted, tilted_box
from review_synthesis.texture import Material

INK = (45, 42, 46)


def draw_lines(canvas: Canvas, center: Point, half: Point, rows: int, angle: float = 0.0) -> None:
    """Lines of words inside a rectangle; each word is a dense little bar."""
    rng = canvas.rng
    pitch = 2 * half[1] / max(rows, 1)
    for row in range(rows):
        y = -half[1] + (row + 0.5) * pitch
        x, end = -half[0], half[0] * rng.uniform(0.3, 1.0)
        while x < end:
            word = min(rng.uniform(0.06, 0.3), end - x)
            bar = box(x, y - 0.28 * pitch, x + word, y + 0.28 * pitch)
            canvas.glaze(rotate(bar, angle) + center, INK, rng.uniform(0.45, 0.75), 0.008)
            x += word + 0.05


def draw_label(canvas: Canvas, center: Point, half: Point, angle: float) -> None:
    """An address or price label with a bar code."""
    rng = canvas.rng
    canvas.fill(tilted_box(center, half, angle), Material((243, 243, 240), volume=0.05))
    upper = (center[0], center[1] - half[1] * 0.35)
    draw_lines(canvas, upper, (half[0] * 0.8, half[1] * 0.45), 3, angle)
    x = -half[0] * 0.7
    while x < half[0] * 0.7:
        wide = rng.uniform(0.008, 0.03)
        bar = box(x, half[1] * 0.3, x + wide, half[1] * 0.8)
        canvas.flat(rotate(bar, angle) + center, INK)
        x += wide + rng.uniform(0.01, 0.03)


def draw_print_close(canvas: Canvas) -> None:
    """The back of a package or a leaflet, filling the picture."""
    rng = canvas.rng
    canvas.backdrop(Material(palette.hsv(rng, (0, 1), (0, 0.35), (0.7, 0.98)), "plain", 0.03, 0.2))
    angle = rng.normal(0, 0.12)
    if rng.random() < 0.6:
        band = rotate(box(-2, -0.9, 2, rng.uniform(-0.7, -0.4)), angle)
        canvas.fill(band, Material(palette.printed(rng), volume=0.0))
    draw_lines(canvas, (0.0, 0.2), (0.8, 0.65), int(rng.integers(4, 8)), angle)
    if rng.random() < 0.4:
        draw_label(canvas, (0.4, 0.6), (0.35, 0.25), angle)


def draw_receipt(canvas: Canvas) -> None:
    """A slip of paper on a table."""
    rng = canvas.rng
    angle = rng.normal(0, 0.3)
    half = (rng.uniform(0.35, 0.55), rng.uniform(0.7, 0.95))
    paper = tilted_box((0, 0), half, angle)
    canvas.shadow(shifted(paper, 0.04, 0.05), 0.35, 0.06)
    canvas.fill(paper, Material((240, 240, 236), "plain", 0.03, 0.2, volume=0.1))
    draw_lines(canvas, (0.0, 0.0), (half[0] * 0.8, half[1] * 0.85), int(rng.integers(5, 9)), angle)


def draw_screenshot(canvas: Canvas) -> None:
    """A phone screen with a shop page or a chat."""
    rng = canvas.rng
    half_width, half_height = canvas.reach
    canvas.backdrop(Material((247, 247, 249), "plain", 0.0))
    bar = palette.printed(rng) if rng.random() < 0.5 else (255, 255, 255)
    canvas.flat(box(-half_width, -half_height, half_width, -half_height + 0.2), bar)
    y = -half_height + 0.32
    while y < half_height - 0.1:
        tall = rng.uniform(0.18, 0.6)
        if rng.random() < 0.4:
            picture = box(-half_width + 0.1, y, half_width * rng.uniform(-0.2, 0.9), y + tall)
            tint = Material(
                palette.printed(rng), "grain", 0.3, 0.15, palette.cloth(rng), volume=0.0
            )
            canvas.fill(picture, tint)
        else:
            center = (-0.05, y + tall / 2)
            draw_lines(canvas, center, (half_width * 0.8, tall / 2), max(1, int(tall / 0.13)))
        y += tall + 0.08
    button = ellipse((0.0, half_height - 0.1), (half_width * 0.7, 0.07))
    canvas.flat(button, palette.printed(rng))


def draw_blur(canvas: Canvas) -> None:
    """Nothing that can be made out: a lens too close to something."""
    rng = canvas.rng
    canvas.backdrop(Material(palette.cloth(rng), "grain", 0.25, 0.5, palette.cloth(rng)))
    for _ in range(rng.integers(2, 5)):
        spot = blob(rng, (rng.normal(0, 0.6), rng.normal(0, 0.6)), (0.5, 0.5), 0.3)
        canvas.glaze(spot, palette.cloth(rng), 0.7, 0.3)


def draw_street(canvas: Canvas) -> None:
    """Outdoors: sky, ground, blocks of houses or trees."""
    rng = canvas.rng
    half_width, half_height = canvas.reach
    canvas.backdrop(
        Material(palette.hsv(rng, (0.53, 0.62), (0.05, 0.5), (0.7, 0.98)), "plain", 0.06, 0.4)
    )
    horizon = rng.uniform(-0.1, 0.4)
    for _ in range(rng.integers(3, 7)):
        x, wide = rng.uniform(-half_width, half_width), rng.uniform(0.15, 0.4)
        top = horizon - rng.uniform(0.2, 1.0)
        if rng.random() < 0.5:
            canvas.fill(
                box(x - wide, top, x + wide, horizon),
                Material(palette.wall(rng), "checks", 0.12, 0.07),
            )
        else:
            green = palette.hsv(rng, (0.22, 0.36), (0.3, 0.7), (0.2, 0.6))
            canvas.fill(
                blob(rng, (x, top + 0.2), (wide, 0.4), 0.3), Material(green, "grain", 0.25, 0.06)
            )
    ground = Material(
        palette.hsv(rng, (0.08, 0.35), (0.05, 0.5), (0.3, 0.7)), "grain", 0.1, 0.05, volume=0.0
    )
    canvas.fill(box(-half_width, horizon, half_width, half_height), ground)
    path = np.array([(-0.1, horizon), (0.1, horizon), (0.8, half_height), (-0.8, half_height)])
    canvas.fill(path, Material((150, 150, 152), "plain", 0.05, volume=0.0))
