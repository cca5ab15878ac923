"""Why a script died right after its start: it does not take an argument that the platform adds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TAIL_BYTES = 8192
"""Of a log; parsers write their complaint last."""
RESERVED = {"mode": "'train'", "pause": "0", "iteration": "'0'"}
"""Arguments that fork, submit and infer add, and their defaults in NSML's examples."""
TYPES = {"mode": "str", "pause": "int", "iteration": "str"}

_NAMES = "|".join(RESERVED)
_NAMED = re.compile(rf"--?({_NAMES})\b")


@dataclass(frozen=True)
class Parser:
    """A library that reads command lines: how it complains, and how an argument is declared."""

    complaint: re.Pattern[str]
    declaration: str
    """Line to add; `{name}`, `{default}` and `{type}` are filled in."""


PARSERS = (
    Parser(
        re.compile(r"error: unrecognized arguments: (.*)"),
        "parser.add_argument('--{name}', type={type}, default={default})",
    ),
    Parser(
        re.compile(rf"error: no such option: (--(?:{_NAMES}))"),
        "parser.add_option('--{name}', type='{type}', default={default})",
    ),
    Parser(
        re.compile(rf"No such option:? '?(--(?:{_NAMES}))\b"),
        "@click.option('--{name}', type={type}, default={default})",
    ),
    Parser(
        re.compile(rf"Could not consume arg: (--(?:{_NAMES}))\b"),
        "a parameter {name}={default} of the function given to fire.Fire",
    ),
    Parser(
        re.compile(rf"Unknown command line flag '((?:{_NAMES}))'"),
        "flags.DEFINE_{flag}('{name}', {default}, '')",
    ),
    Parser(
        re.compile(rf"option (--(?:{_NAMES})) not recognized"),
        "'{name}=' to the long options given to getopt",
    ),
)
_WRONG_VALUE = re.compile(
    rf"error: argument (?:-\w+/)*--({_NAMES})(?:/-\w+)*: "
    r"(invalid (?:\w+ value|choice): '?([^'\s]*)'?)"
)


def undeclared(log: Path, entry: str) -> str:
    """What to change in a script that refused a reserved argument; "" if that is not the trouble.

    Args:
        log: Log of the session.
        entry: Its script.
    """
    return explain(_tail(log), entry)


def explain(text: str, entry: str) -> str:
    """What to change in the script, from the last words of its log."""
    for parser in PARSERS:
        complaint = parser.complaint.search(text)
        if complaint is None:
            continue
        names = _NAMED.findall(complaint[1]) or re.findall(rf"\A({_NAMES})\Z", complaint[1])
        if names:
            return _advice(entry, list(dict.fromkeys(names)), parser.declaration)
    wrong = _WRONG_VALUE.search(text)
    if wrong:
        advice = f"let --{wrong[1]} take it: type={TYPES[wrong[1]]}"
        if "choice" in wrong[2]:
            advice = f"add {wrong[3]!r} to the choices of --{wrong[1]}"
        return f"{entry} refuses what the platform passes to --{wrong[1]} ({wrong[2]}); {advice}"
    return ""


def _advice(entry: str, names: list[str], declaration: str) -> str:
    lines = [
        declaration.format(
            name=name,
            default=RESERVED[name],
            type=TYPES[name],
            flag={"str": "string", "int": "integer"}[TYPES[name]],
        )
        for name in names
    ]
    options = " and ".join(f"--{name}" for name in names)
    return f"{entry} does not declare {options}; add {' and '.join(lines)}"


def _tail(log: Path) -> str:
    try:
        with open(log, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - TAIL_BYTES))
            return file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
