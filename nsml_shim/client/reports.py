"""`nsml.report`: one record per call (`nsml_shim/records.py`), from rank 0 only."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Mapping
from time import time
from typing import Any

from nsml_shim import records
from nsml_shim.client import console
from nsml_shim.client.session import CURRENT, say

MOST_LAYOUTS = 4096
"""Layouts that are remembered; somebody may count in the names."""

_KINDS = ((bool, records.TRUTH), (int, records.INT), (float, records.FLOAT))
"""What is stored as a number, in the order of asking: a truth value is an integer as well."""


class _Journal:
    """The file of reported points; trouble with it is told once and never stops a training."""

    def __init__(self) -> None:
        self.last: dict[str, Any] = {}
        """The values of the last step, by the names that the guest has used."""
        self._descriptor = -1
        self._warned = False

    def write(self, data: bytes) -> bool:
        """Append records; False if they did not fit, which costs these alone."""
        try:
            if self._descriptor < 0:
                assert CURRENT is not None  # report() has returned otherwise
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._descriptor = os.open(CURRENT.folder.reports, flags, 0o644)
            if os.write(self._descriptor, data) == len(data):
                return True
            self._warn("only a part of it fitted")
        except OSError as error:
            self._warn(error.strerror or str(error))
        return False

    def _warn(self, reason: str) -> None:
        if not self._warned:
            say(f"NSML Warning) nsml.report could not record a point: {reason}. The script goes on")
            self._warned = True

    def remember(self, values: dict[str, Any]) -> None:
        """Keep the values for the next checkpoint; those of one step belong together."""
        step = values.get("step")
        if step is None or step != self.last.get("step"):
            self.last = values
        else:
            self.last.update(values)


_journal = _Journal()
_Packing = tuple[Callable[..., bytes], bytes]
"""What makes a record of an ident, the time and the values; and the ident."""
_Packings = dict[tuple[Any, ...], _Packing]
"""How values are packed, by their names and types."""
_told: _Packings = {}
_untold: _Packings = {}
"""With and without a summary."""


def report(
    summary: bool | Mapping[str, Any] = False,
    scope: Mapping[str, Any] | None = None,
    step: Any = None,
    **values: Any,
) -> None:
    """Record one point per value.

    Args:
        summary: True shows the values in `nsml ps`. A dict here holds values whose names are no
            identifiers, as in `report({"test__loss@std": 0.01, "step": 3})`.
        scope: The caller's `locals()`, published for `nsml exec`.
        step: Position on the x axis.
        **values: Numbers, strings or None; `a__b` is stored as `a/b`. NumPy and torch scalars
            are converted when that loses nothing. `a@std` is the error band of `a`, `a@vector:b`
            one of several lines of a plot, `a@stack:b` one layer of a stack.

    Outside a session and on a rank other than 0 this does nothing. If the point cannot be stored,
    one warning says so and the script goes on.

    Raises:
        TypeError: If a value is neither JSON nor a scalar.

    Source: NSML docs, nsml.report.
    """
    if CURRENT is None or CURRENT.rank != 0:
        return
    if summary.__class__ is not bool and isinstance(summary, Mapping):
        values = {str(key): value for key, value in summary.items()} | values
        summary = bool(values.pop("summary", False))
        scope = values.pop("scope", scope)
        step = values.pop("step", step)
    if scope is not None:
        console.publish(CURRENT, scope)
    if step is not None:
        values["step"] = step
    packings = _told if summary else _untold
    packing = packings.get((*values, *map(type, values.values())))
    if packing is None:
        packing = _prepare(values, packings)
    pack, ident = packing
    try:
        data = pack(ident, time(), *values.values())
    except struct.error:  # an integer of more than 64 bits
        data = _text(values, packings)(ident, time())
    _journal.write(data)
    _journal.remember(values)


def last() -> dict[str, object]:
    """The values of the step reported last; they describe the next checkpoint."""
    return {_name(key): value for key, value in _journal.last.items()}


def _prepare(values: dict[str, Any], packings: _Packings) -> _Packing:
    """Make the values plain ones, and find how they are recorded; numbers get a layout."""
    values.pop("walltime", None)
    for key, value in values.items():
        values[key] = _plain(key, value)
    kind = (*values, *map(type, values.values()))
    if kind in packings:
        return packings[kind]
    codes = "".join(map(_code, values.values()))
    if len(codes) == len(values):
        layout = records.new_layout(tuple(map(_name, values)), codes, summary=packings is _told)
        if _journal.write(records.definition(layout)):
            if len(packings) >= MOST_LAYOUTS:
                packings.clear()
            packings[kind] = layout.row.pack, layout.ident
            return packings[kind]
    return _text(values, packings), b""


def _name(key: str) -> str:
    return key.replace("__", "/")


def _code(value: object) -> str:
    """The letter for a number; "" for anything else."""
    return next((code for kind, code in _KINDS if isinstance(value, kind)), "")


def _text(values: Mapping[str, Any], packings: _Packings) -> Callable[..., bytes]:
    """What makes a record of any plain values."""

    def pack(_ident: bytes, walltime: float, *_: Any) -> bytes:
        named = {_name(key): value for key, value in values.items()}
        return records.text_record(
            records.Report(walltime, summary=packings is _told, values=named)._asdict()
        )

    return pack


def _plain(key: str, value: Any) -> object:
    """The value as Python's own number or text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    # NumPy scalars, 0-d arrays and 0-d tensors all answer to these two.
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item") and not _is_date(value):
        try:
            item = value.item()
        except RuntimeError:  # a tensor without data, on torch's device "meta"
            item = None
        if isinstance(item, (bool, int, float, str)):
            return item
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"Object of type {type(value).__name__} is not JSON serializable: nsml.report got it "
            f"for {key!r}. Pass a number, for example float({key}) or {key}.item()."
        ) from None
    return value


def _is_date(value: Any) -> bool:
    """Whether a NumPy scalar counts nanoseconds, which would pass for a number."""
    return getattr(getattr(value, "dtype", None), "kind", None) in ("m", "M")
