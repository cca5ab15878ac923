import json
import os
import subprocess
import sys
import textwrap
import time
import zipfile
from importlib import metadata

import pytest

from nsml_shim.errors import EnvironmentFailed
from nsml_shim.sessions import installer
from nsml_shim.sessions.environment import MARKER, ensure, key
from nsml_shim.sessions.manifest import read
from nsml_shim.sessions.requirements import missing


@pytest.fixture
def guest(tmp_path):
    def build(*requirements):
        folder = tmp_path / "손님 guest"
        folder.mkdir(exist_ok=True)
        (folder / "requirements.txt").write_text("\n".join(requirements))
        return read(folder)

    return build


@pytest.fixture
def envs(tmp_path):
    return tmp_path / "환경 envs"


@pytest.mark.parametrize(
    ("requirement", "satisfied"),
    [
        ("pytest", True),
        ("PyTest>=1", True),
        ("pytest<1", False),
        ("scikit_learn", True),
        ("Scikit.Learn>=0.1,<99", True),
        ("no-such-thing", False),
        ('no-such-thing; python_version < "3"', True),
        ('no-such-thing; python_version >= "3"', False),
        ("pytest @ https://example.org/pytest.whl", True),
        ("not a requirement", False),
    ],
)
def test_a_requirement_is_missing_unless_the_interpreter_satisfies_it(requirement, satisfied):
    assert (missing([requirement]) == []) == satisfied


