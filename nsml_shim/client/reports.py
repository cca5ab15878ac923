"""`nsml.report`: one line of JSON per call, from rank 0 only."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from nsml_shim.client.session import CURRENT

_last: dict[str, object] = {}
_descriptor = -1
scope: Mapping[str, Any] | None = None
"""The scope published last, in which `nsml exec` evaluates."""


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
            are converted when that loses nothing.

    Outside a session and on a rank other than 0 this does nothing.

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
    publish(scope)
    values.pop("walltime", None)
    point = {str(key).replace("__", "/"): _plain(key, value) for key, value in values.items()}
    if step is not None:
        point["step"] = _plain("step", step)
    line = {"walltime": time.time(), "summary": bool(summary), "values": point}
    os.write(_file(), json.dumps(line).encode() + b"\n")
    _last.clear()
    _last.update(point)


def publish(new_scope: Mapping[str, Any] | None) -> None:
    """Make `new_scope` the one in which `nsml exec` evaluates; None keeps the old one."""
    global scope
    if new_scope is not None:
        scope = new_scope


def last() -> dict[str, object]:
    """The values reported last; they describe the next checkpoint."""
    return dict(_last)


def _file() -> int:
    global _descriptor
    if _descriptor < 0:
        assert CURRENT is not None  # report() has returned otherwise
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        _descriptor = os.open(CURRENT.folder.reports, flags, 0o644)
    return _descriptor


def _plain(key: str, value: Any) -> object:
    """The value as Python's own number or text."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    # NumPy scalars, 0-d arrays and 0-d tensors all answer to these two.
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        item = value.item()
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
