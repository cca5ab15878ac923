import re
import textwrap

import pytest

from nsml_shim.sessions.apt import apt_notes
from nsml_shim.sessions.manifest import DEFAULT_IMAGE, read
from nsml_shim.sessions.sandbox import why_unusable

needs_sandbox = pytest.mark.skipif(
    bool(why_unusable("bubblewrap") and why_unusable("landlock")), reason="needs a sandbox"
)


@pytest.fixture
def guest(tmp_path):
    """Writes the files of a guest's folder and reads its manifest."""

    def build(setup=None, requirements=None, **others):
        folder = tmp_path / "내 folder"
        folder.mkdir()
        texts = {"setup.py": setup, "requirements.txt": requirements, **others}
        for name, text in texts.items():
            if text is not None:
                (folder / name).write_text(textwrap.dedent(text), encoding="utf-8")
        return read(folder)

    return build


def test_the_usual_setup_script_is_read(guest):
    manifest = guest(
        """
        #nsml: nsml/default_ml:cuda9
        from distutils.core import setup
        setup(name='ladder', version='1.0', install_requires=['matplotlib', 'tqdm>=4', 'pillow'])
        """
    )
    assert manifest.image == "nsml/default_ml:cuda9"
    assert manifest.requirements == ("matplotlib", "tqdm>=4", "pillow")
    assert manifest.notes == ()


SPELLINGS = {
    "a name": "R = ['a', 'b']\nsetup(install_requires=R)",
    "a tuple": "setup(install_requires=('a', 'b'))",
    "one string": "setup(install_requires='a\\nb')",
    "a split string": "setup(install_requires='a b'.split())",
    "a sum": "A = ['a']\nsetup(install_requires=A + ['b'])",
    "extended in place": "A = ['a']\nA += ['b']\nsetup(install_requires=A)",
    "appended": "A = ['a']\nA.append('b')\nsetup(install_requires=A)",
    "a star": "A = ['b']\nsetup(install_requires=['a', *A])",
    "a copy": "A = ['a', 'b']\nsetup(install_requires=list(A))",
    "setuptools by name": "import setuptools\nsetuptools.setup(install_requires=['a', 'b'])",
    "keywords of a dictionary": "C = {'install_requires': ['a', 'b']}\nsetup(**C)",
    "keywords of dict()": "C = dict(install_requires=['a', 'b'])\nsetup(**C)",
    "inside main": "if __name__ == '__main__':\n    R = ['a', 'b']\n    setup(install_requires=R)",
    "inside try": "try:\n  R = ['a', 'b']\nexcept OSError:\n  R = []\nsetup(install_requires=R)",
    "splitlines": "setup(install_requires=open('needs.txt').read().splitlines())",
    "readlines": "R = open('needs.txt').readlines()\nsetup(install_requires=R)",
    "with": "with open('needs.txt') as f:\n  R = f.read().splitlines()\nsetup(install_requires=R)",
    "comprehension": "setup(install_requires=[x.strip() for x in open('needs.txt')])",
    "pathlib": "setup(install_requires=pathlib.Path('needs.txt').read_text().split())",
    "a function": (
        "def needs():\n    with open('needs.txt') as f:\n        return list(f)\n"
        "setup(install_requires=needs())"
    ),
    "pip.req": (
        "from pip.req import parse_requirements\n"
        "R = [str(r.req) for r in parse_requirements('needs.txt', session=False)]\n"
        "setup(install_requires=R)"
    ),
    "split text of a file": "setup(install_requires=open('needs.txt').read().split())",
    "an f-string": "A = 'a'\nsetup(install_requires=[f'{A}', f'b'])",
    "a path": "HERE = '.'\nsetup(install_requires=list(open(os.path.join(HERE, 'needs.txt'))))",
}


@pytest.mark.parametrize("source", SPELLINGS.values(), ids=SPELLINGS)
def test_every_common_spelling_is_understood_without_running_it(guest, source):
    manifest = guest(source, **{"needs.txt": "a\nb\n"})
    assert manifest.requirements == ("a", "b")
    assert manifest.notes == ()


def test_a_setup_script_is_never_run(guest, tmp_path):
    guest(f"open({str(tmp_path / 'ran')!r}, 'w')\nsetup(install_requires=[])")
    assert not (tmp_path / "ran").exists()