def install_by_hand(tmp_path, *wheels):
    """A bare virtual environment with the wheels unpacked into it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "v"], check=True)
    (target,) = (tmp_path / "v" / "lib").glob("python*/site-packages")
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
    return str(tmp_path / "v" / "bin" / "python")


def test_another_interpreter_is_asked_itself_and_extras_count(tmp_path, wheel):
    wheels = tmp_path / "wheels"
    wheel(wheels, "core", "2.0+cu128", ['extra-part>=3; extra == "all"', "unknown"])
    wheel(wheels, "extra_part", "2.0")
    wheel(wheels, "nightly", "3.0rc1")
    python = install_by_hand(tmp_path, *wheels.iterdir())
    asked = ["core==2.0", "core[all]", "core[other]", "Extra.Part<3", "nightly>=2", "pytest"]
    assert missing(asked, python) == ["core[all]", "pytest"]


def test_the_key_depends_on_texts_and_interpreter_and_nothing_else():
    keys = {key(["a", "b"], "3.11"), key(["ab"], "3.11"), key(["a", "b"], "3.12")}
    assert len(keys) == 3
    assert key(["a", "b"], "3.11") in keys


def test_an_interpreter_that_will_do_is_used_and_nothing_is_built(guest, envs):
    found = ensure(guest("pytest"), envs=envs, build=True, echo=pytest.fail)
    assert (str(found.python), found.built) == (sys.executable, False)
    assert not envs.exists()


def test_without_building_what_is_missing_is_named(guest, envs):
    lines: list[str] = []
    found = ensure(guest("pytest", "guestlib"), envs=envs, build=False, echo=lines.append)
    assert (str(found.python), found.missing) == (sys.executable, ("guestlib",))
    assert lines[1].startswith("guestlib cannot be installed here")
    assert not envs.exists()


def imported_version(python):
    program = "import guestlib; print(guestlib.VERSION)"
    run = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_an_environment_is_built_once_and_then_reused(guest, envs, offline, tool, monkeypatch):
    if tool == "pip":
        monkeypatch.setattr(installer, "find_uv", lambda: None)
    elif installer.find_uv() is None:
        pytest.skip("needs uv")
    manifest, lines = guest("guestlib>=1"), list[str]()
    first = ensure(manifest, envs=envs, build=True, echo=lines.append)
    assert first.built
    assert imported_version(first.python) == "1.5"
    assert any(tool in line for line in lines)
    assert ensure(manifest, envs=envs, build=True, echo=pytest.fail) == first


def test_a_half_built_environment_is_built_again(guest, envs, offline):
    manifest = guest("guestlib")
    first = ensure(manifest, envs=envs, build=True, echo=lambda _: None)
    (envs / first.key / MARKER).unlink()
    lines: list[str] = []
    again = ensure(manifest, envs=envs, build=True, echo=lines.append)
    assert again == first
    assert any("half-built" in line for line in lines)


def test_what_cannot_be_had_is_named_and_the_rest_is_installed(guest, envs, offline):
    lines: list[str] = []
    manifest = guest("guestlib", "nothere==9", "git+file:///nowhere/x.git")
    found = ensure(manifest, envs=envs, build=True, echo=lines.append)
    assert imported_version(found.python) == "1.5"
    assert found.missing == ("nothere==9", "git+file:///nowhere/x.git")
    assert any("nothere==9 cannot be installed here" in line for line in lines)
    again: list[str] = []
    assert ensure(manifest, envs=envs, build=True, echo=again.append) == found
    assert "nothere==9 cannot be installed here; the session goes on without it" in again[0]


def test_an_environment_that_would_lack_more_than_our_own_is_not_used(guest, envs, offline):
    manifest = guest("pytest", "git+file:///nowhere/x.git")
    found = ensure(manifest, envs=envs, build=True, echo=lambda _: None)
    assert (str(found.python), found.built) == (sys.executable, False)
    assert found.missing == ("git+file:///nowhere/x.git",)
    assert not (envs / found.key).exists()


def test_a_dead_pin_is_met_by_what_is_installed_and_nothing_is_built(guest, envs, offline):
    lines: list[str] = []
    manifest = guest("pytest==1.13.1", "torch==0.4", "sklearn==0.0", "typing", "tqdm=4.0")
    found = ensure(manifest, envs=envs, build=True, echo=lines.append)
    assert (str(found.python), found.built, found.missing) == (sys.executable, False, ())
    version, python = metadata.version("pytest"), ".".join(map(str, sys.version_info[:2]))
    instead = f"using pytest {version}, which is installed"
    assert lines[0] == f"pytest==1.13.1 is not available for Python {python}; {instead}"
    assert "torch==0.4 is not available" in lines[1]
    assert "sklearn==0.0 is not the name to install, scikit-learn is;" in lines[2]
    assert lines[3] == f"typing needs no installation: Python {python} brings it"
    assert "tqdm=4.0 is no requirement; using tqdm" in lines[4]
    assert found.substitutions == tuple(lines)


def test_strict_refuses_every_substitution_and_names_each(guest, envs, offline):
    manifest = guest("pytest==1.13.1", "guestlib==7", "guestlib>=1")
    with pytest.raises(
        EnvironmentFailed, match=r"written: pytest==1\.13\.1, guestlib==7\."
    ) as caught:
        ensure(manifest, envs=envs, build=True, strict=True, echo=lambda _: None)
    assert "leave out --strict, and then:" in str(caught.value)
    assert "guestlib==7 is left out" in str(caught.value)
    with pytest.raises(EnvironmentFailed, match="guestlib>=1"):
        ensure(manifest, envs=envs, build=False, strict=True, echo=lambda _: None)


def test_an_impossible_requirement_is_named_with_what_the_tool_said(guest, envs, offline):
    with pytest.raises(EnvironmentFailed, match=r"as they are written: nothere==9\.") as caught:
        ensure(
            guest("guestlib", "nothere==9"),
            envs=envs,
            build=True,
            strict=True,
            echo=lambda _: None,
        )
    assert "could not be built: nothere==9 cannot be installed" in str(caught.value)
    assert "--no-build" in str(caught.value)


def test_strict_builds_what_can_be_had_as_written(guest, envs, offline):
    found = ensure(guest("guestlib==1.5"), envs=envs, build=True, strict=True, echo=lambda _: None)
    assert (found.built, found.substitutions) == (True, ())


def test_strict_refuses_a_malformed_requirement(guest, envs):
    with pytest.raises(EnvironmentFailed, match=r"'torch=1\.0' .*is no requirement"):
        ensure(guest("torch=1.0"), envs=envs, build=True, strict=True, echo=lambda _: None)


def test_without_any_index_the_session_goes_on_with_what_is_installed(guest, envs, monkeypatch):
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    lines: list[str] = []
    manifest = guest("pytest==1.13.1", "nowhere-to-be-found")
    found = ensure(manifest, envs=envs, build=True, echo=lines.append)
    assert (str(found.python), found.missing) == (sys.executable, ("nowhere-to-be-found",))
    assert "No package index can be reached" in lines[0]
    assert "pytest==1.13.1 is not installed; using pytest" in lines[1]


def test_two_builders_at_once_build_one_environment(guest, envs, offline, tmp_path):
    guest("guestlib")
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from nsml_shim.sessions.environment import ensure
        from nsml_shim.sessions.manifest import read
        manifest = read(Path(sys.argv[1]))
        found = ensure(manifest, envs=Path(sys.argv[2]), build=True, echo=print)
        print(found.python)
        """
    )
    command = [sys.executable, "-c", program, tmp_path / "손님 guest", envs]
    builders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [builder.communicate(timeout=60)[0] for builder in builders]
    assert [builder.returncode for builder in builders] == [0, 0]
    assert sum("Building an environment" in output for output in outputs) == 1
    assert len({output.splitlines()[-1] for output in outputs}) == 1


