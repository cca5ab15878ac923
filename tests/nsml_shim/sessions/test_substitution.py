import pytest

from nsml_shim.sessions import index as index_module
from nsml_shim.sessions import inventory
from nsml_shim.sessions.index import Index
from nsml_shim.sessions.requirements import name_of
from nsml_shim.sessions.substitution import judge, plan


@pytest.fixture(params=["uv", "pip"])
def index(offline, wheel, request, monkeypatch):
    """Versions 1.5, 2.3, 2.3.1 and 2.10 of guestlib, and one that only Python 2 can use."""
    for version in ("2.3", "2.3.1", "2.10"):
        wheel(offline, "guestlib", version)
    wheel(offline, "guestlib", "2.0", tag="py2-none-any")
    wheel(offline, "tensorflow", "2.12")
    if request.param == "pip":
        monkeypatch.setattr(index_module, "find_uv", lambda: None)
    elif index_module.find_uv() is None:
        pytest.skip("needs uv")
    return Index()


NEAREST = {
    "guestlib==2.3": "guestlib==2.3",
    "guestlib": "guestlib==2.10",
    "guestlib==2.3.9": "guestlib==2.3.1",
    "guestlib==2.0": "guestlib==2.3.1",
    "guestlib==9": "guestlib==2.10",
    "guestlib = 1.0": "guestlib==2.10",
    "Guest.Lib==2.0": None,
    "tensorflow-gpu==1.15": "tensorflow==2.12",
}


def test_the_nearest_installable_version_is_chosen(index):
    bare: inventory.Report = {"installed": {}, "markers": inventory.marker_environment()}
    wishes = plan(list(NEAREST), bare, index)
    assert {wish.asked: next(iter(wish.attempts), None) for wish in wishes} == NEAREST
    assert all(wish.builds == bool(wish.attempts) for wish in wishes)


def report(**installed: str) -> inventory.Report:
    about: dict[str, inventory.About] = {
        name.replace("_", "-"): {"version": version, "requires": []}
        for name, version in installed.items()
    }
    return {"installed": about, "markers": inventory.marker_environment()}


@pytest.mark.parametrize(
    ("asked", "instead"),
    [
        ("sklearn", "scikit-learn 1.9"),
        ("PIL==1.1", "pillow 13.0"),
        ("opencv-python==3.*", "opencv-python-headless 5.0"),
        ("cv2", "opencv-python-headless 5.0"),
        ("torch==1.0.0.post2", "torch 2.15.0+cu132"),
        ("git+https://example.org/torch.git#egg=torch&subdirectory=x", None),
        ("enum34", "brings it"),
        ("argparse>=1", "brings it"),
    ],
)
def test_what_stands_in_is_said(asked, instead):
    here = report(
        scikit_learn="1.9", pillow="13.0", opencv_python_headless="5.0", torch="2.15.0+cu132"
    )
    outcome = judge([asked], here, own=True)
    assert outcome.missing == ()
    assert [instead in said for said in outcome.substitutions] == [True] * (instead is not None)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("numpy==1.13.1", "numpy"),
        ("torch=1.0", "torch"),
        ("pytz>dev", "pytz"),
        ("x[all]=1", "x"),
        ("git+ssh://git@host/x.git", ""),
        ("git+ssh://git@host/x.git#egg=x-y", "x-y"),
        ("x @ https://example.org/x.whl", "x"),
        ("not a requirement", ""),
    ],
)
def test_the_name_of_a_requirement_is_found_in_any_spelling(text, name):
    assert name_of(text) == name


def test_an_index_that_does_not_answer_is_asked_once(tmp_path, monkeypatch):
    count = tmp_path / "count"
    tool = tmp_path / "uv"
    tool.write_text(f"#!/bin/sh\necho . >> '{count}'\nsleep 20\n")
    tool.chmod(0o755)
    monkeypatch.setattr(index_module, "find_uv", lambda: [str(tool)])
    index = Index(patience=0.5)
    assert (index.find("x"), index.find("y"), index.has_source("z")) == ("", "", False)
    assert "no answer" in index.unreachable
    assert count.read_text() == ".\n"


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_where_the_manifest_says_to_look_is_looked(tmp_path, wheel, monkeypatch, tool):
    if tool == "pip":
        monkeypatch.setattr(index_module, "find_uv", lambda: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel(tmp_path / "other", "otherlib", "3.0")
    assert Index().find("otherlib") == ""
    assert Index([f"--find-links {tmp_path / 'other'}"]).find("otherlib") == "3.0"
