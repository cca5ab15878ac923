"""Outlines of simple things, in stage units.

The stage has its origin in the middle of the picture, x to the right and y downwards; one unit is
half of the picture's shorter side, so the visible part is -1..1 along the shorter side.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Outline = NDArray[np.float64]
"""Corner points, float [N, 2], in stage units."""
Point = tuple[float, float]


def ellipse(center: Point, radii: Point, angle: float = 0.0, corners: int = 32) -> Outline:
    """Ellipse; `angle` turns it, in radians."""
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    points = np.stack([radii[0] * np.cos(turn), radii[1] * np.sin(turn)], axis=1)
    return rotate(points + center, angle, center)


def blob(rng: np.random.Generator, center: Point, radii: Point, wobble: float = 0.15) -> Outline:
    """Ellipse whose rim waves in and out by about `wobble` of its radius."""
    turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    waves = np.arange(2, 6)
    amplitude = wobble * rng.standard_normal(len(waves)) / waves
    phase = rng.uniform(0, 2 * np.pi, len(waves))
    rim = 1 + (amplitude[:, None] * np.sin(waves[:, None] * turn + phase[:, None])).sum(axis=0)
    points = np.stack([radii[0] * rim * np.cos(turn), radii[1] * rim * np.sin(turn)], axis=1)
    return rotate(points, rng.uniform(0, np.pi) * wobble) + center


def box(left: float, top: float, right: float, bottom: float) -> Outline:
    """Upright rectangle."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=float)


def tilted_box(center: Point, half: Point, angle: float) -> Outline:
    """Rectangle of the given half sides, turned by `angle` radians."""
    upright = box(
        center[0] - half[0], center[1] - half[1], center[0] + half[0], center[1] + half[1]
    )
    return rotate(upright, angle, center)


def limb(start: Point, end: Point, start_width: float, end_width: float) -> Outline:
    """Tapered bar with round ends; widths are half widths."""
    first, last = np.array(start, dtype=float), np.array(end, dtype=float)
    along = np.arctan2(last[1] - first[1], last[0] - first[0])
    far = np.linspace(along - np.pi / 2, along + np.pi / 2, 8)
    near = np.linspace(along + np.pi / 2, along + 3 * np.pi / 2, 8)
    tip = last + end_width * np.stack([np.cos(far), np.sin(far)], axis=1)
    root = first + start_width * np.stack([np.cos(near), np.sin(near)], axis=1)
    return np.concatenate([tip, root])


def smooth(corners: Outline | list[Point], per_side: int = 6) -> Outline:
    """Closed Catmull-Rom curve through the corners."""
    points = np.asarray(corners, dtype=float)
    before, after = np.roll(points, 1, axis=0), np.roll(points, -1, axis=0)
    beyond = np.roll(points, -2, axis=0)
    t = np.linspace(0, 1, per_side, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (array[:, None, :] for array in (before, points, after, beyond))
    linear, square = (p2 - p0) * t, (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
    curve = 0.5 * (2 * p1 + linear + square + (3 * p1 - p0 - 3 * p2 + p3) * t**3)
    return curve.reshape(-1, 2)


def shifted(points: Outline, right: float, down: float) -> Outline:
    """Points moved by the given steps."""
    return points + np.array([right, down])


def rotate(points: Outline, angle: float, center: Point = (0.0, 0.0)) -> Outline:
    """Points turned clockwise (y points down) by `angle` radians about `center`."""
    cos, sin = np.cos(angle), np.sin(angle)
    return (points - center) @ np.array([[cos, sin], [-sin, cos]]) + center


def mirror(points: Outline, about: float = 0.0) -> Outline:
    """Points reflected left to right about the vertical line x = `about`."""
    return points * (-1, 1) + (2 * about, 0)
