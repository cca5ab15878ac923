"""The file of reports, in which a session records what `nsml.report` is told.

Two kinds of records follow one another:

* text: MARK, the length as `<I`, and a JSON object. It is either one report whole (`walltime`,
  `summary`, `values`), or a layout (`ident`, `names`, `codes`, `summary`) for records to come;
* numbers: the 8 bytes `ident` of a layout, the walltime as a double, and one number for each of
  the layout's names, little-endian, as `struct` packs its codes.

So a report of numbers costs neither their text nor their names. Several processes may append to
one file: idents are random, and each record is written by one call. A record that a full disk or
a power cut has torn costs itself alone: the reader goes on where the next one begins.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

MARK = b"\x89report\n"
"""Begins a text; no JSON holds its first byte, and hardly any ident is the same."""
LENGTH = struct.Struct("<I")
HEAD = len(MARK) + LENGTH.size
FLOAT, INT, TRUTH = "d", "q", "?"
"""Codes of the numbers: 64 bits each, but for truth values of one byte."""


class Layout(NamedTuple):
    """What stands in a record of numbers."""

    ident: bytes
    names: tuple[str, ...]
    codes: str
    """One letter for each name."""
    summary: bool
    """Whether these reports are shown in `nsml ps`."""
    row: struct.Struct


class Report(NamedTuple):
    """One call of `nsml.report`."""

    walltime: float
    """Seconds since the epoch."""
    summary: bool
    values: dict[str, Any]


def new_layout(names: Sequence[str], codes: str, *, summary: bool) -> Layout:
    """A layout that no other process has."""
    return layout_of(os.urandom(len(MARK)), names, codes, summary)


def layout_of(ident: bytes, names: Sequence[str], codes: str, summary: bool) -> Layout:
    """A layout that was made elsewhere."""
    row = struct.Struct(f"<{len(MARK)}sd{codes}")
    return Layout(ident, tuple(names), codes, summary, row)


def text_record(content: Mapping[str, Any]) -> bytes:
    """A JSON object as a record."""
    text = json.dumps(content).encode() + b"\n"
    return MARK + LENGTH.pack(len(text)) + text


def definition(layout: Layout) -> bytes:
    """The record that makes a layout known to the reader."""
    return text_record(
        {
            "ident": layout.ident.hex(),
            "names": layout.names,
            "codes": layout.codes,
            "summary": layout.summary,
        }
    )
