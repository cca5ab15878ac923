"""The lines that `nsml run` prints while it uploads."""

import os
import re

import pytest

STAMP = re.compile(r"^INFO\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{3}\] ")


def client_log(nsml, *words: str) -> list[str]:
    lines = nsml("run", "-g", "0", *words).stderr.splitlines()
    return [STAMP.sub("", line) for line in lines if STAMP.match(line)]


def test_every_file_is_listed_before_and_after_it_is_read(nsml, guest):
    (guest / "main.py").write_text("#" * 2000)
    (guest / "data.bin").write_bytes(b"x" * 1000)
    assert client_log(nsml) == [
        ".nsmlignore check - start",
        ".nsmlignore check - done",
        "file integrity check - start",
        "file integrity check - done",
        "data.bin 1000 B - start",
        "data.bin 1000 B - done (1/2 50.00%) (1000 B/2.9 KiB 33.33%)",
        "main.py 2.0 KiB - start",
        "main.py 2.0 KiB - done (2/2 100.00%) (2.9 KiB/2.9 KiB 100.00%)",
    ]


@pytest.mark.parametrize("words", [["--hide-client-log", "run"], ["run", "--hide-client-log"]])
def test_the_client_log_can_be_hidden(nsml, guest, words):
    (guest / "main.py").write_text("")
    done = nsml(*words, "-g", "0")
    assert done.stderr == ""
    assert done.stdout == "Session team/None/1 is started\n"


def test_the_limits_are_kept_unless_told_otherwise(nsml, guest, home):
    home.mkdir()
    (home / "nsml.toml").write_text("max_files = 2\n")
    for name in "abc":
        (guest / name).write_text(name)
    assert "total number of files cannot exceed 2" in nsml("run", code=1).stderr
    nsml("run", "--no-verify", "-g", "0")


def test_the_default_ignore_list_is_shown_and_obeyed(nsml, guest):
    (guest / "main.py").write_text("import os; print(sorted(os.listdir()))")
    (guest / ".git").mkdir()
    (guest / ".git" / "HEAD").write_text("x")
    assert ".git/" in nsml("run", "--show-default-nsmlignore").stdout.splitlines()
    nsml("run", "-g", "0")
    assert "['main.py']" in nsml("logs", "-f", "team/None/1").stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_named(nsml, guest):
    (guest / "secret").write_text("x")
    (guest / "secret").chmod(0)
    assert "secret cannot be read" in nsml("run", code=1).stderr


def test_the_entry_may_be_named_by_position(nsml, guest):
    (guest / "train.py").write_text("print('trained')")
    assert "trained\n" in nsml("run", "train.py", "-i", "-g", "0").stdout
    assert "one entry script" in nsml("run", "train.py", "-e", "main.py", code=1).stderr


def test_what_the_guest_will_lack_is_told_before_it_starts(nsml, guest):
    (guest / "main.py").write_text(
        "import sys\nprint('started')\nif len(sys.argv) > 9:\n    import surely_not_installed\n"
    )
    (guest / "nsml.py").write_text("raise SystemExit('the wrong library')")
    (guest / "setup.py").write_text(
        "from distutils.core import setup\nsetup(name='x', install_requires=['click==999.1'])\n"
    )
    (guest / "nsml_package.txt").write_text("surely-not-packaged\n")
    told = nsml("run", PIP_NO_INDEX="1").stderr
    assert "main.py:4 imports surely_not_installed, which is not installed" in told
    assert "Your own nsml.py is not used" in told
    assert "click==999.1" in told
    assert "surely-not-packaged" in told
    assert "started" in nsml("logs", "-f", "team/None/1").stdout


def test_strict_refuses_what_the_manifest_does_not_name(nsml, guest):
    (guest / "main.py").write_text("print('started')")
    (guest / "requirements.txt").write_text("click==999.1\n")
    done = nsml("run", "--strict", code=1, UV_OFFLINE="1", PIP_NO_INDEX="1")
    assert "click==999.1" in done.stderr
    assert nsml("ps", "-a").stdout.count("\n") == 2
