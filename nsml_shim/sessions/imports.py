"""Which modules a guest imports that its interpreter does not have: read, never run.

Followed are the guest's own modules from the entry script on. Not counted is what the guest itself
expects to be absent: imports inside `try` with a handler for it, under a question about the version
of Python or about type checking, or where it is not on NSML.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsml_shim.sessions import inventory
from nsml_shim.sessions.distributions import of_module

_PROVIDED = {"nsml", "nsml_shim"}
_CATCHING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_CONDITIONS = ("version_info", "PY2", "PY3", "TYPE_CHECKING", "platform")


@dataclass(frozen=True)
class MissingImport:
    """An import that will fail."""

    module: str
    """Top-level module, such as `cv2`."""
    distribution: str
    """What to add to the manifest, such as `opencv-python`; "" if nothing brings the module."""
    file: str
    """Where it is imported first, relative to the guest's folder."""
    line: int
    """Counted from 1."""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line} imports {self.module}"
        if not self.distribution:
            return f"{where}, which this version of Python does not have any more."
        return (
            f"{where}, which is not installed: add {self.distribution} to setup.py's "
            "install_requires or to requirements.txt."
        )


@dataclass(frozen=True)
class Unreadable:
    """A file of the guest that this version of Python cannot compile."""

    file: str
    line: int
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line} is no Python {sys.version_info[0]}.{sys.version_info[1]} "
            f"({self.reason}): importing it will fail."
        )


@dataclass(frozen=True)
class Survey:
    """What will go wrong when the guest's imports run."""

    missing: tuple[MissingImport, ...]
    unreadable: tuple[Unreadable, ...]

    def lines(self) -> list[str]:
        """One sentence for each, for the user."""
        return [str(trouble) for trouble in (*self.unreadable, *self.missing)]


@dataclass(frozen=True)
class _Import:
    module: str
    """Absolute dotted name, as far as it is known."""
    names: tuple[str, ...]
    """Names taken from it, each of which may be a module."""
    line: int
    relative: bool = False
    """Written with dots, so it is the guest's own whether it exists or not."""


def survey(code: Path, entry: str, python: Path) -> Survey:
    """Find the imports of a guest that will fail.

    Args:
        code: The guest's folder.
        entry: Entry script, relative to it.
        python: Interpreter of the session.

    Raises:
        OSError: If the interpreter cannot be started, or a file not be read.
    """
    guest = _Guest(code, (code / entry).parent)
    unreadable: list[Unreadable] = []
    first: dict[str, tuple[str, int]] = {}
    waiting, seen = [code / entry], set[Path]()
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        try:
            found = list(_imports(path, guest.package(path)))
        except (SyntaxError, ValueError) as error:
            unreadable.append(_unreadable(path.relative_to(code), error))
            continue
        for one in found:
            own = guest.files(one)
            waiting += own
            if not own and not one.relative:
                place = (path.relative_to(code).as_posix(), one.line)
                first.setdefault(one.module.split(".")[0], place)
    strange = sorted(set(first) - _PROVIDED - guest.names)
    missing = [
        MissingImport(name, of_module(name), *first[name]) for name in absent(strange, python)
    ]
    missing.sort(key=lambda it: (it.file != entry, it.file, it.line))
    return Survey(tuple(missing), tuple(unreadable))


def missing_imports(code: Path, entry: str, python: Path) -> list[MissingImport]:
    """The imports of a guest that its interpreter does not have; see `survey`."""
    return list(survey(code, entry, python).missing)


def absent(modules: Sequence[str], python: Path) -> list[str]:
    """Of these top-level modules those that an interpreter does not have."""
    if not modules or python == Path(sys.executable):
        return inventory.absent(modules)
    command = [str(python), "-I", inventory.__file__, *modules]
    run = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    if run.returncode:
        raise OSError(f"{python} does not start: {run.stderr.strip()[-300:]}")
    return json.loads(run.stdout)


class _Guest:
    """The modules in a guest's folder."""

    def __init__(self, code: Path, home: Path) -> None:
        self._roots = [home, code]
        self.names: set[str] = set()
        """Top-level names that may become importable when the guest changes its own path."""
        self._paths: dict[str, list[Path]] = {}
        for folder, inner, files in os.walk(code):
            inner[:] = [name for name in inner if not name.startswith(".")]
            self.names |= {*inner, *(name[:-3] for name in files if name.endswith(".py"))}
            for name in files:
                if name.endswith(".py"):
                    self._paths.setdefault(name[:-3], []).append(Path(folder, name))

    def package(self, path: Path) -> tuple[str, ...]:
        """Package that a file belongs to, as dotted parts from the folder of the entry script."""
        root = next(root for root in self._roots if path.is_relative_to(root))
        return path.relative_to(root).parts[:-1]

    def files(self, one: _Import) -> list[Path]:
        """Files of the guest that an import runs; none if it is not the guest's."""
        parts = one.module.split(".") if one.module else []
        for root in self._roots:
            if found := list(_files_below(root, parts, one.names)):
                return found
        return self._paths.get(parts[0], []) if parts and parts[0] in self._paths else []


def _files_below(root: Path, parts: Sequence[str], names: Sequence[str]) -> Iterator[Path]:
    folder = root
    for depth, part in enumerate(parts, start=1):
        module, folder = folder / f"{part}.py", folder / part
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"
        elif module.is_file():
            yield module
            return
        elif not folder.is_dir():
            return
        if depth == len(parts):
            # In a package without `__init__.py`, or beside it, the names may be modules.
            yield from (p for name in names if (p := folder / f"{name}.py").is_file())
    if not parts:
        yield from (p for name in names if (p := root / f"{name}.py").is_file())


def _imports(path: Path, package: Sequence[str]) -> Iterator[_Import]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes are the guest's business
        tree = ast.parse(path.read_bytes(), filename=str(path))
    for node in _statements(tree.body):
        if isinstance(node, ast.Import):
            yield from (_Import(alias.name, (), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            names = tuple(alias.name for alias in node.names)
            yield _Import(module, names, node.lineno, relative=bool(node.level))


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements that a session may run; see the module's head for those it will not."""
    for node in body:
        yield node
        for block in _blocks(node):
            yield from _statements(block)


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            question = ast.unparse(test)
            if any(word in question for word in _CONDITIONS):
                return
            at_home = "IS_ON_NSML" in question and question.startswith("not ")
            yield from (orelse,) if at_home else (body, orelse)
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            if any(map(_catches_imports, handlers)):
                yield from (orelse, final)
            else:
                yield from (body, *(handler.body for handler in handlers), orelse, final)
        case ast.Match(cases=cases):
            yield from (case.body for case in cases)
        case _:
            yield from (getattr(node, field, []) for field in ("body", "orelse"))


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    named = {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)}
    return bool(named & _CATCHING)


def _unreadable(path: Path, error: SyntaxError | ValueError) -> Unreadable:
    line = getattr(error, "lineno", None) or 1
    reason = error.msg if isinstance(error, SyntaxError) else str(error)
    return Unreadable(path.as_posix(), line, reason)
