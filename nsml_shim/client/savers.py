"""How objects are saved when `nsml.bind` got the objects but no functions.

torch and TensorFlow save through themselves: an object of theirs shows that the guest has imported
them, so the platform never does.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from nsml_shim.client.copying import restore
from nsml_shim.client.handover import Hook

SETTINGS = (
    *(type(None), bool, int, float, complex, str, bytes, tuple, frozenset, type),
    *(FunctionType, BuiltinFunctionType, MethodType, ModuleType),
)
"""Types of keywords that tell functions what to do; there is nothing in them to restore."""


class Saver(NamedTuple):
    """How objects of one library are saved and restored."""

    ending: str
    """Of the file, after the keyword that the object was bound under."""
    save: Callable[[Any, str], object]
    """Write an object to a path."""
    load: Callable[[Any, str], object]
    """Restore an object in place from a path."""


def save_hook(extras: Mapping[str, Any]) -> Hook | None:
    """A save function for the objects among the keywords of `bind`; None if there are none."""
    objects = _objects(extras)
    if not objects:
        return None

    def save(path: str) -> None:
        for name, thing in objects.items():
            saver = saver_of(thing)
            saver.save(thing, os.path.join(path, name + saver.ending))

    return save


def load_hook(extras: Mapping[str, Any]) -> Hook | None:
    """A load function for the objects among the keywords of `bind`; None if there are none."""
    objects = _objects(extras)
    if not objects:
        return None

    def load(path: str) -> None:
        for name, thing in objects.items():
            saver = saver_of(thing)
            file = os.path.join(path, name + saver.ending)
            if saver.ending != _CKPT and not os.path.isfile(file):
                raise RuntimeError(
                    f"The checkpoint holds no {name + saver.ending}, so {name!r} cannot be "
                    f"restored; it holds {', '.join(os.listdir(path)) or 'nothing'}. "
                    "If a function saved it, bind the function that reads it: nsml.bind(load=...)."
                )
            saver.load(thing, file)

    return load


def saver_of(thing: object) -> Saver:
    """The saver of the library that an object comes from; pickle if it comes from no special one.

    A subclass comes from the library of its parents.
    """
    families = {kind.__module__.partition(".")[0] for kind in type(thing).__mro__}
    if "torch" in families:
        return TORCH_STATE if hasattr(thing, "load_state_dict") else TORCH_TENSOR
    if hasattr(thing, "load_weights") and hasattr(thing, "save_weights"):
        return KERAS
    if "tensorflow" in families and hasattr(thing, "graph") and hasattr(thing, "run"):
        return TENSORFLOW_SESSION
    return PICKLE


def _objects(extras: Mapping[str, Any]) -> dict[str, Any]:
    return {name: thing for name, thing in extras.items() if not isinstance(thing, SETTINGS)}


def _save_state(thing: Any, file: str) -> None:
    sys.modules["torch"].save(thing.state_dict(), file)


def _load_state(thing: Any, file: str) -> None:
    # The states find their own way to the devices of modules and optimizers.
    thing.load_state_dict(sys.modules["torch"].load(file, map_location="cpu"))


def _save_tensor(thing: Any, file: str) -> None:
    sys.modules["torch"].save(thing, file)


def _load_tensor(thing: Any, file: str) -> None:
    thing.data.copy_(sys.modules["torch"].load(file, map_location="cpu").data)


def _save_weights(thing: Any, file: str) -> None:
    thing.save_weights(file)


def _load_weights(thing: Any, file: str) -> None:
    thing.load_weights(file)


def _session_saver(session: Any) -> Any:
    tensorflow: Any = sys.modules["tensorflow"]
    first = getattr(tensorflow, "compat", tensorflow)
    with session.graph.as_default():
        return getattr(first, "v1", tensorflow).train.Saver()


def _save_session(thing: Any, prefix: str) -> None:
    _session_saver(thing).save(thing, prefix)


def _load_session(thing: Any, prefix: str) -> None:
    _session_saver(thing).restore(thing, prefix)


def _save_pickle(thing: Any, file: str) -> None:
    with open(file, "wb") as stream:
        pickle.dump(thing, stream, protocol=pickle.HIGHEST_PROTOCOL)


def _load_pickle(thing: Any, file: str) -> None:
    with open(file, "rb") as stream:
        restore(pickle.load(stream), thing)


_CKPT = ".ckpt"
TORCH_STATE = Saver(".pt", _save_state, _load_state)
"""Modules, optimizers, schedulers, gradient scalers."""
TORCH_TENSOR = Saver(".tensor.pt", _save_tensor, _load_tensor)
KERAS = Saver(".weights.h5", _save_weights, _load_weights)
"""Keras insists on this ending since version 3."""
TENSORFLOW_SESSION = Saver(_CKPT, _save_session, _load_session)
"""Sessions of TensorFlow 1; the path is the beginning of several files."""
PICKLE = Saver(".pickle", _save_pickle, _load_pickle)
