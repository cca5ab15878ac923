"""The store on real files, with real processes, and a real kill."""

import os
import signal
import subprocess
import sys
import time

import pytest

from model.pixels.cache.entry import Coding, Entry
from model.pixels.cache.store import KEY_BYTES, MAGIC, RECORD, Store
from model.pixels.faults import Damage, Fault


def key_of(number):
    return number.to_bytes(KEY_BYTES, "big")


def payload_of(number):
    return bytes([number % 251]) * (1000 + number % 77)


def entry_of(number):
    return Entry(Coding.JPEG, payload_of(number), (1280, 960), (512, 384))


def numbered(*numbers):
    return [(key_of(number), entry_of(number)) for number in numbers]


def assert_holds(store, numbers):
    for number in numbers:
        entry = store.get(key_of(number))
        assert entry is not None
        assert bytes(entry.payload) == payload_of(number)


WRITER = """
import sys
from pathlib import Path
from model.pixels.cache.store import Store
from model.pixels.cache.entry import Coding, Entry
folder, first, last, step = Path(sys.argv[1]), *map(int, sys.argv[2:])
store = Store(folder)
for start in range(first, last, step):
    store.add([
        (n.to_bytes(16, "big"),
         Entry(Coding.JPEG, bytes([n % 251]) * (1000 + n % 77), (1280, 960), (512, 384)))
        for n in range(start, start + step)
    ])
    print(start + step, flush=True)
"""


def writer(folder, first, last, step):
    command = [sys.executable, "-c", WRITER, str(folder), *map(str, (first, last, step))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def importable(monkeypatch, root):
    monkeypatch.setenv("PYTHONPATH", str(root))


def test_entries_come_back_as_they_were(tmp_path):
    faulty = Entry(Coding.RAW, b"abc" * 4, (9, 8), (2, 2), Fault(Damage.TRUNCATED, "짧다 (cut)"))
    broken = Entry(Coding.NOTHING, b"", (0, 0), (0, 0), Fault(Damage.UNREADABLE, "zero bytes"))
    store = Store(tmp_path / "새 폴더")
    assert store.add([*numbered(1), (key_of(2), faulty), (key_of(3), broken)])
    for reader in (store, Store(tmp_path / "새 폴더")):
        assert len(reader) == 3
        assert reader.get(key_of(1)) == entry_of(1)
        assert reader.get(key_of(2)) == faulty
        assert reader.get(key_of(3)) == broken
        assert reader.get(key_of(4)) is None


def test_a_key_is_kept_once(tmp_path):
    one, other = Store(tmp_path), Store(tmp_path)
    one.add(numbered(1, 2))
    other.add(numbered(2, 3))
    assert len(other) == 3
    size = (tmp_path / "pixels").stat().st_size
    assert size == sum(len(payload_of(number)) for number in (1, 2, 3))


def test_a_reader_sees_what_others_add_when_it_looks_again(tmp_path):
    reader, store = Store(tmp_path), Store(tmp_path)
    store.add(numbered(1))
    assert reader.get(key_of(1)) is None
    reader.refresh()
    assert_holds(reader, [1])
    store.add(numbered(2))
    reader.refresh()
    assert_holds(reader, [1, 2])


def test_what_does_not_fit_is_not_kept(tmp_path):
    store = Store(tmp_path)
    assert store.add(numbered(1), limit=2000)
    assert not store.add(numbered(2), limit=2000)
    assert len(Store(tmp_path)) == 1


@pytest.mark.parametrize("cut", [1, RECORD.itemsize // 2, RECORD.itemsize - 1])
def test_a_torn_record_ends_the_index_and_the_next_writer_removes_it(tmp_path, cut):
    Store(tmp_path).add(numbered(1, 2, 3))
    index = tmp_path / "index"
    os.truncate(index, index.stat().st_size - cut)
    store = Store(tmp_path)
    assert len(store) == 2
    store.add(numbered(4))
    assert index.stat().st_size == len(MAGIC) + 3 * RECORD.itemsize
    assert_holds(Store(tmp_path), [1, 2, 4])


def test_records_that_reached_the_disk_as_zeros_are_not_believed(tmp_path):
    Store(tmp_path).add(numbered(1))
    with (tmp_path / "index").open("ab") as file:
        file.write(bytes(2 * RECORD.itemsize))
    store = Store(tmp_path)
    assert len(store) == 1
    store.add(numbered(2))
    assert_holds(Store(tmp_path), [1, 2])


def test_a_record_whose_payload_is_not_there_is_not_believed(tmp_path):
    Store(tmp_path).add(numbered(1, 2))
    os.truncate(tmp_path / "pixels", len(payload_of(1)) + 10)
    store = Store(tmp_path)
    assert len(store) == 1
    store.add(numbered(2))
    assert_holds(Store(tmp_path), [1, 2])


def test_a_payload_that_no_record_speaks_of_is_overwritten(tmp_path):
    Store(tmp_path).add(numbered(1))
    with (tmp_path / "pixels").open("ab") as file:
        file.write(b"left by the dead" * 1000)
    store = Store(tmp_path)
    store.add(numbered(2))
    assert store.size == len(payload_of(1)) + len(payload_of(2))
    assert_holds(Store(tmp_path), [1, 2])


def test_two_processes_write_at_the_same_time(tmp_path):
    with writer(tmp_path, 0, 400, 4) as one, writer(tmp_path, 200, 600, 4) as other:
        assert one.wait() == other.wait() == 0
    store = Store(tmp_path)
    assert len(store) == 600
    assert_holds(store, range(600))
    assert store.size == sum(len(payload_of(number)) for number in range(600))


def test_a_killed_writer_loses_nothing_that_was_kept_and_blocks_nobody(tmp_path):
    for first, delay in ((0, 0.0), (10**6, 0.003), (2 * 10**6, 0.011)):
        with writer(tmp_path, first, 10**7, 7) as process:
            assert process.stdout is not None
            kept = [int(process.stdout.readline()) for _ in range(5)][-1]
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        store = Store(tmp_path)
        assert_holds(store, range(first, kept))
        store.add(numbered(9 * 10**6 + first))
        assert_holds(Store(tmp_path), [9 * 10**6 + first])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_read(tmp_path):
    Store(tmp_path).add(numbered(1))
    for name in ("index", "pixels"):
        (tmp_path / name).chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        store = Store(tmp_path)
        assert not store.writable
        assert_holds(store, [1])
    finally:
        tmp_path.chmod(0o755)
