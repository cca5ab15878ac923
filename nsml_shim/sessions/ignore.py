"""Which files of a folder are uploaded: `.nsmlignore`, written in the syntax of `.gitignore`."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

IGNORE_FILE = ".nsmlignore"

DEFAULT_IGNORE: tuple[str, ...] = (
    # version control
    ".git/",
    ".hg/",
    ".svn/",
    # what an interpreter or a tool makes again by itself
    "__pycache__/",
    "*.py[cod]",
    ".ipynb_checkpoints/",
    ".pytest_cache/",
    ".mypy_cache/",
    ".ruff_cache/",
    ".tox/",
    ".nox/",
    "*.egg-info/",
    # environments: hundreds of megabytes that the platform builds again from the manifest
    ".venv/",
    "venv/",
    "node_modules/",
    # the platform's own home, editors, operating systems
    ".nsml/",
    ".idea/",
    ".vscode/",
    ".DS_Store",
    "Thumbs.db",
    "*~",
    "*.sw[po]",
)
"""Left at home before `.nsmlignore` is read, which may take any of them back with `!pattern`.

NSML's own list was never public; it is known to have held `lib/` and `*.so`. Both are uploaded
here: a project folder called `lib` that silently stays at home is a trap, and a session runs on the
machine that compiled the `.so`.
"""


@dataclass(frozen=True)
class Rule:
    """One line of an ignore file."""

    path: re.Pattern[str]
    """Matches a path relative to the folder, with forward slashes and without a trailing one."""
    keeps: bool
    """The line began with `!`: what it matches is taken after all."""
    folders_only: bool
    """The line ended with `/`."""


def parse_rules(lines: Iterable[str]) -> tuple[Rule, ...]:
    """Read the lines of an ignore file; comments, empty lines and broken patterns match nothing.

    Source: gitignore(5), "Pattern format".
    """
    found = (_parse_rule(line.rstrip("\r\n")) for line in lines)
    return tuple(rule for rule in found if rule is not None)


def is_ignored(path: str, rules: Sequence[Rule], *, is_folder: bool) -> bool:
    """Whether the last matching rule leaves `path` at home; its parents are not looked at."""
    for rule in reversed(rules):
        if (is_folder or not rule.folders_only) and rule.path.fullmatch(path):
            return not rule.keeps
    return False


def read_rules(folder: Path) -> tuple[Rule, ...]:
    """The built-in rules, then those of the folder's own `.nsmlignore`."""
    own = folder / IGNORE_FILE
    text = own.read_text(encoding="utf-8-sig", errors="surrogateescape") if own.is_file() else ""
    return parse_rules((*DEFAULT_IGNORE, *text.split("\n")))


def select_files(folder: Path, note: Callable[[str], None] | None = None) -> list[Path]:
    """Paths of the files to upload, relative to `folder`, sorted.

    Links to files and folders inside `folder` count as what they point to. Links that lead outside,
    into a loop or nowhere, and things that are no files (sockets, pipes, devices), are left out.

    Args:
        folder: Folder whose files are wanted.
        note: Receives one sentence for each thing left out although no rule names it.
    """
    walk = _Walk(os.path.realpath(folder), read_rules(folder), note or (lambda _: None))
    return sorted(Path(name) for name in _files_below(walk, "", (walk.root,)))


@dataclass(frozen=True)
class _Walk:
    root: str
    rules: Sequence[Rule]
    note: Callable[[str], None]


def _files_below(walk: _Walk, inside: str, parents: tuple[str, ...]) -> Iterator[str]:
    with os.scandir(os.path.join(walk.root, inside)) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        path = f"{inside}/{name}" if inside else name
        real, mode, trouble = _resolve(walk.root, path)
        is_folder = stat.S_ISDIR(mode)
        if is_ignored(path, walk.rules, is_folder=is_folder):
            continue
        if not trouble and is_folder and real in parents:
            trouble = "a link to a folder that holds it"
        if trouble:
            walk.note(f"{path} is left out: {trouble}.")
        elif is_folder:
            yield from _files_below(walk, path, (*parents, real))
        else:
            yield path


def _resolve(root: str, path: str) -> tuple[str, int, str]:
    """Where `path` really lies, its mode, and why it cannot be taken ("" if it can)."""
    full = os.path.join(root, path)
    try:
        mode = os.stat(full).st_mode
    except OSError as error:
        return full, 0, f"a link that leads nowhere ({error.strerror})"
    real = os.path.realpath(full)
    if real != root and not real.startswith(os.path.join(root, "")):
        return real, mode, "a link that leads out of the folder"
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        return real, mode, "neither a file nor a folder"
    return real, mode, ""


def _parse_rule(line: str) -> Rule | None:
    if line.startswith("#"):
        return None
    pattern = _strip_spaces(line)
    keeps = pattern.startswith("!")
    pattern = pattern[1:] if keeps else pattern
    folders_only = pattern.endswith("/")
    pattern = pattern[:-1] if folders_only else pattern
    anchored = "/" in pattern
    expression = _translate(pattern.removeprefix("/"))
    if not expression:
        return None
    expression = expression if anchored else f"(?:.*/)?{expression}"
    return Rule(re.compile(expression, re.DOTALL), keeps, folders_only)


def _strip_spaces(line: str) -> str:
    """Without trailing spaces, except one that a backslash protects."""
    text = line.rstrip(" ")
    backslashes = len(text) - len(text.rstrip("\\"))
    return text + " " if backslashes % 2 and len(text) < len(line) else text


_TOKEN = re.compile(
    r"""
      (?P<any_folders>(?:^|(?<=/))\*\*/)         # **/ : any number of folders, also none
    | (?P<all_below>(?<=/)\*\*$)                 # /** : everything below
    | (?P<stars>\*+)
    | (?P<question>\?)
    | \[(?P<negated>[!^]?)(?P<members>\]?(?:\\.|\[:\w+:\]|[^\]\\])*)\]
    | \\(?P<escaped>.)
    | (?P<plain>[^\[\\])
    """,
    re.VERBOSE | re.DOTALL,
)
_POSIX = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "xdigit": "0-9A-Fa-f",
    "punct": r"!-/:-@\[-`{-~",
    "blank": r" \t",
    "space": r"\s",
}


def _translate(glob: str) -> str:
    """Regular expression of a pattern; "" for a pattern that can match nothing."""
    expression, position = "", 0
    while position < len(glob):
        token = _TOKEN.match(glob, position)
        piece = _translate_token(token) if token else ""
        if token is None or not piece:
            return ""
        expression, position = expression + piece, token.end()
    return expression


def _translate_token(token: re.Match[str]) -> str:
    kinds = {"any_folders": "(?:.*/)?", "all_below": ".+", "stars": "[^/]*", "question": "[^/]"}
    if token.lastgroup in kinds:
        return kinds[token.lastgroup]
    if token["members"] is not None:
        return _translate_class(token["members"], negated=bool(token["negated"]))
    return re.escape(token["escaped"] or token["plain"])


def _translate_class(members: str, *, negated: bool) -> str:
    """A bracket expression; it never matches a slash."""
    ranges = ""
    for part in re.finditer(r"\[:(\w+):\]|\\(.)|(.)-(?:\\(.)|([^\\]))|(.)", members, re.DOTALL):
        name, escaped, low, high_escaped, high, single = part.groups()
        high = high_escaped or high
        if name:
            ranges += _POSIX.get(name, "")
        elif low:
            ranges += f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
        else:
            ranges += re.escape(escaped or single)
    if not ranges:
        return "[^/]" if negated else "(?!)"
    return f"(?!/)[{'^' if negated else ''}{ranges}]"
