"""Names that code from 2017 to 2022 uses and today's libraries no longer have, given back.

Nothing is reimplemented: every entry is another name for what is there, or a default that used to
be. Nothing is replaced: a library that still has a name, such as an old one in an environment of
the session's own, keeps it. Nothing is loaded: a library is mended when the guest imports it.
`NSML_COMPAT=0` turns all of it off. Copied to the shelf, so it may only import what lies there.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib.machinery import ModuleSpec
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:  # at run time typing would double the time that a session needs to start
    from typing import Any

_ABSTRACT = (
    *("Callable", "Container", "Hashable", "ItemsView", "Iterable", "Iterator", "KeysView"),
    *("Mapping", "MappingView", "MutableMapping", "MutableSequence", "MutableSet", "Sequence"),
    *("Set", "Sized", "ValuesView"),
)
_BUILTINS = ("bool", "int", "float", "complex", "object", "str")

NAMES: dict[str, dict[str, str]] = {
    # Python 3.10: the abstract classes live in collections.abc only.
    "collections": {name: f"collections.abc:{name}" for name in _ABSTRACT},
    # Python 3.8; on Linux it was the processor time.
    "time": {"clock": "time:process_time"},
    # Python 3.9.
    "fractions": {"gcd": "math:gcd"},
    # NumPy 1.24 (names of built-in types), 2.0 and 2.4 (second names).
    "numpy": {
        **{name: f"builtins:{name}" for name in _BUILTINS},
        "unicode": "builtins:str",
        "long": "builtins:int",
        "float_": "numpy:float64",
        "complex_": "numpy:complex128",
        "unicode_": "numpy:str_",
        "string_": "numpy:bytes_",
        **dict.fromkeys(("Inf", "infty", "Infinity", "PINF"), "numpy:inf"),
        **dict.fromkeys(("NaN", "NAN"), "numpy:nan"),
        "product": "numpy:prod",
        "cumproduct": "numpy:cumprod",
        "sometrue": "numpy:any",
        "alltrue": "numpy:all",
        "round_": "numpy:round",
        "mat": "numpy:asmatrix",
        "row_stack": "numpy:vstack",
        "trapz": "numpy:trapezoid",
    },
    # pandas 1.0, 2.0.
    "pandas": {
        "datetime": "datetime:datetime",
        "DataFrame.iteritems": "pandas:DataFrame.items",
        "Series.iteritems": "pandas:Series.items",
        "DataFrame.as_matrix": "pandas:DataFrame.to_numpy",
        "Series.as_matrix": "pandas:Series.to_numpy",
    },
    # Pillow 10.
    "PIL.Image": {
        "ANTIALIAS": "PIL.Image:LANCZOS",
        "LINEAR": "PIL.Image:BILINEAR",
        "CUBIC": "PIL.Image:BICUBIC",
    },
    # SciPy 1.3, 1.14.
    "scipy.misc": {
        "comb": "scipy.special:comb",
        "factorial": "scipy.special:factorial",
        "logsumexp": "scipy.special:logsumexp",
    },
    # PyTorch 1.13: `iter(loader).next()`.
    "torch.utils.data.dataloader": {
        "_BaseDataLoaderIter.next": "torch.utils.data.dataloader:_BaseDataLoaderIter.__next__",
    },
    # torchvision 0.12.
    "torchvision.transforms": {
        "Scale": "torchvision.transforms:Resize",
        "RandomSizedCrop": "torchvision.transforms:RandomResizedCrop",
    },
}
"""For each module its former names and what they name now, as `module:attribute`."""

MODULES: dict[str, dict[str, Any]] = {
    "scipy.misc": NAMES["scipy.misc"],
    "sklearn.externals.joblib": {
        name: f"joblib:{name}" for name in ("dump", "load", "Parallel", "delayed", "Memory", "hash")
    },
    "sklearn.cross_validation": {
        name: f"sklearn.model_selection:{name}" for name in ("cross_val_score", "train_test_split")
    },
    "torch._six": {
        "string_classes": (str, bytes),
        "int_classes": int,
        "container_abcs": "collections.abc:",
        "inf": "math:inf",
        "nan": "math:nan",
    },
    "torchvision.models.utils": {
        "load_state_dict_from_url": "torch.hub:load_state_dict_from_url",
    },
    "torchvision.transforms.functional_tensor": {
        "rgb_to_grayscale": "torchvision.transforms.functional:rgb_to_grayscale",
    },
}
"""Modules that are gone, and what they held: where it is now, or the thing itself."""


def install(finders: list[Any]) -> None:
    """Mend what is imported from now on, and what is imported already.

    Args:
        finders: `sys.meta_path`.
    """
    for name in [name for name in (*NAMES, *DEFAULTS) if name in sys.modules]:
        mend(sys.modules[name])
    finders.insert(0, _Mender)
    finders.append(_Successor)


def mend(module: ModuleType) -> None:
    """Give a module its former names and defaults back, as far as it does not have them."""
    _give(module, NAMES.get(module.__name__, {}))
    if restore := DEFAULTS.get(module.__name__):
        restore(module)


def _give(module: ModuleType, names: Mapping[str, Any]) -> None:
    for former, present in names.items():
        path, _, name = former.rpartition(".")
        try:
            owner = _attribute(module, path)
            # Not hasattr: it would ask the module's `__getattr__`, which warns.
            if name not in vars(owner):
                setattr(owner, name, _resolve(present))
        except (AttributeError, ImportError):
            continue  # the library is so old or so new that there is nothing to name


def _resolve(present: Any) -> Any:
    if not isinstance(present, str):
        return present
    module, _, path = present.partition(":")
    return _attribute(importlib.import_module(module), path)


def _attribute(owner: Any, path: str) -> Any:
    for part in filter(None, path.split(".")):
        owner = getattr(owner, part)
    return owner


class _Mender:
    """Finds modules where they are, and mends them once they are loaded."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if name not in NAMES and name not in DEFAULTS:
            return None
        for finder in sys.meta_path:
            if finder is _Mender or not (spec := finder.find_spec(name, path, target)):
                continue
            if spec.loader is not None and not isinstance(spec.loader, type):
                _mend_after_loading(spec.loader)
            return spec
        return None


