"""Find `install_requires` in the source of a `setup.py` without running it.

Understood are the spellings seen in competition code: literal lists, names bound to them,
concatenations, keyword dictionaries, and the many ways to read a requirements file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ADVICE = "list them literally, or put them into requirements.txt."


@dataclass(frozen=True)
class Wanted:
    """What a setup.py asks for."""

    requirements: tuple[str, ...] = ()
    """Those written in the script itself."""
    listings: tuple[Path, ...] = ()
    """Requirements files that the script reads."""
    notes: tuple[str, ...] = ()
    """What could not be read; only running the script would tell."""

    def __add__(self, other: Wanted) -> Wanted:
        return Wanted(
            self.requirements + other.requirements,
            self.listings + other.listings,
            self.notes + other.notes,
        )


@dataclass(frozen=True)
class _Script:
    folder: Path
    values: dict[str, ast.expr]
    """Expression last bound to each name of the module."""
    functions: dict[str, ast.FunctionDef]
    conditional: frozenset[str]
    """Names that are also bound or extended under an `if`."""


class _Unreadable(Exception):
    """An expression whose value only running it would tell."""


def install_requires(source: bytes, folder: Path) -> Wanted:
    """Read the requirements that `setup(install_requires=…)` would be called with.

    Args:
        source: Text of setup.py, in whatever encoding it declares.
        folder: Where it lies; files it reads are looked up there.

    Returns:
        What was found; what cannot be known without running the script is a note.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return Wanted(notes=(f"cannot be read as Python 3 ({error}); {ADVICE}",))
    script = _bindings(tree, folder)
    wanted = Wanted()
    for argument in _arguments(tree, script):
        try:
            wanted += _evaluate(argument, script, depth=0)
        except _Unreadable as error:
            what = f"install_requires cannot be read without running it ({error}); {ADVICE}"
            wanted += Wanted(notes=(what,))
    return wanted


def _bindings(tree: ast.Module, folder: Path) -> _Script:
    values: dict[str, ast.expr] = {}
    functions: dict[str, ast.FunctionDef] = {}
    conditional: set[str] = set()
    for node in _module_level(tree):
        if isinstance(node, ast.FunctionDef):
            functions[node.name] = node
        elif isinstance(node, ast.If):
            conditional |= _names_bound(node)
        elif isinstance(node, ast.Expr):
            _bind_method(values, node.value)
        else:
            _bind_statement(values, node)
    return _Script(folder, values, functions, frozenset(conditional))


def _bind_statement(values: dict[str, ast.expr], node: ast.stmt) -> None:
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind(values, target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _bind(values, target, value)
        case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value) if name in values:
            values[name] = ast.BinOp(values[name], ast.Add(), value)
        case ast.With(items=items):
            for item in items:
                _bind(values, item.optional_vars, item.context_expr)
        case _:
            pass


def _bind(values: dict[str, ast.expr], target: ast.expr | None, value: ast.expr) -> None:
    if isinstance(target, ast.Name):
        values[target.id] = value


def _names_bound(branch: ast.If) -> set[str]:
    """Names that a branch may bind, or extend by a method."""
    names: set[str] = set()
    for node in ast.walk(branch):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                names.add(name)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend")):
                names.add(name)
            case _:
                pass
    return names


def _bind_method(values: dict[str, ast.expr], call: ast.expr) -> None:
    """`names.append(x)` and `names.extend(xs)`."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=ast.Name(id=name), attr="append" | "extend" as method),
            args=[added],
        ) if name in values:
            more = added if method == "extend" else ast.List([added], ast.Load())
            values[name] = ast.BinOp(values[name], ast.Add(), more)
        case _:
            pass


def _module_level(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements of the module, including those inside `with`, `try` and `if __name__ == …`.

    Not those inside other branches: which of them runs is not known.
    """
    for node in tree.body:
        if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
            yield from _module_level(ast.Module(node.body, []))
            continue
        yield node
        if isinstance(node, (ast.With, ast.Try)):
            yield from _module_level(ast.Module(node.body, []))


