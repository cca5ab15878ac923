"""The page on compatibility says what the tests show, and leaves nothing out."""

import ast
import runpy
from functools import lru_cache
from pathlib import Path

from contract import SECTIONS

ROOT = Path(__file__).resolve().parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "compatibility.py"))
ROWS = TOOL["rows"]()


@lru_cache
def functions(path: Path) -> dict[str, bool]:
    """The test functions of a file, and whether each is expected to fail whatever its case."""
    if not path.is_file():
        return {}
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    tests = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    return {test.name: "xfail" in "".join(map(ast.dump, test.decorator_list)) for test in tests}


def fails(test: str) -> bool:
    """Whether a named test is expected to fail."""
    return functions(TOOL["file_of"](test))[test.partition("::")[2]]


def test_the_page_is_what_the_tool_writes():
    written = (ROOT / "docs" / "nsml-compatibility.md").read_text(encoding="utf-8")
    assert written == TOOL["page"](), "run `python tools/compatibility.py`"


def test_every_section_has_a_row_and_every_row_a_section():
    assert {row.section for row in ROWS} == set(SECTIONS)


def test_no_row_is_open():
    assert [row.promise for row in ROWS if row.state == "open"] == []


def test_every_named_test_exists():
    named = {test for row in ROWS for test in row.tests}
    gone = [
        test for test in named if test.partition("::")[2] not in functions(TOOL["file_of"](test))
    ]
    assert sorted(gone) == []


def test_nothing_works_whose_test_is_expected_to_fail():
    failing = [row.promise for row in ROWS if row.state == "works" and any(map(fails, row.tests))]
    assert failing == []


def test_no_promise_is_made_twice():
    promises = [(row.section, row.promise) for row in ROWS]
    assert len(promises) == len(set(promises))
