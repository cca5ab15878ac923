"""The curves of a session: what `nsml.report` recorded, as lines that can be drawn."""

from __future__ import annotations

import gc
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from nsml_shim.commands import reports
from nsml_shim.commands.reports import Row
from nsml_shim.records import Layout, Report

MOST_POINTS = 1000
"""Points per line that a graph shows.

Source: NSML docs, graph page.
"""
STEP = "step"
LINE, BAND, VECTOR, STACK = "line", "std", "vector", "stack"


@dataclass(frozen=True)
class Points:
    """All that a session reported, one point for each step, in their order."""

    steps: list[float] = field(default_factory=list[float])
    walltimes: list[float] = field(default_factory=list[float])
    """Seconds since the epoch, of the first report of each step."""
    values: dict[str, dict[int, float]] = field(default_factory=dict[str, dict[int, float]])
    """Of every metric, by the number of the point."""


@dataclass(frozen=True)
class Line:
    """One curve; its lists have equal lengths."""

    metric: str
    """Title of the plot: what stands before `@`; its container is what stands before `/`."""
    kind: str
    """LINE, VECTOR or STACK."""
    part: str
    """Which element of a vector or stack; "" for a plain line."""
    steps: tuple[float, ...]
    walltimes: tuple[float, ...]
    values: tuple[float, ...]
    deviations: tuple[float | None, ...] = ()
    """Half height of the error band at each point (`metric@std`); empty without one."""


def read_points(path: Path) -> Points:
    """Numbers that a session reported, in their order; reports of one step are one point.

    A report without a step stands where it came: at the number of points before it.
    """
    points, bookmark = Points(), reports.Bookmark()
    # All that is read stays; the collector would look through it again and again.
    collects = gc.isenabled()
    gc.disable()
    try:
        for block in reports.blocks(path, bookmark):
            if isinstance(block, Report):
                _add_report(points, block)
            elif len({row[0] for row in block}) == 1:
                _add_alike(points, bookmark.layouts[block[0][0]], block)
            else:
                _add_mixed(points, bookmark.layouts, block)
    finally:
        if collects:
            gc.enable()
    return points


def _add_report(points: Points, report: Report) -> None:
    numbers = {key: _number(value) for key, value in report.values.items() if _is_number(value)}
    number = _number_of(points, numbers.pop(STEP, None), report.walltime)
    for name, value in numbers.items():
        points.values.setdefault(name, {})[number] = value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _number(value: float) -> float:
    """An integer that no float can hold is drawn as infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _number_of(points: Points, step: float | None, walltime: float) -> int:
    """The number of the point that a report belongs to, which is made if it is a new one."""
    if step is None:
        step = float(len(points.steps))
    elif points.steps and points.steps[-1] == step:
        return len(points.steps) - 1
    points.steps.append(step)
    points.walltimes.append(walltime)
    return len(points.steps) - 1


def _add_alike(points: Points, layout: Layout, block: list[Row]) -> None:
    """Add reports of the same names, column by column."""
    _, walltimes, *columns = zip(*block, strict=True)
    named = dict(zip(layout.names, columns, strict=True))
    steps = named.pop(STEP, None)
    first = len(points.steps)
    if steps is None:
        steps = tuple(map(float, range(first, first + len(block))))
    elif any(map(operator.eq, steps, chain(points.steps[-1:] or (None,), steps))):
        _add_mixed(points, {layout.ident: layout}, block)
        return
    points.steps.extend(steps)
    points.walltimes.extend(walltimes)
    numbers = range(first, len(points.steps))
    for name, column in named.items():
        points.values.setdefault(name, {}).update(zip(numbers, column, strict=True))


def _add_mixed(points: Points, layouts: Mapping[bytes, Layout], block: list[Row]) -> None:
    """Add reports of several layouts, one after the other."""
    plans = {ident: _plan(points, layouts[ident]) for ident in {row[0] for row in block}}
    steps, walltimes = points.steps, points.walltimes
    number, newest = len(steps) - 1, steps[-1] if steps else None
    for row in block:
        place, columns = plans[row[0]]
        step = row[place] if place else float(number + 1)
        if step != newest or not place:
            steps.append(step)
            walltimes.append(row[1])
            number, newest = number + 1, step
        for index, column in columns:
            column[number] = row[index]


def _plan(points: Points, layout: Layout) -> tuple[int, list[tuple[int, dict[int, float]]]]:
    """Where in a row the step stands, 0 without one; and where the values, and whither they go."""
    places = dict(zip(layout.names, range(2, 2 + len(layout.names)), strict=True))
    step = places.pop(STEP, 0)
    return step, [(index, points.values.setdefault(name, {})) for name, index in places.items()]


def lines(points: Points) -> list[Line]:
    """The curves of a session, sorted by metric; each has at most MOST_POINTS points."""
    names = sorted(points.values)
    bands = {name.rpartition("@")[0]: name for name in names if name.endswith(f"@{BAND}")}
    return [
        _line(points, name, bands.get(name, ""))
        for name in names
        if bands.get(name.rpartition("@")[0]) != name
    ]


def _line(points: Points, name: str, band: str) -> Line:
    metric, _, rest = name.partition("@")
    kind, _, part = rest.partition(":")
    if kind not in (VECTOR, STACK):
        metric, kind, part = name, LINE, ""
    numbers, values = list(points.values[name]), list(points.values[name].values())
    kept = thin(values, MOST_POINTS)
    drawn = [numbers[index] for index in kept]
    deviations = points.values.get(band, {})
    return Line(
        metric=metric,
        kind=kind,
        part=part,
        steps=tuple(float(points.steps[number]) for number in drawn),
        walltimes=tuple(points.walltimes[number] for number in drawn),
        values=tuple(float(values[index]) for index in kept),
        deviations=tuple(map(deviations.get, drawn)) if band else (),
    )


def thin(values: Sequence[float], most: int) -> list[int]:
    """Indices of at most `most` values that keep the shape of the curve, rising.

    The curve is cut into equal pieces, of each the lowest and the highest value stay, so that no
    peak is lost. The first and the last value stay as well.
    """
    count = len(values)
    if count <= most:
        return list(range(count))
    pieces = (most - 2) // 2
    kept = {0, count - 1}
    for piece in range(pieces):
        start = piece * count // pieces
        inside = values[start : (piece + 1) * count // pieces]
        kept.add(start + inside.index(min(inside)))
        kept.add(start + inside.index(max(inside)))
    return sorted(kept)