def _arguments(tree: ast.Module, script: _Script) -> Iterator[ast.expr]:
    """The value of `install_requires` in each call of `setup`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not ast.unparse(node.func).endswith("setup"):
            continue
        for keyword in node.keywords:
            if keyword.arg == "install_requires":
                yield keyword.value
            elif keyword.arg is None:
                yield from _entry(keyword.value, "install_requires", script)


def _entry(expression: ast.expr, key: str, script: _Script) -> Iterator[ast.expr]:
    if isinstance(expression, ast.Name):
        expression = script.values.get(expression.id, expression)
    match expression:
        case ast.Dict(keys=keys, values=values):
            for name, value in zip(keys, values, strict=True):
                if isinstance(name, ast.Constant) and name.value == key:
                    yield value
        case ast.Call(func=ast.Name(id="dict"), keywords=keywords):
            yield from (word.value for word in keywords if word.arg == key)
        case _:
            pass


def _evaluate(expression: ast.expr, script: _Script, depth: int) -> Wanted:
    if depth > 50:
        raise _Unreadable("it refers to itself")
    match expression:
        case ast.Constant(value=None):
            return Wanted()
        case ast.Constant(value=str()) | ast.JoinedStr():
            return Wanted(requirements=_lines(_text(expression, script)))
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            found = (_evaluate(part, script, depth + 1) for part in parts)
            return sum(found, start=Wanted())
        case ast.Starred(value=inner):
            return _evaluate(inner, script, depth + 1)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _evaluate(left, script, depth + 1) + _evaluate(right, script, depth + 1)
        case ast.Name(id=name) if name in script.values:
            return _evaluate_name(name, script, depth)
        case _:
            return _evaluate_call(expression, script, depth)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line)


def _text(expression: ast.expr, script: _Script) -> str:
    """A text, or an f-string whose values are constants or names of constants."""
    match expression:
        case ast.Constant(value=value):
            return str(value)
        case ast.JoinedStr(values=parts):
            return "".join(_text(part, script) for part in parts)
        case ast.FormattedValue(value=inner, format_spec=None):
            meant = script.values.get(inner.id) if isinstance(inner, ast.Name) else inner
            if isinstance(meant, ast.Constant):
                return str(meant.value)
        case _:
            pass
    raise _Unreadable(f"line {expression.lineno}: {ast.unparse(expression)[:60]}")


def _evaluate_name(name: str, script: _Script, depth: int) -> Wanted:
    found = _evaluate(script.values[name], script, depth + 1)
    if name in script.conditional:
        found += Wanted(notes=(f"what is added to {name} under an `if` is not read; {ADVICE}",))
    return found


def _evaluate_call(expression: ast.expr, script: _Script, depth: int) -> Wanted:
    match expression:
        case ast.Call(func=ast.Name(id="list" | "tuple" | "sorted" | "set"), args=[inner]):
            return _evaluate(inner, script, depth + 1)
        case ast.Call(
            func=ast.Attribute(value=ast.Constant(value=str(text)), attr="split" | "splitlines")
        ):
            return Wanted(requirements=tuple(text.split()))
        case _:
            pass
    if listings := tuple(_files_named(expression, script, depth)):
        return Wanted(listings=listings)
    raise _Unreadable(f"line {expression.lineno}: {ast.unparse(expression)[:60]}")


def _files_named(node: ast.AST, script: _Script, depth: int) -> Iterator[Path]:
    """Text files whose name occurs in an expression, or in what it refers to."""
    if depth > 8:
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            path = script.folder / part.value
            if part.value.endswith((".txt", ".in")) and path.is_file():
                yield path
        elif isinstance(part, ast.Name):
            meant = script.values.get(part.id) or script.functions.get(part.id)
            if meant is not None and meant is not node:
                yield from _files_named(meant, script, depth + 1)
