"""Hand a path to a guest's save or load function: as a folder, and if it refuses, as a file.

NSML up to 2019 spoke of a "path": one file could be written *to* it, and was handed back to load.
Later it was always a folder that exists. Nothing in a function tells which of the two it expects,
so the folder goes first, and the way in which it is refused decides.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Hook = Callable[..., Any]

_REFUSED_TO_WRITE = (errno.EROFS, errno.EACCES, errno.EPERM)


def save(hook: Hook, path: Path, extras: Mapping[str, Any]) -> bool:
    """Let a save function fill the empty folder `path`, or put something else in its place.

    Args:
        hook: The guest's function; it gets the path and those extras it declares.
        path: An empty folder. It may be gone afterwards: some writers add an ending to the path
            (`numpy.save`) or use it as a prefix (TensorFlow), so all that lies beside it counts.
        extras: Further keywords of `bind`.

    Returns:
        True if the function wrote one file *to* the path.
    """
    declared = _declared(hook, extras)
    try:
        hook(str(path), **declared)
    except Exception as error:
        if not path.is_dir() or os.listdir(path) or not _is_about(path, error):
            raise
        path.rmdir()
        _second(hook, path, declared, error)
    return path.is_file()


def load(
    hook: Hook, path: Path, extras: Mapping[str, Any], *, copy: Callable[[Path], Path]
) -> None:
    """Let a load function read `path`; if it wants one file and there is one, it gets that.

    Args:
        hook: The guest's function; it gets the path and those extras it declares.
        path: What the save function left: a folder, a file, or the beginning of file names.
        extras: Further keywords of `bind`.
        copy: Makes a copy of the path that may be written to. Some functions unpack an archive
            beside itself, and a submission's models are read-only.
    """
    declared = _declared(hook, extras)
    try:
        hook(str(path), **declared)
    except Exception as error:
        if _is_read_only(path, error):
            _second(hook, copy(path), declared, error)
            return
        file = _only_file(path)
        if file is None or not _is_about(path, error):
            raise
        _second(hook, file, declared, error)


def _second(hook: Hook, path: Path, declared: Mapping[str, Any], first: Exception) -> None:
    """Call the function with another kind of path.

    Raises:
        Exception: The first error where the second only says that the guess was wrong; else the
            second, with the first as its cause.
    """
    try:
        hook(str(path), **declared)
    except NotADirectoryError:
        raise first from None
    except Exception as second:
        if path.is_file() or not _is_about(path, second):
            raise second from first
        raise first from None


def _declared(hook: Hook, extras: Mapping[str, Any]) -> dict[str, Any]:
    """Those extras that the function can take as keywords."""
    if not extras:
        return {}
    import inspect

    try:
        parameters = inspect.signature(hook).parameters.values()
    except (TypeError, ValueError):  # a builtin: nothing is known, so nothing is passed
        return {}
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return dict(extras)
    # The first parameter takes the path, whatever it is called.
    names = {p.name for p in list(parameters)[1:] if p.kind is not p.POSITIONAL_ONLY}
    return {name: value for name, value in extras.items() if name in names}


def _is_about(path: Path, error: Exception) -> bool:
    """Whether an error says that this very path is of the wrong kind, or in the way.

    Libraries wrap the system's error in ever other words, so beside them counts that the path
    itself is named, rather than something inside it.
    """
    if isinstance(error, (IsADirectoryError, FileExistsError)):
        return True
    if isinstance(error, OSError):
        # safetensors raises an OSError that knows neither number nor name.
        return error.filename is None or str(error.filename) == str(path)
    text = str(error)
    if "is a directory" in text.lower():
        return True
    _, named, rest = text.partition(str(path))
    return bool(named) and not rest.startswith(os.sep)


def _is_read_only(path: Path, error: Exception) -> bool:
    """Whether an error says that nothing may be written below this path."""
    if not isinstance(error, OSError) or error.errno not in _REFUSED_TO_WRITE:
        return False
    return str(error.filename or path).startswith(str(path))


def _only_file(path: Path) -> Path | None:
    """The one file below a folder, or beside it under a longer name; None if there are more."""
    if not path.is_dir():
        return None
    files = list(path.iterdir())
    if not files:
        files = [p for p in path.parent.iterdir() if p.name.startswith(path.name) and p != path]
    return files[0] if len(files) == 1 and files[0].is_file() else None
