"""Write docs/nsml-compatibility.md from the tests (`python tools/compatibility.py`).

Standard library only. The rows are in tests/architecture/contract*.py; a test fails when the page
no longer equals what this prints.
"""

from __future__ import annotations

import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "nsml-compatibility.md"
TESTS = ROOT / "tests"
TABLES = ("contract_library.py", "contract_platform.py")

HEAD = """\
# Compatibility with NSML

What NSML's public documents and public code promise, the tests that show it here, and how far it
holds. Section numbers are those of the contract this platform was built from. Written by
`python tools/compatibility.py` from `tests/architecture/contract*.py`: change those, not this page.
"""


def sections() -> dict[str, str]:
    """Title of every section by its number."""
    return runpy.run_path(str(TESTS / "architecture" / "contract.py"))["SECTIONS"]


def rows() -> list[Any]:
    """Every row, in the order of the sections."""
    sys.path.insert(0, str(TESTS / "architecture"))
    try:
        tables = [runpy.run_path(str(TESTS / "architecture" / name))["ROWS"] for name in TABLES]
    finally:
        sys.path.remove(str(TESTS / "architecture"))
    found = [row for table in tables for row in table]
    return sorted(found, key=lambda row: [int(part) for part in row.section.split(".")])


def file_of(test: str) -> Path:
    """The file that `FILE::FUNCTION` names."""
    name = test.partition("::")[0]
    below = TESTS / name
    return below if below.is_file() else TESTS / "nsml_shim" / name


def page() -> str:
    """The page, as Markdown."""
    found, titles = rows(), sections()
    counts = Counter(row.state for row in found)
    told = ", ".join(f"{counts[state]} {state}" for state in sorted(counts, reverse=True))
    parts = [HEAD, f"{len(found)} promises: {told}."]
    for number, title in titles.items():
        level = "##" if "." not in number else "###"
        table = [_line(row) for row in found if row.section == number]
        parts.append(f"{level} {number} {title}")
        parts.append("\n".join(["| Promise | State | Shown by |", "|---|---|---|", *table]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _line(row: Any) -> str:
    state = f"{row.state}: {row.note}" if row.note else row.state
    cells = [row.promise, state, "<br>".join(_link(test) for test in row.tests) or "–"]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _link(test: str) -> str:
    path = file_of(test).relative_to(ROOT).as_posix()
    words = test.partition("::")[2].removeprefix("test_").replace("_", " ")
    return f"[{words}](../{path})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
