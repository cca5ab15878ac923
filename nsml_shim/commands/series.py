"""The curves of a session: what `nsml.report` recorded, as lines that can be drawn."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

MOST_POINTS = 1000
"""Points per line that a graph shows.

Source: NSML docs, graph page.
"""
BLOCK = 1 << 16
"""Bytes of whole lines that are parsed together."""
LINE, BAND, VECTOR, STACK = "line", "std", "vector", "stack"


class Point(NamedTuple):
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
    # All that is read stays; the collector would look through it again and again.
    collects = gc.isenabled()
    gc.disable()
    try:
        return _points(_records(path))
    finally:
        if collects:
            gc.enable()


def _points(records: Iterable[dict[str, Any]]) -> list[Point]:
    points: list[Point] = []
    for record in records:
        numbers = _numbers(record["values"])
        step = numbers.pop("step", None)
        if points and step is not None and points[-1].step == step:
            points[-1].values.update(numbers)
        else:
            at = float(len(points)) if step is None else step
            points.append(Point(at, float(record["walltime"]), numbers))
    return points


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    """The values that can be drawn; truth values count as 0 and 1."""
    if set(map(type, values.values())) <= {float}:
        return values
    return {key: float(value) for key, value in values.items() if isinstance(value, (int, float))}


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with open(path, "rb") as file:
        while lines := file.readlines(BLOCK):
            yield from _parsed(lines)


def _parsed(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """The records of some lines; of whole ones in one go, which takes half the time."""
    try:
        records = json.loads(b"[%b]" % b",".join(lines), parse_int=float)
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
    names = sorted({*chain.from_iterable(point.values for point in points)})
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
    values = [point.values[name] for point in points if name in point.values]
    everywhere = len(values) == len(points)
    drawn = points if everywhere else [point for point in points if name in point.values]
    drawn = [drawn[index] for index in thin(values, MOST_POINTS)]
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
        start = piece * count // pieces
        inside = values[start : (piece + 1) * count // pieces]
        kept.add(start + inside.index(min(inside)))
        kept.add(start + inside.index(max(inside)))
    return sorted(kept)