def test_a_tool_that_says_nothing_for_long_is_spoken_for(tmp_path, monkeypatch):
    monkeypatch.setattr(installer, "QUIET", 0.2)
    monkeypatch.setattr(installer, "find_uv", lambda: [str(slow_tool(tmp_path))])
    lines: list[str] = []
    with pytest.raises(EnvironmentFailed, match="longer than it may"):
        installer.install(["guestlib"], folder=tmp_path / "env", echo=lines.append, time_limit=3.0)
    assert sum("still working" in line for line in lines) >= 2


def slow_tool(folder):
    tool = folder / "uv"
    tool.write_text("#!/bin/sh\nsleep 30\n")
    tool.chmod(0o755)
    return tool


def test_stopping_a_build_leaves_no_tool_behind(tmp_path):
    slow_tool(tmp_path)
    program = textwrap.dedent(
        """
        import signal, sys
        from pathlib import Path
        from nsml_shim.sessions.installer import install
        # A test run that was started in the background hands down an ignored Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        folder = Path(sys.argv[1]) / "env"
        def echo(line):
            print(line, flush=True)
        install(["guestlib"], folder=folder, echo=echo, time_limit=60)
        """
    )
    environ = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    builder = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert builder.stdout is not None
    builder.stdout.readline()
    time.sleep(0.8)  # pip's configuration is read before the tool starts
    builder.send_signal(2)
    assert builder.wait(20) != 0
    builder.stdout.close()
    left = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True)
    assert str(tmp_path / "uv") not in left.stdout


def test_each_tool_learns_what_the_other_was_told():
    environ = {"PIP_INDEX_URL": "https://a/simple", "PIP_FIND_LINKS": "/x /y", "PYTHONPATH": "/z"}
    found = installer.tool_environment(environ, uv=True)
    assert found["UV_DEFAULT_INDEX"] == "https://a/simple"
    assert found["UV_FIND_LINKS"] == "/x,/y"
    assert "PYTHONPATH" not in found
    back = installer.tool_environment({"UV_FIND_LINKS": "/x,/y"}, uv=False)
    assert back["PIP_FIND_LINKS"] == "/x /y"
    assert (installer.no_index({"PIP_NO_INDEX": "1"}), installer.no_index({})) == (
        ["--no-index"],
        [],
    )


def test_the_marker_says_what_was_built(guest, envs, offline):
    found = ensure(guest("guestlib"), envs=envs, build=True, echo=lambda _: None)
    assert json.loads((envs / found.key / MARKER).read_text())["requirements"] == ["guestlib"]
