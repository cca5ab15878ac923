"""What strangers may rely on: the names of the library, of the model's front, of the package."""

import ast
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import model
import nsml_shim

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
FUNCTIONS = {"bind", "save", "load", "report", "paused", "infer"}
FUNCTIONS |= {"cache", "copy", "save_folder", "Visdom", "pause"}
CONSTANTS = {"DATASET_NAME", "DATASET_PATH", "GPU_NUM", "HAS_DATASET", "IS_DATASET", "IS_ON_NSML"}
CONSTANTS |= {"MY_RANK", "NSML_NFS_OUTPUT", "PARALLEL_PORTS", "PARALLEL_WORLD", "SESSION_NAME"}
PACKAGE = tomllib.loads((ROOT / "nsml_shim" / "pyproject.toml").read_text(encoding="utf-8"))


def public(module: ModuleType) -> set[str]:
    """Public names of a module, its submodules left out."""
    names = {name for name in vars(module) if not name.startswith("_")}
    return {name for name in names if not isinstance(getattr(module, name), ModuleType)}


def locked() -> dict[str, list[str]]:
    """Versions that requirements.lock names for each package."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    versions: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", lock, re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(version)
    return versions


def manifest_requirements() -> list[str]:
    """What setup.py asks for, read as text like the platform reads it."""
    calls = ast.walk(ast.parse((ROOT / "setup.py").read_text(encoding="utf-8")))
    keywords = (word for node in calls if isinstance(node, ast.Call) for word in node.keywords)
    return next(ast.literal_eval(w.value) for w in keywords if w.arg == "install_requires")


def dev_requirements() -> list[str]:
    lines = (ROOT / "tools" / "dev.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_library_offers_the_names_of_the_contract_and_no_others():
    import nsml.constants

    assert public(nsml) == FUNCTIONS | CONSTANTS
    assert public(nsml.constants) == CONSTANTS


def test_the_front_of_the_model_lists_and_fetches_what_it_promises_to_type_checkers():
    front = ast.parse((ROOT / "model" / "__init__.py").read_text(encoding="utf-8"))
    (promised,) = [node for node in front.body if isinstance(node, ast.If)]
    imports = [node for node in promised.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: str(node.module) for node in imports for alias in node.names}
    assert sorted(model.__all__) == sorted(homes)
    for name, home in homes.items():
        assert getattr(model, name) is getattr(import_module(home), name), name


def test_a_name_that_the_model_does_not_have_is_missed_as_in_any_module():
    with pytest.raises(AttributeError, match="module 'model' has no attribute 'utils'"):
        _ = model.utils


def test_the_package_list_equals_the_packages_on_disk():
    shim = ROOT / "nsml_shim"
    folders = {path.parent for path in shim.rglob("__init__.py")} - {shim / "build"}
    inner = {path.relative_to(ROOT) for path in folders if not {"site", "build"} & set(path.parts)}
    on_disk = {".".join(path.parts) for path in inner} | {"nsml"}
    assert set(PACKAGE["tool"]["setuptools"]["packages"]) == on_disk


def test_the_package_carries_every_file_that_is_not_python():
    shim = ROOT / "nsml_shim"
    patterns = PACKAGE["tool"]["setuptools"]["package-data"]
    carried = {
        path
        for package, globs in patterns.items()
        for pattern in globs
        for path in shim.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    made = {"build", "__pycache__"}
    files = {path for path in shim.rglob("*") if path.is_file() and path.suffix != ".py"}
    kept = {path for path in files if not made & set(path.parts) and "egg-info" not in str(path)}
    assert kept - {shim / "pyproject.toml"} == carried


def test_every_requirement_is_locked_at_a_version_that_satisfies_it():
    wanted = [*manifest_requirements(), *PACKAGE["project"]["dependencies"], *dev_requirements()]
    versions = locked()
    for requirement in map(Requirement, wanted):
        pinned = versions.get(canonicalize_name(requirement.name), [])
        assert pinned, f"{requirement} is missing: run `make lock`"
        assert all(map(requirement.specifier.contains, pinned)), f"{requirement}: locked {pinned}"


def test_the_version_is_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", nsml_shim.__version__)
