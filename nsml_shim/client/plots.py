"""`nsml.Visdom`: plots of scripts that draw through visdom, kept in the session folder."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from nsml_shim.client.session import CURRENT, Session, say

LARGEST = 10_000
"""Arrays with more values than this, mostly pictures, are kept as their shape alone."""


class Recorder:
    """Stands for a `visdom.Visdom`: it takes every call and writes it down.

    A call that draws returns the name of its window, as visdom's own calls do.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._windows: set[str] = set()
        self._names = (f"window_{number}" for number in itertools.count(1))
        self._warned = False

    def check_connection(self, *_: Any, **__: Any) -> bool:
        """What is drawn is always taken."""
        return True

    def win_exists(self, win: str, *_: Any, **__: Any) -> bool:
        """Whether something was drawn into a window."""
        return win in self._windows

    def close(self, win: str | None = None, *_: Any, **__: Any) -> None:
        """Forget one window, or all of them."""
        self._windows -= self._windows.copy() if win is None else {win}
        self._write("close", (), {"win": win})

    def __getattr__(self, call: str) -> Callable[..., str]:
        if call.startswith("_"):
            raise AttributeError(call)

        def record(*args: Any, **kwargs: Any) -> str:
            window = str(kwargs.get("win") or next(self._names))
            self._windows.add(window)
            self._write(call, args, {**kwargs, "win": window})
            return window

        return record

    def _write(self, call: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        if self._session.rank != 0 or self._session.is_submission:
            return
        line = {"walltime": time.time(), "call": call, "args": args, "kwargs": kwargs}
        try:
            data = json.dumps(line, default=_plain, skipkeys=True).encode() + b"\n"
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
            descriptor = os.open(self._session.folder.visdom, flags, 0o644)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:  # a full disk, or a list that holds itself
            if not self._warned:
                say(f"NSML Warning) a plot could not be kept: {error}. The script goes on.")
                self._warned = True


def Visdom(visdom: Any = None, **kwargs: Any) -> Any:  # noqa: N802 - NSML's name
    """A client to draw with, as `visdom.Visdom` gives one.

    Inside a session every call is recorded in the session's folder; no server is needed. Outside a
    session it is visdom's own client.

    Args:
        visdom: The module `visdom`, as the guest imported it.
        **kwargs: Passed to visdom's own client.

    Raises:
        TypeError: If the module is needed and not given.

    Source: NSML's local stand-in, nsml.Visdom.
    """
    if CURRENT is not None:
        return Recorder(CURRENT)
    if visdom is None:
        raise TypeError(
            "Outside a session nsml.Visdom needs the module: nsml.Visdom(visdom=visdom)"
        )
    return visdom.Visdom(**kwargs)


def _plain(value: Any) -> object:
    """An array or tensor as lists, anything else as its text."""
    # torch wants these three before it lets go of the numbers; NumPy knows none of them.
    for step in ("detach", "cpu", "numpy"):
        value = getattr(value, step, lambda value=value: value)()
    if not hasattr(value, "tolist"):
        return repr(value)
    if getattr(value, "size", 0) > LARGEST:
        return {"shape": list(value.shape), "dtype": str(value.dtype)}
    return value.tolist()
