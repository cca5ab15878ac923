"""The functions and objects a guest hands over with `nsml.bind`."""

from __future__ import annotations

from typing import Any

from nsml_shim.client.handover import Hook

_MISSING: Any = object()


class Bound:
    """What has been bound so far; binding again replaces only the roles that are given."""

    def __init__(self) -> None:
        self.save: Hook | None = None
        self.load: Hook | None = None
        self.infer: Hook | None = None
        self.evaluate: Hook | None = None
        self.decode: Hook | None = None
        self.extras: dict[str, Any] = {}
        """Further keywords of `bind`: handed to save and load where they declare them, and saved
        and restored themselves where those functions are missing."""


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
            If it is missing, the objects among `extras` are saved, each in its library's way.
        load: `load(path)` restores it from there; its return value is ignored. If it is missing,
            the objects among `extras` are restored in place.
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


def infer(data: Any = _MISSING, *more: Any, **kwargs: Any) -> Any:
    """Call the bound infer function.

    Args:
        data: Its first argument.
        *more: Further positional arguments.
        **kwargs: Passed on. `nsml exec` cannot send bytes, so a text `input` in base64 (what comes
            after "base64," counts) arrives as a list of one bytes object; with
            `app_type="list_string"` the text arrives as `{"data": [[input]]}`.

    Raises:
        RuntimeError: If none is bound.
        ValueError: If `app_type` is unknown.

    Source: NSML docs, nsml.infer and nsml exec.
    """
    if data is not _MISSING:
        return infer_hook()(data, *more, **kwargs)
    text = kwargs.get("input")
    if isinstance(text, str) and ("base64," in text or "app_type" in kwargs):
        del kwargs["input"]
        return infer_hook()(_unwrapped(text, kwargs.pop("app_type", None)), **kwargs)
    return infer_hook()(**kwargs)


def _unwrapped(text: str, app_type: str | None) -> Any:
    """What a web client sent as text, in the shape that its kind of application expects."""
    if app_type == "list_string":
        return {"data": [[text]]}
    if app_type is not None:
        raise ValueError(f"nsml.infer got app_type={app_type!r}. Expected 'list_string' or none.")
    import base64

    return [base64.b64decode(text.partition("base64,")[2])]


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