UNREADABLE = {
    "computed": "def needs():\n    return ['a', 'b%s' % '']\nsetup(install_requires=needs())",
    "under a condition": "R = ['a']\nif len(R):\n    R += ['b']\nsetup(install_requires=R)",
    "with the tools of a build": (
        "import numpy\nfrom setuptools.command.build_ext import build_ext\n"
        "class Build(build_ext):\n    pass\nprint(numpy.get_include())\n"
        "setup(install_requires='\\n'.join('ab'), cmdclass={'build_ext': Build})"
    ),
    "from another file": (
        "R = [w for w in open('list').read().split()]\nsetup(install_requires=R)"
    ),
}
HEAD = "from setuptools import find_packages, setup\n"


@needs_sandbox
@pytest.mark.parametrize("source", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_run_in_a_sandbox(guest, source):
    manifest = guest(HEAD + source, list="a\nb\n")
    assert manifest.requirements == ("a", "b")
    assert manifest.notes == ()


@needs_sandbox
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("setup(install_requires=compute())", "NameError"),
        ("open('written', 'w')\nsetup(install_requires=compute())", "Read-only|denied"),
        ("R = R\nsetup(install_requires=R)", "NameError"),
        ("import os\nos.environ['HOME_OF_TEST']\nsetup(install_requires=f())", "KeyError"),
        ("print 'python 2'", "SyntaxError"),
        ("setup(install_requires=['a'", "SyntaxError"),
        ("def setup(**_): pass\nsetup(install_requires=str('a').split())", "never calls setup"),
        ("x = bytes(2**31)\nsetup(install_requires=f())", "MemoryError"),
    ],
)
def test_what_even_running_does_not_tell_is_a_note_with_both_reasons(
    guest, source, reason, monkeypatch
):
    monkeypatch.setenv("HOME_OF_TEST", "a secret of the user's shell")
    manifest = guest(HEAD + source)
    assert "setup.py: " in manifest.notes[0]
    assert "requirements.txt" in manifest.notes[0]
    assert re.search(reason, manifest.notes[0])


def test_without_a_sandbox_what_cannot_be_read_is_a_note(guest, monkeypatch):
    monkeypatch.setenv("NSML_SANDBOX", "none of them")
    assert "there is no sandbox" in guest(UNREADABLE["computed"]).notes[0]


def test_system_packages_are_named_as_not_installed(guest):
    manifest = guest(**{"nsml_package.txt": "no-such-package\n"})
    assert manifest.packages == ("no-such-package",)
    assert "nsml_package.txt asks for no-such-package" in apt_notes(manifest.packages)[0]


def test_requirements_files_are_read_in_full(guest):
    manifest = guest(
        requirements="""\
        # what we need
        torch>=2.0   # the framework
        pillow==10.4.0 ; python_version >= "3.8"
        timm \\
            >=1.0
        -r more.txt
        --extra-index-url=https://download.pytorch.org/whl/cpu
        git+https://example.org/x.git#egg=x
        -e .
        ./wheels/own.whl
        """,
        **{"more.txt": "tqdm\n-r requirements.txt\n"},
    )
    assert manifest.requirements == (
        "torch>=2.0",
        'pillow==10.4.0 ; python_version >= "3.8"',
        "timm >=1.0",
        "tqdm",
        "git+https://example.org/x.git#egg=x",
    )
    assert manifest.options == ("--extra-index-url https://download.pytorch.org/whl/cpu",)
    assert [path.name for path in manifest.source_files] == ["requirements.txt", "more.txt"]
    assert len(manifest.notes) == 2


def test_both_files_count_once_and_in_order(guest):
    manifest = guest("setup(install_requires=['torch', 'timm'])", "timm\ntqdm\nnsml\n")
    assert manifest.requirements == ("torch", "timm", "tqdm")
    assert manifest.notes == ("Requirement nsml is left out: the platform brings its own.",)


def test_a_missing_include_is_named(guest):
    assert "base.txt" in guest(requirements="-r base.txt\n").notes[0]


@pytest.mark.parametrize(
    "header", ["#nsml:x/y:1", "# nsml: x/y:1", "import os\n  #  nsml :  x/y:1"]
)
def test_the_image_line_may_be_spaced_and_placed_freely(guest, header):
    assert guest(**{"main.py": header}).image == "x/y:1"


def test_without_an_image_line_the_default_counts(guest):
    assert guest().image == DEFAULT_IMAGE
