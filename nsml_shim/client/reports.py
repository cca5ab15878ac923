"""`nsml.report`: one line of JSON per call, from rank 0 only."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from nsml_shim.client import console
from nsml_shim.client.session import CURRENT, say

MOST_SHOWN = 4096
"""Names that are remembered; somebody may count in them."""


class _Journal:
    """The file of reported points; trouble with it is told once and never stops a training."""

    def __init__(self) -> None:
        self.last: dict[str, object] = {}
        """The values of the last step."""
        self._descriptor = -1
        self._torn = False
        self._warned = False

    def write(self, line: str) -> None:
        """Append one line, whole; a reader skips a line that a full disk has cut off."""
        data = (f"\n{line}" if self._torn else line).encode()
        try:
            if self._descriptor < 0:
                assert CURRENT is not None  # report() has returned otherwise
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._descriptor = os.open(CURRENT.folder.reports, flags, 0o644)
            written = os.write(self._descriptor, data)
            self._torn = written < len(data)
        except OSError as error:
            self._warn(error.strerror or str(error))
        else:
            if self._torn:
                self._warn("only a part of the line fitted")

    def _warn(self, reason: str) -> None:
        if not self._warned:
            say(f"NSML Warning) nsml.report could not record a point: {reason}. The script goes on")
            self._warned = True

    def remember(self, point: Mapping[str, object]) -> None:
        """Keep the values for the next checkpoint; those of one step belong together."""
        if "step" not in point or point["step"] != self.last.get("step"):
            self.last.clear()
        self.last.update(point)


_journal = _Journal()
_shown: dict[object, tuple[str, str]] = {}
"""Of each reported keyword: its name in the file, and how its entry begins there."""


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
    if isinstance(summary, Mapping):
        values = {**summary, **values}
        summary = bool(values.pop("summary", False))
        scope = values.pop("scope", scope)
        step = values.pop("step", step)
    console.publish(CURRENT, scope)
    values.pop("walltime", None)
    if step is not None:
        values["step"] = step
    point: dict[str, object] = {}
    texts: list[str] = []
    for key, value in values.items():
        name, opening = _shown.get(key) or _show(key)
        if type(value) is not float and type(value) is not int:
            value = _plain(key, value)
            text = json.dumps(value)
        # JSON writes numbers as Python does, but for infinities and NaN.
        elif value - value == 0:
            text = repr(value)
        else:
            text = json.dumps(value)
        point[name] = value
        texts.append(opening + text)
    told = "true" if summary else "false"
    _journal.write(
        f'{{"walltime": {time.time()!r}, "summary": {told}, "values": {{{", ".join(texts)}}}}}\n'
    )
    _journal.remember(point)


def _show(key: object) -> tuple[str, str]:
    """The name of a reported value in the file, and how its entry begins there; remembered."""
    if len(_shown) >= MOST_SHOWN:
        _shown.clear()
    name = str(key).replace("__", "/")
    _shown[key] = shown = (name, f"{json.dumps(name)}: ")
    return shown


def last() -> dict[str, object]:
    """The values of the step reported last; they describe the next checkpoint."""
    return dict(_journal.last)


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
