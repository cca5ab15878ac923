import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nsml_shim.sessions.shelf import own_library, shelf


def run(folder, program, home, **environ):
    """Runs a guest's script the way a session does; returns what it prints."""
    (folder / "main.py").write_text(textwrap.dedent(program))
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("NSML", "PYTHON"))}
    variables |= {"PYTHONPATH": str(shelf(home)), **environ}
    command = [sys.executable, "-u", "main.py"]
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_shelf_is_built_once_even_by_many_at_once(tmp_path):
    home = tmp_path / "집 home"
    with ThreadPoolExecutor(8) as threads:
        folders = set(threads.map(shelf, [home] * 16))
    assert len(folders) == 1
    assert os.listdir(home / "sdk") == [folders.pop().name]


def test_only_the_library_and_its_half_of_the_platform_can_be_imported(tmp_path):
    names = sorted(os.listdir(shelf(tmp_path)))
    assert names == ["__pycache__", "nsml", "nsml_shim", "sitecustomize.py"]
    half = {name for name in os.listdir(shelf(tmp_path) / "nsml_shim") if name != "__pycache__"}
    words = {"__init__.py", "errors.py", "names.py", "protocol.py", "records.py"}
    assert half == {*words, "old_names.py", "client"}


def test_the_platform_s_nsml_wins_over_a_guest_s_stand_in(tmp_path):
    guest = tmp_path / "guest"
    (guest / "nsml_shim").mkdir(parents=True)
    (guest / "nsml_shim" / "__init__.py").write_text("raise ImportError('the guest copy')")
    (guest / "nsml.py").write_text("raise ImportError('the stand-in')")
    program = "import nsml, nsml_shim; print(nsml.__file__, nsml_shim.__file__)"
    home = tmp_path / "home"
    assert all(path.startswith(str(shelf(home))) for path in run(guest, program, home))


def test_everything_else_of_the_guest_is_its_own(tmp_path):
    (tmp_path / "model.py").write_text("MINE = 'mine'")
    program = """
        import importlib, model
        print(model.MINE)
        for name in ("nsml_shim.sessions", "nsml_shim.store", "nsml_shim.commands", "nsml.extra"):
            try:
                print(importlib.import_module(name))
            except ModuleNotFoundError:
                pass
    """
    assert run(tmp_path, program, tmp_path / "home") == ["mine"]


def test_the_machine_s_own_sitecustomize_still_runs(tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    (more / "sitecustomize.py").write_text("import builtins; builtins.MACHINE = 'ready'")
    home = tmp_path / "home"
    path = f"{shelf(home)}{os.pathsep}{more}"
    assert run(tmp_path, "import nsml; print(MACHINE)", home, PYTHONPATH=path) == ["ready"]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["main.py"], None),
        (["main.py", "nsml.py"], "nsml.py"),
        (["main.py", "nsml/__init__.py"], "nsml"),
        (["main.py", "nsml/results.txt"], None),
        (["src/main.py", "src/nsml.py"], "src/nsml.py"),
        (["src/main.py", "nsml/constants.py"], "nsml"),
    ],
)
def test_a_guest_s_own_library_is_found_for_the_notice(tmp_path, files, found):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert own_library(tmp_path, files[0]) == (found and Path(found))
