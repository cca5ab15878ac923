import os
import stat
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from nsml_shim.errors import UploadTooLarge
from nsml_shim.sessions import blobs as storage
from nsml_shim.sessions.snapshot import Limits, adopt, materialise, remove_tree, take


@pytest.fixture
def guest(tmp_path):
    folder = tmp_path / "내 대회 folder"
    (folder / "model").mkdir(parents=True)
    (folder / "main.py").write_text("print('hi')\n")
    (folder / "model" / "net.py").write_text("x = 1\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    return folder


@pytest.fixture
def blobs(tmp_path):
    return tmp_path / "blobs"


def blob_files(blobs):
    return [path for path in blobs.rglob("*") if path.is_file()]


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_snapshot_holds_the_same_names_contents_and_executable_bits(guest, tmp_path, blobs):
    snapshot = take(guest, tmp_path / "code", blobs)
    assert tree(tmp_path / "code") == tree(guest)
    assert (snapshot.files, snapshot.bytes) == (3, sum(len(c) for c, _ in tree(guest).values()))
    assert all(not p.stat().st_mode & 0o222 for p in blob_files(blobs))


def test_equal_folders_share_every_file_and_the_digest(guest, tmp_path, blobs):
    first = take(guest, tmp_path / "1", blobs)
    second = take(guest, tmp_path / "2", blobs)
    assert first == second
    assert len(blob_files(blobs)) == 3
    assert os.path.samefile(tmp_path / "1" / "main.py", tmp_path / "2" / "main.py")


def test_the_digest_knows_names_modes_and_contents(guest, tmp_path, blobs):
    digests = {take(guest, tmp_path / "1", blobs).digest}
    (guest / "run.sh").chmod(0o644)
    digests.add(take(guest, tmp_path / "2", blobs).digest)
    (guest / "run.sh").rename(guest / "walk.sh")
    digests.add(take(guest, tmp_path / "3", blobs).digest)
    (guest / "walk.sh").write_text("#!/bin/bash\n")
    digests.add(take(guest, tmp_path / "4", blobs).digest)
    assert len(digests) == 4


def test_too_many_bytes_are_refused_naming_the_largest_and_nothing_is_stored(
    guest, tmp_path, blobs
):
    for number in range(4):
        (guest / f"w{number}.bin").write_bytes(bytes(1000 * (number + 1)))
    with pytest.raises(UploadTooLarge, match=r"w3\.bin .*w2\.bin .*w1\.bin") as caught:
        take(guest, tmp_path / "code", blobs, limits=Limits(bytes=5000))
    assert "total size of files cannot exceed" in str(caught.value)
    assert "w0.bin" not in str(caught.value)
    assert not blobs.exists()
    assert not (tmp_path / "code").exists()


def test_too_many_files_are_refused_naming_the_fullest_folders(guest, tmp_path, blobs):
    (guest / "img").mkdir()
    for number in range(9):
        (guest / "img" / f"{number}.png").touch()
    with pytest.raises(UploadTooLarge, match=r"cannot exceed 5; found 12.*img/ \(9 files\)"):
        take(guest, tmp_path / "code", blobs, limits=Limits(files=5))


def test_a_large_folder_carries_a_warning_that_names_what_is_large(guest, tmp_path, blobs):
    (guest / "weights.bin").write_bytes(bytes(5000))
    snapshot = take(guest, tmp_path / "code", blobs, limits=replace(Limits(), warn_bytes=4000))
    assert "weights.bin" in snapshot.warnings[0]


def test_progress_is_told_file_by_file(guest, tmp_path, blobs):
    told: list[tuple[str, int, int, int]] = []
    take(guest, tmp_path / "code", blobs, progress=lambda *step: told.append(step))
    assert [(name, done, of) for name, _, done, of in told] == [
        ("main.py", 1, 3),
        ("model/net.py", 2, 3),
        ("run.sh", 3, 3),
    ]


def test_a_file_that_changes_while_it_is_read_still_gives_a_blob_that_fits_its_name(
    guest, tmp_path, blobs
):
    growing, stop = guest / "train.log", threading.Event()
    growing.write_bytes(b"x" * 3_000_000)

    def write():
        with open(growing, "ab", buffering=0) as file:
            while not stop.is_set():
                file.write(b"y")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        take(guest, tmp_path / "code", blobs)
    finally:
        stop.set()
        writer.join()
    for path in blob_files(blobs):
        kept = storage.store(path, tmp_path / "check")
        assert path.name.removesuffix(".x") == kept.digest


def test_a_file_that_never_holds_still_is_marked_so(blobs):
    # Its content never has the size it claims, as if it grew during every attempt.
    assert not storage.store(Path("/proc/version"), blobs).steady


def test_where_linking_is_impossible_the_snapshot_is_a_copy(guest, tmp_path):
    elsewhere = tmp_path
    if not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat(tmp_path).st_dev:
        pytest.skip("needs a second file system")
    other = f"/dev/shm/nsml-test-{os.getpid()}"
    try:
        take(guest, elsewhere / "code", blobs=type(tmp_path)(other))
        assert tree(elsewhere / "code") == tree(guest)
        assert (elsewhere / "code" / "main.py").stat().st_nlink == 1
    finally:
        remove_tree(type(tmp_path)(other), tmp_path / "none")


def test_the_working_folder_is_writable_and_never_reaches_the_snapshot(guest, tmp_path, blobs):
    take(guest, tmp_path / "code", blobs)
    materialise(tmp_path / "code", tmp_path / "output")
    assert tree(tmp_path / "output") == tree(guest)
    (tmp_path / "output" / "main.py").write_text("changed")
    (tmp_path / "output" / "model" / "new.py").touch()
    assert (tmp_path / "code" / "main.py").read_text() == "print('hi')\n"
    assert (tmp_path / "output" / "main.py").stat().st_mode & stat.S_IWUSR


def test_adopting_an_equal_checkpoint_stores_it_once(tmp_path, blobs):
    for name in ("a", "b"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "deep" / "weights").write_bytes(b"w" * 4096)
        (tmp_path / name / "only").write_text(name)
    assert adopt(tmp_path / "a", blobs) == 0
    assert adopt(tmp_path / "b", blobs) == 4096
    assert adopt(tmp_path / "b", blobs) == 0
    assert os.path.samefile(tmp_path / "a/deep/weights", tmp_path / "b/deep/weights")
    assert (tmp_path / "b" / "only").read_text() == "b"
    assert not list(blobs.glob(".draft-*"))


def test_removing_frees_only_what_nothing_else_links_to(guest, tmp_path, blobs):
    first = take(guest, tmp_path / "1", blobs)
    (guest / "main.py").write_text("other\n")
    take(guest, tmp_path / "2", blobs)
    assert remove_tree(tmp_path / "1", blobs) == len("print('hi')\n")
    assert len(blob_files(blobs)) == 3
    assert remove_tree(tmp_path / "2", blobs) == first.bytes - len("print('hi')\n") + 6
    assert blob_files(blobs) == []
    assert remove_tree(tmp_path / "2", blobs) == 0


def test_removing_deletes_links_without_following_them_and_folders_made_read_only(tmp_path, blobs):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "keep").touch()
    doomed = tmp_path / "doomed"
    (doomed / "closed").mkdir(parents=True)
    (doomed / "closed" / "file").write_bytes(b"12345")
    (doomed / "link").symlink_to(precious)
    (doomed / "closed").chmod(0o555)
    assert remove_tree(doomed, blobs) == 5
    assert (precious / "keep").exists()


def test_a_removal_that_was_interrupted_is_completed_by_the_next(tmp_path, blobs):
    left = tmp_path / ".removed-7"
    left.mkdir()
    (left / "file").write_bytes(b"123")
    assert remove_tree(tmp_path / "7", blobs) == 3
    assert not left.exists()


def test_many_processes_may_take_and_remove_at_once(guest, tmp_path, blobs):
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from nsml_shim.sessions.snapshot import remove_tree, take
        guest, blobs, mine = map(Path, sys.argv[1:])
        for number in range(25):
            take(guest, mine / str(number), blobs)
            assert (mine / str(number) / "main.py").read_bytes() == b"print('hi')\\n"
            remove_tree(mine / str(number), blobs)
        """
    )
    workers = []
    for number in range(3):
        (tmp_path / f"p{number}").mkdir()
        command = [sys.executable, "-c", program, guest, blobs, tmp_path / f"p{number}"]
        workers.append(subprocess.Popen(command))
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    assert blob_files(blobs) == []
