"""The floor plan: which modules a room holds, which rooms it may use, what it may load.

`docs/architecture.md` draws it. The functions below read source files only and import none of them.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Room:
    """One row of the floor plan."""

    holds: tuple[str, ...]
    """Modules, or packages with all they contain; a name ending in "!" means that module alone."""
    uses: tuple[str, ...] = ()
    """Other rooms it may import from."""
    loads: tuple[str, ...] = ()
    """Third-party packages it may load; the standard library is always allowed."""


def _model(*names: str) -> tuple[str, ...]:
    return tuple(f"model.{name}" for name in names)


PLAN = ("recipe", "contract", "mistakes")
TENSORS = ("torch", "timm", "numpy", "safetensors")

FLOOR_PLAN = {
    # The submission.
    "entry": Room(
        ("main", "options", "caching", "reporting"),
        ("library", "dataset", "model"),
        ("torch", "pandas"),
    ),
    "manifest": Room(("setup",), loads=("setuptools",)),
    "dataset": Room(
        ("data_loader",),
        ("library", "contract", "pixels", "exploration"),
        ("torch", "numpy", "pandas"),
    ),
    "exploration": Room(
        _model("exploration"),
        ("contract", "pixels", "noise", "parts", "mistakes"),
        ("numpy", "PIL"),
    ),
    "model": Room(
        ("model!",), ("rehearsal", "runs", "campaigns", "judgement", "loops", "parts", *PLAN)
    ),
    "rehearsal": Room(
        _model("rehearsal"), ("runs", "campaigns", "loops", "parts", *PLAN), ("numpy", "PIL")
    ),
    "runs": Room(
        _model("experiment", "predictor", "joining", "tuning"),
        ("campaigns", "judgement", "loops", "parts", *PLAN),
        (*TENSORS, "optuna"),
    ),
    "campaigns": Room(
        _model(
            "campaign", "runner", "pipeline", "lines", "job", "filters", "ensemble", "side_by_side"
        ),
        ("judgement", "noise", "loops", "parts", *PLAN),
        TENSORS,
    ),
    "judgement": Room(
        _model("decision", "offset_search", "blend", "out_of_fold", "folds"),
        ("parts", *PLAN),
        ("numpy", "safetensors"),
    ),
    "noise": Room(_model("noise"), loads=("numpy",)),
    "loops": Room(
        _model(
            *("learner", "trainee", "training", "course", "step", "lesson", "dynamics"),
            *("prediction", "prefetch", "checkpoint"),
        ),
        ("parts", *PLAN),
        TENSORS,
    ),
    "parts": Room(
        _model(
            *("networks", "vocabulary", "prior", "preprocess", "augment", "mixing", "tta"),
            *("sizes", "losses", "optim", "metrics", "split", "sampler", "seeding", "devices"),
            *("ranks", "progress"),
        ),
        PLAN,
        (*TENSORS, "torchvision"),
    ),
    "pixels": Room(
        _model("pixels"), ("contract",), ("torch", "torchvision", "numpy", "PIL", "simplejpeg")
    ),
    "recipe": Room(_model("config", "recipes", "search_space"), ("mistakes",)),
    "contract": Room(_model("batch"), loads=("torch", "numpy")),
    "mistakes": Room(_model("errors")),
    # The platform.
    "cli": Room(
        ("nsml_shim.cli", "nsml_shim.__main__"), ("commands", "settings", "words"), ("click",)
    ),
    "commands": Room(
        ("nsml_shim.commands",),
        ("datasets", "sessions", "scoring", "store", "settings", "words"),
    ),
    "datasets": Room(("nsml_shim.datasets",), ("settings", "words"), ("tomli",)),
    "sessions": Room(("nsml_shim.sessions",), ("words",), ("packaging",)),
    "scoring": Room(("nsml_shim.scoring",), ("words",)),
    "store": Room(("nsml_shim.store",), ("words",)),
    "settings": Room(("nsml_shim.settings",), ("words",), ("tomli",)),
    "library": Room(("nsml",), ("client",)),
    "client": Room(("nsml_shim.client",), ("words",)),
    "words": Room(
        (
            *("nsml_shim!", "nsml_shim.errors", "nsml_shim.names", "nsml_shim.protocol"),
            *("nsml_shim.channel", "nsml_shim.records"),
        ),
    ),
    # Beside the house.
    "generator": Room(("datasets.review_img",), loads=("numpy", "PIL")),
    "owner": Room(("datasets.review_img.data_loader",), ("library",), ("pandas",)),
    "evaluator": Room(("datasets.review_img.evaluation",)),
    "tools": Room(("tools",)),
    "benchmarks": Room(
        ("benchmarks",),
        (
            *("campaigns", "judgement", "noise", "runs", "loops", "parts", *PLAN),
            *("dataset", "pixels", "entry", "library", "words"),
            *("commands", "store", "settings"),
        ),
        ("torch", "torchvision", "timm", "numpy", "PIL", "cleanlab", "simplejpeg", "sklearn"),
    ),
}

SCRIPTS = ("datasets/review_img", "tools")
"""Folders whose files are run, not imported: they find one another without a prefix."""
SHELF = "nsml_shim/site"
"""Folder that gives strangers `import nsml`."""
HOUSE = ("model", "nsml_shim", "benchmarks", *SCRIPTS)
"""Folders whose every Python file lives in a room, beside the files at the top."""


def house_files(root: Path) -> list[Path]:
    """Every Python file that must live in a room."""
    nested = (path for folder in HOUSE for path in (root / folder).rglob("*.py"))
    made = {"build", "demo", "__pycache__"}
    kept = [path for path in nested if not made & set(path.relative_to(root).parts)]
    return sorted([*root.glob("*.py"), *kept])


def module_name(path: Path, root: Path) -> str:
    """Dotted name of a file, as the floor plan writes it."""
    shelf = root / SHELF
    parts = path.relative_to(shelf if shelf in path.parents else root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str | None:
    """Room with the longest matching door; None for code that is not ours, or not in the plan."""
    best, home = "", None
    for name, room in FLOOR_PLAN.items():
        for door in room.holds:
            alone, door = door.endswith("!"), door.rstrip("!")
            fits = module == door or (not alone and module.startswith(f"{door}."))
            if fits and len(door) >= len(best):
                best, home = door, name
    return home


def trespasses(path: Path, root: Path) -> list[str]:
    """Sentences about the imports of a file that its room does not allow."""
    module = module_name(path, root)
    home = room_of(module)
    if home is None:
        return [f"{module} lives in no room: add it to tests/architecture/floor_plan.py"]
    found: list[str] = []
    for target in sorted(set(imported_modules(path, root))):
        room, package = room_of(target), target.split(".")[0]
        if room is not None:
            if room not in (home, *FLOOR_PLAN[home].uses):
                found.append(f"{module} ({home}) imports {target} ({room})")
        elif is_ours(package, root):
            found.append(f"{module} ({home}) imports {target}, which lives in no room")
        elif package not in sys.stdlib_module_names and package not in FLOOR_PLAN[home].loads:
            found.append(f"{module} ({home}) loads {package}")
    return found


def imported_modules(path: Path, root: Path) -> Iterator[str]:
    """Absolute names of the modules a file imports, those inside functions included."""
    package = module_name(path, root).split(".")
    package = package if path.stem == "__init__" else package[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (located(alias.name, path, root) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *((node.module or "").split(".") if node.module else [])])
            yield from (imported_name(stem, alias.name, path, root) for alias in node.names)
        elif isinstance(node, ast.Call) and is_import_call(node):
            yield from (text_of(argument) for argument in node.args[:1])


def imported_name(stem: str, name: str, path: Path, root: Path) -> str:
    """The module behind `from stem import name`: the submodule if there is one, else `stem`."""
    stem = located(stem, path, root)
    inner = f"{stem}.{name}"
    return inner if source_of(inner, root) else stem


def located(module: str, path: Path, root: Path) -> str:
    """Name of a module as the floor plan writes it; scripts see their own folder first."""
    for folder in SCRIPTS:
        local = f"{folder.replace('/', '.')}.{module}"
        if root / folder in path.parents and source_of(local, root):
            return local
    return module


def source_of(module: str, root: Path) -> Path | None:
    """Where a module of ours lies; None if it is not ours, or only a name inside one."""
    for start in (root, root / SHELF):
        place = start.joinpath(*module.split("."))
        for candidate in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if candidate.is_file():
                return candidate
    return None


def is_ours(package: str, root: Path) -> bool:
    """Whether a top-level name is a folder or file of this checkout."""
    return (root / package).is_dir() or source_of(package, root) is not None


def is_import_call(node: ast.Call) -> bool:
    """Whether a call is `importlib.import_module(…)`, `import_module(…)` or `__import__(…)`."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in {"import_module", "__import__"}


def text_of(node: ast.expr) -> str:
    """The module named by a plain string; "builtins" for a name that is only known at run time."""
    named = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(ast.literal_eval(node)) if named else "builtins"
