import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from nsml_shim.sessions.ignore import is_ignored, parse_rules, select_files


def write(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")


def selected(folder, *rules):
    if rules:
        (folder / ".nsmlignore").write_text("\n".join(rules), encoding="utf-8")
    return [path.as_posix() for path in select_files(folder) if path.name != ".nsmlignore"]


PATTERNS = [
    ("*.txt", "a.txt"),
    ("*.txt", "deep/down/a.txt"),
    ("/a.txt", "a.txt"),
    ("/a.txt", "deep/a.txt"),
    ("deep/a.txt", "deep/a.txt"),
    ("deep/a.txt", "more/deep/a.txt"),
    ("data/", "data/x/y"),
    ("data/", "sub/data/x"),
    ("data/", "data"),
    ("**/logs", "a/b/logs"),
    ("**/logs", "logs"),
    ("a/**/z", "a/z"),
    ("a/**/z", "a/b/c/z"),
    ("a/**", "a/b/c"),
    ("a/**", "a"),
    ("a/*", "a/b/c"),
    ("x**y", "xaby"),
    ("a?c", "abc"),
    ("a?c", "a/c"),
    ("[a-c].py", "b.py"),
    ("[!a-c].py", "b.py"),
    ("[^a-c].py", "d.py"),
    ("[]-]x", "]x"),
    ("[[:digit:]]x", "7x"),
    ("a[/]b", "a/b"),
    ("[unclosed", "[unclosed"),
    (r"\!keep", "!keep"),
    (r"\#note", "#note"),
    ("#note", "#note"),
    ("spaced  ", "spaced"),
    (r"spaced\ ", "spaced "),
    ("한글/*.jpg", "한글/사진.jpg"),
    ("a b/", "a b/c"),
    ("*", "deep/a"),
    ("a.b", "axb"),
    ("foo/", "foo"),
]


@pytest.mark.parametrize(("pattern", "path"), PATTERNS)
def test_a_pattern_means_what_git_means(tmp_path, pattern, path):
    if shutil.which("git") is None:
        pytest.skip("git is the reference")
    repository, ours = tmp_path / "git", tmp_path / "ours"
    write(repository, path)
    write(ours, path)
    (repository / ".gitignore").write_text(pattern + "\n", encoding="utf-8")
    subprocess.run(["git", "init", "-q", "."], cwd=repository, check=True)
    asked = ["git", "-c", "core.quotePath=off", "ls-files", "-z", "-o", "--exclude-standard"]
    listed = subprocess.run(asked, cwd=repository, capture_output=True, text=True, check=True)
    kept_by_git = path in listed.stdout.split("\0")
    assert (path in selected(ours, pattern)) == kept_by_git


def test_a_later_negation_takes_a_file_back_but_not_out_of_an_ignored_folder(tmp_path):
    write(tmp_path, "a.bin", "best.bin", "cache/best.bin")
    assert selected(tmp_path, "*.bin", "cache/", "!best.bin") == ["best.bin"]


def test_the_built_in_list_can_be_taken_back(tmp_path):
    write(tmp_path, ".git/config", "main.py", "venv/x.py", "__pycache__/main.pyc")
    assert selected(tmp_path) == ["main.py"]
    assert selected(tmp_path, "!venv/") == ["main.py", "venv/x.py"]


def test_a_folder_called_lib_and_shared_objects_are_uploaded(tmp_path):
    write(tmp_path, "lib/blocks.py", "fast.so")
    assert selected(tmp_path) == ["fast.so", "lib/blocks.py"]


def test_ignored_folders_are_never_entered(tmp_path):
    write(tmp_path, "main.py")
    closed = tmp_path / "data"
    closed.mkdir()
    (closed / "loop").symlink_to(closed)
    notes: list[str] = []
    (tmp_path / ".nsmlignore").write_text("data/\n")
    select_files(tmp_path, notes.append)
    assert notes == []


def test_links_inside_count_and_links_outside_are_named(tmp_path):
    folder, outside = tmp_path / "my folder", tmp_path / "secret"
    write(folder, "real.py", "sub/deep.py")
    write(outside, "labels")
    (folder / "alias.py").symlink_to("real.py")
    (folder / "again").symlink_to("sub")
    (folder / "leak").symlink_to(outside / "labels")
    (folder / "leaks").symlink_to(outside)
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "broken").symlink_to("nothing")
    notes: list[str] = []
    names = [path.as_posix() for path in select_files(folder, notes.append)]
    assert names == ["again/deep.py", "alias.py", "real.py", "sub/deep.py"]
    told = {note.split(" is left out: ")[0] for note in notes}
    assert told == {"leak", "leaks", "sub/loop", "again/loop", "broken"}


def test_pipes_and_sockets_are_left_out_instead_of_read_for_ever(tmp_path):
    write(tmp_path, "main.py")
    os.mkfifo(tmp_path / "pipe")
    notes: list[str] = []
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path)  # the path of a socket may have 107 bytes at most
        try:
            listener.bind("socket")
        finally:
            os.chdir(here)
        assert select_files(tmp_path, notes.append) == [Path("main.py")]
    assert len(notes) == 2


def test_the_last_rule_that_matches_decides():
    rules = parse_rules(["*.py", "!main.py", "main.py", "!main.py"])
    assert not is_ignored("main.py", rules, is_folder=False)
    assert is_ignored("other.py", rules, is_folder=False)
