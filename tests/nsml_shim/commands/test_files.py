"""What a user fetches, and what a user deletes."""

import json
from pathlib import Path

import pytest

from nsml_shim import protocol


@pytest.fixture
def trained(nsml, guest):
    """A session that has saved three checkpoints and a file, and has ended."""
    (guest / "sub").mkdir()
    (guest / "sub" / "note.txt").write_text("mine")
    (guest / "main.py").write_text(
        "import nsml, os\n"
        "def save(path): open(os.path.join(path, 'model'), 'w').write('w')\n"
        "nsml.bind(save=save)\n"
        "for key in ('e_1', 'e_2', 'a/b'): nsml.save(key)\n"
        "open('made here.txt', 'w').write('new')\n"
        "os.symlink('/etc', 'etc')\n"
        "print(os.environ['NSML_SESSION_NAME'])\n"
    )
    nsml("run", "-m", "first", "-a", "--name 'a b' --lr 1", "-g", "0", "--memory", "2G")
    nsml("logs", "-f", "team/None/1")
    return "team/None/1"


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_pull_fetches_the_upload_and_download_what_was_made_of_it(nsml, trained, tmp_path):
    folder = tmp_path / "team_None_1"
    assert nsml("pull", trained, str(tmp_path)).stdout == f"{folder}\n"
    assert below(folder) == {"main.py", "sub/note.txt"}
    (folder / "main.py").write_text("the copy is the user's own")
    refused = nsml("pull", trained, str(tmp_path), code=1).stderr
    assert "-f to replace it" in refused
    assert "sub/note.txt" in nsml("pull", "-v", "-f", trained, str(tmp_path)).stderr
    nsml("download", "-f", trained, str(tmp_path))
    assert below(folder) >= {"main.py", "sub/note.txt", "made here.txt"}
    assert not (folder / "etc").exists()


def test_download_takes_one_file_or_folder_by_the_path_of_the_session(nsml, trained, tmp_path):
    nsml("download", trained, str(tmp_path), "-s", "/app/made here.txt")
    assert (tmp_path / "made here.txt").read_text() == "new"
    assert "-f to replace" in nsml("download", "-s", "/app/made here.txt", trained, str(tmp_path), code=1).stderr  # fmt: skip
    nsml("download", "-s", "/app/sub", trained, str(tmp_path))
    assert (tmp_path / "sub" / "note.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("remote", "told"),
    [
        ("main.py", "an absolute path of the session"),
        ("/etc/passwd", "an absolute path of the session"),
        ("/app/../secret", "below /app"),
        ("/app/etc/passwd", "below /app"),
        ("/app/gone", "below /app"),
        ("/app/a*b", "Invalid filename character"),
    ],
)
def test_download_reaches_nothing_but_the_working_directory(nsml, trained, tmp_path, remote, told):
    assert told in nsml("download", "-s", remote, trained, str(tmp_path), code=1).stderr
    assert below(tmp_path / "guest") == {"main.py", "sub/note.txt"}


def test_checkpoints_are_pulled_and_removed_by_pattern(nsml, trained, tmp_path, home):
    nsml("model", "pull", trained, "e_1", str(tmp_path))
    assert (tmp_path / "team_None_1" / "e_1" / "model" / "model").read_text() == "w"
    nsml("model", "pull", trained, "a/b", str(tmp_path))
    assert (tmp_path / "team_None_1" / "a%2Fb" / "model" / "model").is_file()
    assert nsml("model", "ls", "-q", trained).stdout.split() == ["e_1", "e_2", "a/b"]
    assert nsml("model", "rm", trained, "e_?").stdout == ""
    assert nsml("model", "ls", "-q", trained).stdout.split() == ["a/b"]
    assert json.loads(nsml("ps", "-a", "-j").stdout)[0]["models"] == 1
    assert "no checkpoint 'e_1'" in nsml("model", "rm", trained, "e_1", code=1).stderr
    nsml("model", "rm", trained, "*")
    folder = protocol.session_folder(home / "sessions", trained)
    assert list(folder.checkpoints.iterdir()) == []


def test_memo_and_command_tell_about_a_session(nsml, trained):
    shown = nsml("command", trained).stdout.strip()
    assert (
        shown
        == (
            "nsml run -e main.py -g 0 --memory 2G --shm-size 1G -m first -a '--name '\"'\"'a b'\"'\"' --lr 1' "
        ).strip()
    )
    nsml("memo", trained, "second thoughts")
    assert "second thoughts" in nsml("ps", "-a").stdout
    nsml("fork", trained, "-c", "e_1", "-g", "0")
    assert nsml("command", "team/None/2").stdout.startswith("nsml fork -c e_1 -g 0 -a ")


def test_ps_can_be_brief_and_long(nsml, trained):
    assert nsml("ps", "-a", "-q").stdout == f"{trained}\n"
    header = nsml("ps", "-v").stdout.splitlines()[0]
    assert header.split("  ")[-1] == "Exit code"


def test_several_sessions_are_removed_by_pattern(nsml, guest):
    (guest / "main.py").write_text("")
    for _ in range(3):
        nsml("run", "-g", "0")
    nsml("logs", "-f", "team/None/3")
    removed = nsml("rm", "-f", "team/None/?").stdout
    assert removed.count("is removed") == 3
    assert "a pattern that matches" in nsml("rm", "team/None/1*", code=1).stderr
