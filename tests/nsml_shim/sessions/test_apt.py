import shutil

import pytest

from nsml_shim.sessions.apt import apt_notes, read_packages


def test_packages_are_read_one_or_more_a_line(tmp_path):
    text = "libgl1\n# for video\nffmpeg libsm6:amd64  # two\n\nlibgl1\nvim=2:8.2\n-y\n"
    (tmp_path / "nsml_package.txt").write_text(text)
    packages, notes = read_packages(tmp_path)
    assert packages == ("libgl1", "ffmpeg", "libsm6:amd64", "vim=2:8.2")
    assert notes == ("nsml_package.txt: '-y' is no name of a package.",)


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs dpkg")
def test_only_what_is_not_installed_is_named_with_the_command_to_type():
    (note,) = apt_notes(["dpkg", "no-such-package", "dpkg=1.0", "other-thing:amd64"])
    assert note.endswith("apt-get install no-such-package other-thing:amd64")
    assert apt_notes(["dpkg"]) == apt_notes([]) == []


def test_without_apt_the_packages_are_named_unchecked(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert apt_notes(["libgl1"]) == [
        "nsml_package.txt asks for libgl1; this machine has no apt, so nobody checked."
    ]


def test_a_package_that_was_removed_is_not_there(tmp_path, monkeypatch):
    program = tmp_path / "dpkg-query"
    program.write_text("#!/bin/sh\necho 'gone gone:all config-files'\necho 'a a:all installed'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert apt_notes(["gone", "a:all"])[0].endswith("apt-get install gone")
