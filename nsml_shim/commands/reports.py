"""Read the file of reports, whatever a crash has left between its records."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any

from nsml_shim.records import FLOAT, HEAD, INT, LENGTH, MARK, TRUTH, Layout, Report, layout_of

FEWEST, MOST = 16, 8192
"""Records that are unpacked at once; more from one time to the next, as long as all are alike."""
BROKEN = -1
"""In place of where a record ends: there is none."""

Row = tuple[Any, ...]
"""A record of numbers: ident, walltime, values."""


@dataclass
class Bookmark:
    """How far a file of reports was read, and the layouts that were met."""

    offset: int = 0
    """Bytes from the start of the file."""
    layouts: dict[bytes, Layout] = field(default_factory=dict[bytes, Layout])
    alike: dict[str, set[bytes]] = field(default_factory=dict[str, set[bytes]])
    """The idents by codes: records of one length, which are unpacked together."""


def blocks(path: Path, bookmark: Bookmark) -> Iterator[list[Row] | Report]:
    """The reports behind a bookmark, in their order; the bookmark moves along.

    Those of numbers come as rows, many at a time: all have the same codes, and the bookmark knows
    the layout of each. What is still being written waits for the next time.
    """
    data = _rest(path, bookmark.offset)
    begin, at, most = bookmark.offset, 0, FEWEST
    while at < len(data):
        layout = bookmark.layouts.get(data[at : at + len(MARK)])
        if layout is None:
            found, end = _text(data, at, bookmark)
        else:
            found, end = _rows(data, at, layout, bookmark, most)
            full = len(found) == most
            most = min(2 * most, MOST) if full else FEWEST
        if end == BROKEN or (end > len(data)):
            end = _next_start(data, at + 1, bookmark)
            if end == BROKEN:
                return
        at, bookmark.offset = end, begin + end
        if found:
            yield found


def read(path: Path, bookmark: Bookmark) -> Iterator[Report]:
    """The reports behind a bookmark one by one; the bookmark moves along."""
    for block in blocks(path, bookmark):
        if isinstance(block, Report):
            yield block
        else:
            yield from (_report(row, bookmark) for row in block)


def newest_summary(path: Path, bookmark: Bookmark) -> dict[str, Any] | None:
    """Values of the last report behind a bookmark that has `summary`; None without one."""
    newest: dict[str, Any] | None = None
    for block in blocks(path, bookmark):
        if isinstance(block, Report):
            newest = block.values if block.summary else newest
            continue
        shown = (row for row in reversed(block) if bookmark.layouts[row[0]].summary)
        row = next(shown, None)
        newest = newest if row is None else _report(row, bookmark).values
    return newest


def _report(row: Row, bookmark: Bookmark) -> Report:
    layout = bookmark.layouts[row[0]]
    return Report(row[1], layout.summary, dict(zip(layout.names, row[2:], strict=True)))


def _rest(path: Path, offset: int) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            return file.read()
    except FileNotFoundError:
        return b""


def _rows(
    data: bytes, at: int, layout: Layout, bookmark: Bookmark, most: int
) -> tuple[list[Row], int]:
    """Up to `most` records that are alike, and where the last of them ends."""
    size = layout.row.size
    count = min(most, (len(data) - at) // size)
    if not count:
        return [], at + size
    alike = bookmark.alike[layout.codes]
    rows = list(layout.row.iter_unpack(memoryview(data)[at : at + count * size]))
    if not alike.issuperset(map(itemgetter(0), rows)):
        rows = list(takewhile(lambda row: row[0] in alike, rows))
    end = at + len(rows) * size
    if not _may_begin(data, end, bookmark):
        # A record that begins inside the last one says that the last one is torn.
        inside = _next_start(data, end - size + 1, bookmark)
        if inside != BROKEN and inside < end:
            return rows[:-1], inside
    return rows, end


def _may_begin(data: bytes, at: int, bookmark: Bookmark) -> bool:
    """Whether a record can begin here; so it can where less than its first bytes is written."""
    begin = data[at : at + len(MARK)]
    return begin == MARK or begin in bookmark.layouts or len(begin) < len(MARK)


def _text(data: bytes, at: int, bookmark: Bookmark) -> tuple[Report | None, int]:
    """The text that begins here, and where it ends; a layout goes into the bookmark."""
    if data[at : at + len(MARK)] != MARK:
        return None, BROKEN
    if at + HEAD > len(data):
        return None, at + HEAD
    end = at + HEAD + LENGTH.unpack_from(data, at + len(MARK))[0]
    try:
        found = _content(json.loads(data[at + HEAD : end]))
    except (ValueError, KeyError, TypeError, struct.error):
        return None, end if end > len(data) else BROKEN
    if isinstance(found, Report):
        return found, end
    bookmark.layouts[found.ident] = found
    bookmark.alike.setdefault(found.codes, set()).add(found.ident)
    return None, end


def _content(content: dict[str, Any]) -> Report | Layout:
    """What a text says; ValueError, KeyError, TypeError or struct.error if that is nothing."""
    if "values" in content:
        return Report(float(content["walltime"]), bool(content["summary"]), {**content["values"]})
    ident, names, codes = bytes.fromhex(content["ident"]), content["names"], content["codes"]
    if len(ident) != len(MARK) or len(names) != len(codes) or set(codes) - {FLOAT, INT, TRUTH}:
        raise ValueError(content)
    return layout_of(ident, names, codes, bool(content["summary"]))


def _next_start(data: bytes, at: int, bookmark: Bookmark) -> int:
    """Where the next record begins; BROKEN if none does."""
    places = (data.find(begin, at) for begin in (MARK, *bookmark.layouts))
    return min((place for place in places if place != BROKEN), default=BROKEN)
