"""`nsml ps` must answer at once, and `import nsml` must cost a training nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "torchvision", "timm", "numpy", "pandas", "PIL", "sklearn", "scipy"}
PRINT_MODULES = "import json; print(json.dumps(list(sys.modules)))"


def loaded_by(statement: str) -> set[str]:
    """Names of the modules that `statement` loads into a fresh interpreter."""

    def modules(code: str) -> set[str]:
        lines = [f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'nsml_shim' / 'site')]!r}"]
        command = [sys.executable, "-c", "\n".join([*lines, code, PRINT_MODULES])]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
        assert run.returncode == 0, run.stderr
        return set(json.loads(run.stdout.splitlines()[-1]))

    return modules(statement) - modules("")


def third_party(modules: set[str]) -> set[str]:
    """Top-level packages among them that are neither ours nor the standard library's."""
    ours = {"nsml", "nsml_shim"}
    return {name.split(".")[0] for name in modules} - ours - set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    "statement",
    [
        "import nsml_shim.cli",
        "from nsml_shim.cli import main\n"
        "try: main(['ps'])\nexcept SystemExit as done: assert not done.code, done.code",
    ],
    ids=["import", "nsml ps"],
)
def test_the_command_line_loads_click_and_the_standard_library(statement):
    found = third_party(loaded_by(statement))
    assert found & HEAVY == set()
    assert found <= {"click"}


def test_the_library_loads_the_client_and_the_words_only():
    modules = loaded_by("import nsml, nsml.constants")
    assert third_party(modules) == set()
    words = ("errors", "names", "protocol", "records")
    allowed = tuple(f"nsml_shim.{name}" for name in ("client", *words))
    ours = {name for name in modules if name.startswith("nsml_shim.")}
    assert {name for name in ours if not name.startswith(allowed)} == set()


def test_rules_about_label_noise_need_numpy_alone():
    assert third_party(loaded_by("import model.noise")) - {"model"} == {"numpy"}
