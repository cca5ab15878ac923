"""`nsml.copy`, and its stronger relative that brings saved objects back to life."""

from __future__ import annotations

from typing import Any

MUTABLE_SEQUENCES = ("list", "ndarray", "bytearray")
"""Types whose content can be exchanged as a whole."""


def copy(source: Any, target: Any) -> None:
    """Copy the entries of a dict, or the attributes of an object, into another one in place.

    For load functions: the object that the rest of the script knows takes over what was unpickled.

    Args:
        source: Where to copy from.
        target: A dict, or an object with attributes, of the same type; it is changed.

    Raises:
        TypeError: If the two differ in type, or have neither entries nor attributes.

    Source: NSML docs, nsml.copy.
    """
    if type(source) is not type(target):
        raise TypeError(
            f"nsml.copy needs two objects of one type, but got {type(source).__name__} and "
            f"{type(target).__name__}."
        )
    entries, into = _entries(source), _entries(target)
    if into is None:
        raise TypeError(
            f"nsml.copy cannot change a {type(target).__name__} in place. "
            "Put it into a dict, or make it an attribute of an object."
        )
    into.update(entries)


def _entries(thing: Any) -> Any:
    """The dict that holds the state of an object; None if there is none."""
    return thing if issubclass(thing.__class__, dict) else getattr(thing, "__dict__", None)


def restore(source: Any, target: Any) -> None:
    """Give `target` the state of `source`, the way its type wants to be unpickled.

    Raises:
        TypeError: If the two differ in type, or the type cannot be changed in place.
    """
    kind: Any = target.__class__
    if kind is type(source) and kind.__name__ in MUTABLE_SEQUENCES:
        target[:] = source
    elif kind is type(source) and hasattr(kind, "__setstate__") and hasattr(kind, "__getstate__"):
        from copy import copy as shallow

        # Attributes alone are not enough where a handle of a C library hides among them.
        target.__setstate__(shallow(source.__getstate__()))
    else:
        if isinstance(target, dict):
            _entries(target).clear()
        copy(source, target)
