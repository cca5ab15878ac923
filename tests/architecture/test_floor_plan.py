"""The walls of the house. Reads source files only, so it needs no torch."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from floor_plan import FLOOR_PLAN, HOUSE, house_files, module_name, room_of, trespasses

ROOT = Path(__file__).resolve().parents[2]
FILES = house_files(ROOT)
EVERY_FILE = [*FILES, *sorted((ROOT / "tests").rglob("*.py"))]
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def name_of(path: Path) -> str:
    return module_name(path, ROOT)


def functions(path: Path) -> list[tuple[str, int]]:
    """Name and length in lines of every function of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(node.name, (node.end_lineno or 0) - node.lineno + 1) for node in found]


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_module_imports_only_what_its_room_may_use(path):
    assert trespasses(path, ROOT) == []


@pytest.mark.parametrize("path", EVERY_FILE, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short_and_named_after_its_subject(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert path.stem not in VAGUE


def test_nineteen_of_twenty_functions_fit_on_a_screen():
    lengths = {f"{name_of(p)}.{name}": lines for p in FILES for name, lines in functions(p)}
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert len(long) <= 0.05 * len(lengths), f"too many long functions: {long}"


def test_every_room_is_used_by_name_only_if_it_exists():
    unknown = {used for room in FLOOR_PLAN.values() for used in room.uses} - set(FLOOR_PLAN)
    assert unknown == set()


def test_arrows_never_lead_back():
    TopologicalSorter({name: room.uses for name, room in FLOOR_PLAN.items()}).prepare()


@pytest.mark.parametrize("path", sorted({path.parent for path in FILES}), ids=str)
def test_a_package_of_the_house_says_that_it_is_one(path):
    scripts = {ROOT, *(ROOT / folder for folder in HOUSE[2:]), ROOT / "nsml_shim" / "site"}
    assert path in scripts or (path / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("file", "source", "complaint"),
    [
        ("nsml_shim/scoring/f1.py", "import torch", "scoring) loads torch"),
        ("nsml_shim/store/jobs.py", "from nsml_shim.sessions import leases", "store) imports"),
        ("nsml_shim/store/jobs.py", "from ..sessions import leases", "store) imports"),
        ("nsml_shim/client/fast.py", "from nsml_shim import settings", "client) imports"),
        ("nsml_shim/errors.py", "from nsml_shim.names import check_owner\nimport click", "click"),
        ("nsml_shim/handy.py", "", "lives in no room"),
        ("model/handy.py", "", "lives in no room"),
        ("model/losses.py", "import nsml", "parts) imports nsml (library)"),
        ("model/losses.py", "from model import training", "parts) imports model.training (loops)"),
        ("model/losses.py", "def f():\n    import pandas", "parts) loads pandas"),
        ("model/losses.py", "__import__('nsml')", "parts) imports nsml (library)"),
        ("main.py", "from nsml_shim import names", "entry) imports nsml_shim.names (words)"),
        ("data_loader.py", "from model.training import fit", "dataset) imports model.training"),
        ("datasets/review_img/generate.py", "import torch", "generator) loads torch"),
        ("datasets/review_img/evaluation.py", "import numpy", "evaluator) loads numpy"),
        ("datasets/review_img/evaluation.py", "import generate", "evaluator) imports datasets"),
        ("tools/demo.py", "from nsml_shim import names", "tools) imports nsml_shim.names"),
        ("extra.py", "", "lives in no room"),
    ],
)
def test_a_trespass_is_named_with_module_room_and_target(tmp_path, file, source, complaint):
    neighbours = ["nsml_shim/names.py", "nsml_shim/settings.py", "nsml_shim/sessions/leases.py"]
    neighbours += ["model/training.py", "nsml_shim/site/nsml/__init__.py"]
    neighbours += ["datasets/review_img/generate.py"]
    for name, text in {**dict.fromkeys(neighbours, ""), file: source}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert complaint in " / ".join(trespasses(tmp_path / file, tmp_path))


def test_a_name_inside_a_module_belongs_to_the_modules_room():
    assert room_of("nsml_shim.errors") == "words"
    assert room_of("nsml_shim") == "words"
    assert room_of("nsml_shim.surprise") is None
    assert room_of("torch.nn") is None
