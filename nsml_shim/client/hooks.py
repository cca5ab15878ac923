"""The functions a guest hands over with `nsml.bind`, and how each is called."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Hook = Callable[..., Any]


@dataclass
class Bound:
    """What has been bound so far; binding again replaces only the roles that are given."""

    save: Hook | None = None
    load: Hook | None = None
    infer: Hook | None = None
    evaluate: Hook | None = None
    decode: Hook | None = None
    extras: dict[str, Any] = field(default_factory=dict[str, Any])
    """Further keywords of `bind`, handed to save and load where they declare them."""


BOUND = Bound()


def bind(
    save: Hook | None = None,
    load: Hook | None = None,
    infer: Hook | None = None,
    evaluate: Hook | None = None,
    decode: Hook | None = None,
    **extras: Any,
) -> None:
    """Register the functions through which the platform saves, restores and scores a model.

    Args:
        save: `save(path)` writes the model into the folder `path`, which exists and is empty.
        load: `load(path)` restores it from there; its return value is ignored.
        infer: Called by the dataset owner's loader, with whatever that loader passes.
        evaluate: Accepted for scripts of 2017, never called.
        decode: Accepted for scripts of 2017, never called.
        **extras: Objects that save and load get as keywords, if they declare them.
            `use_nsml_legacy`, which scripts of 2021 pass, makes no difference.

    A role that is left out keeps the function bound before.

    Source: NSML docs, nsml.bind.
    """
    extras.pop("use_nsml_legacy", None)
    roles = {"save": save, "load": load, "infer": infer, "evaluate": evaluate, "decode": decode}
    for role, hook in roles.items():
        if hook is not None:
            setattr(BOUND, role, hook)
    if extras:
        BOUND.extras = extras


def infer(data: Any, **kwargs: Any) -> Any:
    """Call the bound infer function.

    Raises:
        RuntimeError: If none is bound.
    """
    return infer_hook()(data, **kwargs)


def infer_hook() -> Hook:
    """The bound infer function.

    Raises:
        RuntimeError: If none is bound.
    """
    if BOUND.infer is None:
        raise RuntimeError(
            "nsml.infer needs a function, but none is bound. "
            "Call nsml.bind(infer=...) before nsml.paused() or nsml.infer()."
        )
    return BOUND.infer


def call(hook: Hook, path: Path) -> bool:
    """Call a save or load function with the path and those extras it declares.

    Scripts up to 2019 treat the path as one file, later ones as a folder. The folder exists; if
    the function finds that it "is a directory", it is called once more in the older way: saving
    gets the name free, loading gets the only file inside.

    Returns:
        True if the function wanted one file.
    """
    extras = _declared(hook)
    try:
        hook(str(path), **extras)
    except Exception as error:
        file = _as_file(path, error)
        if file is None:
            raise
        hook(str(file), **extras)
        return True
    return False


def _declared(hook: Hook) -> dict[str, Any]:
    """Those extras that the function can take as keywords."""
    if not BOUND.extras:
        return {}
    try:
        parameters = inspect.signature(hook).parameters.values()
    except (TypeError, ValueError):  # a builtin: nothing is known, so nothing is passed
        return {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return BOUND.extras
    # The first parameter takes the path, whatever it is called.
    names = {p.name for p in list(parameters)[1:] if p.kind is not p.POSITIONAL_ONLY}
    return {name: value for name, value in BOUND.extras.items() if name in names}


def _as_file(path: Path, error: Exception) -> Path | None:
    """The path to try instead of a folder, if `error` says that the function wanted a file."""
    # torch, h5py and others wrap the system's message, so the text is all there is to go by.
    if not isinstance(error, IsADirectoryError) and "directory" not in str(error).lower():
        return None
    inside = os.listdir(path) if path.is_dir() else []
    if not inside and path.is_dir():
        path.rmdir()
        return path
    if len(inside) == 1 and (path / inside[0]).is_file():
        return path / inside[0]
    return None
