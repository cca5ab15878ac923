"""docs/json.md against what the commands print."""

import json
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[3] / "docs" / "json.md"
TYPES = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "list of strings": lambda value: (
        isinstance(value, list) and all(isinstance(word, str) for word in value)
    ),
    "null": lambda value: value is None,
}


def schemas() -> dict[str, dict[str, str]]:
    """Keys and types of each command, as the document states them."""
    found: dict[str, dict[str, str]] = {}
    for section in DOCUMENT.read_text(encoding="utf-8").split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        keys = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", body, re.MULTILINE))
        found |= dict.fromkeys(re.findall(r"`nsml ([a-z ]+) -j`", title), keys)
    return found


@pytest.fixture
def printed(nsml, toy):
    """What every listing prints after a run, a fork and a submission."""
    nsml("dataset", "push", "toy", str(toy))
    nsml("run", "-d", "toy", "-a", "--answer 1")
    nsml("logs", "-f", "team/toy/1")
    nsml("submit", "team/toy/1", "best")
    words = {
        "ps": ["ps", "-a", "-j"],
        "model ls": ["model", "ls", "-j", "team/toy/1"],
        "plot": ["plot", "-j", "team/toy/1"],
        "dataset ls": ["dataset", "ls", "-j"],
        "dataset search": ["dataset", "search", "-j", "to*"],
        "dataset board": ["dataset", "board", "-j", "toy"],
        "dataset fs": ["dataset", "fs", "-j", "toy"],
    }
    return {name: json.loads(nsml(*typed).stdout) for name, typed in words.items()}


def test_every_key_is_documented_with_its_type(printed):
    documented = schemas()
    assert documented.keys() == printed.keys()
    for command, rows in printed.items():
        assert rows
        for row in rows:
            assert row.keys() == documented[command].keys(), command
            for key, value in row.items():
                kinds = documented[command][key].split(" or ")
                assert any(TYPES[kind](value) for kind in kinds), (command, key, value)
