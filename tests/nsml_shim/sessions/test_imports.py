import sys
import time
from pathlib import Path

import pytest

from nsml_shim.sessions import installer
from nsml_shim.sessions.imports import missing_imports, survey

OWN = Path(sys.executable)


@pytest.fixture
def guest(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/")
            path = path.with_name(f"{path.name}.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def missing(folder, entry="main.py"):
    return [(it.module, it.file, it.line) for it in missing_imports(folder, entry, OWN)]


def test_a_missing_module_is_named_with_its_place_and_what_to_install(guest):
    folder = guest(main="import os\n\nimport nowhere_cv2, cv2x.part as c\nimport skvideo.io\n")
    lines = survey(folder, "main.py", OWN).lines()
    assert lines[2] == (
        "main.py:4 imports skvideo, which is not installed: add scikit-video to setup.py's "
        "install_requires or to requirements.txt."
    )
    assert missing(folder)[:2] == [("cv2x", "main.py", 3), ("nowhere_cv2", "main.py", 3)]


def test_the_guest_s_own_modules_are_followed_and_others_not(guest):
    folder = guest(
        main="from parts.net import f\nimport flat\n",
        parts____init__="",
        parts__net="from . import deep\nfrom .deep import x\nfrom .gone import y\nimport nowhere1",
        parts__deep="def f():\n    import nowhere2\n",
        flat="import nowhere1, nsml, nsml.constants",
        unused="import nowhere3",
    )
    assert missing(folder) == [("nowhere1", "flat.py", 1), ("nowhere2", "parts/deep.py", 2)]


def test_the_entry_may_lie_in_a_sub_folder(guest):
    folder = guest(
        src__main="import a, b, tools.c", src__a="import nowhere1", b="", lib__tools__c=""
    )
    assert missing(folder, "src/main.py") == [("nowhere1", "src/a.py", 1)]


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import nowhere\nexcept ImportError:\n    import nowhere_else",
        "try:\n    import nowhere\nexcept (ModuleNotFoundError, OSError) as e:\n    nowhere = None",
        "try:\n    import nowhere\nexcept:\n    pass",
        "import sys\nif sys.version_info[0] < 3:\n    import nowhere",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import nowhere",
        "from nsml import IS_ON_NSML\nif not IS_ON_NSML:\n    import nowhere",
        "# import nowhere\n'import nowhere'",
        "from . import nowhere",
    ],
)
def test_what_the_guest_expects_to_be_absent_is_not_counted(guest, source):
    assert missing(guest(main=source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    import nowhere\nexcept ValueError:\n    pass",
        "try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import nowhere",
        "with open('x') as f:\n    for x in f:\n        import nowhere",
        "class A:\n    async def f(self):\n        from nowhere.part import x",
        "if x:\n    pass\nelif y:\n    import nowhere",
        "match x:\n    case 1:\n        import nowhere",
    ],
)
def test_an_import_is_found_in_any_block(guest, source):
    assert [name for name, _, _ in missing(guest(main=source))] == ["nowhere"]


def test_files_of_python_2_and_its_modules_are_named(guest):
    folder = guest(main="import old\nimport cPickle\n", old="x = 1\nprint 'x'\n")
    lines = survey(folder, "main.py", OWN).lines()
    assert lines[0].startswith("old.py:2 is no Python 3.")
    assert lines[1].endswith(
        "imports cPickle, which this version of Python does not have any more."
    )


def test_another_interpreter_is_asked_itself(guest, tmp_path, offline):
    environment = tmp_path / "envs" / "e"
    installer.install(["guestlib"], folder=environment, echo=lambda _: None, time_limit=60)
    folder = guest(main="import guestlib, pytest, os, distutils_nowhere")
    found = missing_imports(folder, "main.py", installer.python_of(environment))
    assert [it.module for it in found] == ["distutils_nowhere", "pytest"]


def test_a_hundred_files_are_read_in_no_time(guest):
    body = "import os\nfrom m{} import f\n" + "def f(x):\n    return [a * 2 for a in x]\n" * 20
    folder = guest(main="import m0", **{f"m{i}": body.format((i + 1) % 100) for i in range(100)})
    took: list[float] = []
    for _ in range(3):
        began = time.process_time()
        survey(folder, "main.py", OWN)
        took.append(time.process_time() - began)
    assert min(took) < 0.3  # 0.06 s on one core; the rest is for slow machines
