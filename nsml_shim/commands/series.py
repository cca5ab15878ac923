"""The curves of a session: what `nsml.report` recorded, as lines that can be drawn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_POINTS = 1000
"""Points per line that a graph shows.

Source: NSML docs, graph page.
"""
BLOCK = 1 << 16
"""Bytes of whole lines that are parsed together."""
LINE, BAND, VECTOR, STACK = "line", "std", "vector", "stack"


@dataclass(frozen=True)
class Point:
    """Everything reported for one step."""

    step: float
    walltime: float
    """Seconds since the epoch, of the first report of that step."""
    values: dict[str, float]


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


def parse(line: bytes) -> dict[str, Any] | None:
    """One line of a reports file; None for one that was cut off, or was never a report."""
    try:
        point = json.loads(line)
    except ValueError:
        return None
    return point if _is_report(point) else None


def _is_report(point: Any) -> bool:
    """Whether a piece of JSON has the shape of a report."""
    return isinstance(point, dict) and isinstance(point.get("values"), dict)  # pyright: ignore[reportUnknownMemberType]


def read_points(path: Path) -> list[Point]:
    """Numbers that a session reported, in their order; reports of one step are one point.

    A report without a step stands where it came: at the number of points before it.
    """
    points: list[Point] = []
    for record in _records(path):
        numbers = {
            key: float(value)
            for key, value in record["values"].items()
            if isinstance(value, (int, float))
        }
        step = numbers.pop("step", None)
        if points and step is not None and points[-1].step == step:
            points[-1].values.update(numbers)
        else:
            at = float(len(points)) if step is None else step
            points.append(Point(at, float(record["walltime"]), numbers))
    return points


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with open(path, "rb") as file:
        while lines := file.readlines(BLOCK):
            yield from _parsed(lines)


def _parsed(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """The records of some lines; of whole ones in one go, which takes half the time."""
    try:
        records = json.loads(b"[%b]" % b",".join(lines))
    except ValueError:
        records = None
    # A broken line may, joined with its neighbours, read as another number of records.
    if records is None or len(records) != len(lines):
        yield from (record for line in lines if (record := parse(line)))
        return
    for record in records:
        if _is_report(record):
            yield record


def lines(points: Sequence[Point]) -> list[Line]:
    """The curves of a session, sorted by metric; each has at most MOST_POINTS points."""
    names = sorted({name for point in points for name in point.values})
    bands = {name.rpartition("@")[0]: name for name in names if name.endswith(f"@{BAND}")}
    return [
        _line(points, name, bands.get(name, ""))
        for name in names
        if bands.get(name.rpartition("@")[0]) != name
    ]


def _line(points: Sequence[Point], name: str, band: str) -> Line:
    metric, _, rest = name.partition("@")
    kind, _, part = rest.partition(":")
    if kind not in (VECTOR, STACK):
        metric, kind, part = name, LINE, ""
    drawn = [point for point in points if name in point.values]
    chosen = thin([point.values[name] for point in drawn], MOST_POINTS)
    drawn = [drawn[index] for index in chosen]
    return Line(
        metric=metric,
        kind=kind,
        part=part,
        steps=tuple(point.step for point in drawn),
        walltimes=tuple(point.walltime for point in drawn),
        values=tuple(point.values[name] for point in drawn),
        deviations=tuple(point.values.get(band) for point in drawn) if band else (),
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
        inside = range(piece * count // pieces, (piece + 1) * count // pieces)
        kept.add(min(inside, key=values.__getitem__))
        kept.add(max(inside, key=values.__getitem__))
    return sorted(kept)