def _mend_after_loading(loader: Any) -> None:
    # Each module has a loader of its own; one of another class would hide the source of the module.
    execute = loader.exec_module

    def execute_and_mend(module: ModuleType) -> None:
        execute(module)
        mend(module)

    loader.exec_module = execute_and_mend


class _Successor:
    """Comes last: makes the modules that nobody finds any more."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        loader: Any = _Successor
        return ModuleSpec(name, loader) if name in MODULES else None

    @staticmethod
    def create_module(spec: ModuleSpec) -> ModuleType | None:
        return None

    @staticmethod
    def exec_module(module: ModuleType) -> None:
        _give(module, MODULES[module.__name__])


def _forget_verbose(module: ModuleType) -> None:
    """PyTorch 2.7: schedulers no longer take `verbose`, which only printed."""
    for scheduler in vars(module).values():
        if isinstance(scheduler, type) and scheduler.__module__ == module.__name__:
            own: Any = vars(scheduler).get("__init__")
            if own is not None and "verbose" not in own.__code__.co_varnames:
                setattr(scheduler, "__init__", _without_verbose(own))  # noqa: B010


def _without_verbose(start: Callable[..., None]) -> Callable[..., None]:
    @wraps(start)
    def start_without_verbose(self: Any, *args: Any, **keywords: Any) -> None:
        keywords.pop("verbose", None)
        start(self, *args, **keywords)

    return start_without_verbose


def _load_any_yaml(module: ModuleType) -> None:
    """PyYAML 6: `yaml.load(stream)` needs a loader; the one it took last was FullLoader."""
    load: Any = vars(module).get("load")
    if load is not None and "FullLoader" in vars(module) and load.__defaults__ is None:
        load.__defaults__ = (vars(module)["FullLoader"],)


def _trust_own_files(module: ModuleType) -> None:
    """PyTorch 2.6: `torch.load` refuses all but tensors, unless told otherwise.

    Files that the session's own code brought or saved are trusted, as they were: those of the
    session, of its owner's other sessions, and of the working directory. For all others PyTorch's
    default stands; and what the guest itself says about `weights_only` always counts.
    """
    from nsml_shim import protocol  # loaded only by guests that load torch

    load: Any = vars(module).get("load")
    if load is None or "weights_only" not in load.__code__.co_varnames:
        return
    roots = [os.environ.get(name) for name in (protocol.ENV_STORE, protocol.ENV_FOLDER)]
    own = [os.path.realpath(root) for root in (*roots, os.getcwd()) if root]

    @wraps(load)
    def load_own(f: Any, *args: Any, **keywords: Any) -> Any:
        if keywords.get("weights_only") is None and _lies_below(f, own):
            keywords["weights_only"] = False
        return load(f, *args, **keywords)

    setattr(module, "load", load_own)  # noqa: B010


def _lies_below(file: Any, folders: Sequence[str]) -> bool:
    place: object = getattr(file, "name", file)
    if not isinstance(place, (str, os.PathLike)):
        return False  # a buffer: where its bytes come from is not known
    path = os.path.realpath(os.fsdecode(place))  # pyright: ignore[reportUnknownArgumentType]
    return any(path.startswith(os.path.join(folder, "")) for folder in folders)


DEFAULTS: dict[str, Callable[[ModuleType], None]] = {
    "torch.optim.lr_scheduler": _forget_verbose,
    "torch.serialization": _trust_own_files,
    "yaml": _load_any_yaml,
}
"""For each module what gives it a former default back."""
