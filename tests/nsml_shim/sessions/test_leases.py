import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from nsml_shim.errors import NotEnoughMachine
from nsml_shim.sessions.leases import Slots, hold, is_held

HOLDER = textwrap.dedent(
    """
    import subprocess, sys, time
    from pathlib import Path
    from nsml_shim.sessions.leases import Slots
    lease = Slots(Path(sys.argv[1]), ["0", "1"]).acquire(int(sys.argv[2]))
    orphan = subprocess.Popen(["sleep", "60"])
    print(orphan.pid, flush=True)
    time.sleep(60)
    """
)


@pytest.fixture
def slots(tmp_path):
    return Slots(tmp_path / "슬롯 locks", ["0", "1"])


@pytest.fixture
def holder(slots):
    """A process that holds both slots and has a child; killed at the end."""
    command = [sys.executable, "-c", HOLDER, str(slots.folder), "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    orphan = int(process.stdout.readline())
    yield process, orphan
    process.kill()
    process.wait()
    process.stdout.close()
    os.kill(orphan, signal.SIGKILL)


def take(slots, count, **options):
    lease = slots.acquire(count, poll=0.01, **options)
    assert lease is not None
    return lease


def within(seconds, condition):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_slots_are_handed_out_in_order_and_come_back(slots):
    first = take(slots, 1)
    assert first.names == ("0",)
    with take(slots, 1) as second:
        assert second.names == ("1",)
        assert slots.free() == []
    assert slots.free() == ["1"]
    first.release()
    first.release()
    assert slots.free() == ["0", "1"]


def test_the_kernel_gives_slots_back_when_their_holder_is_killed_although_its_child_lives(
    slots, holder
):
    process, orphan = holder
    assert slots.free() == []
    process.kill()
    process.wait()
    os.kill(orphan, 0)
    assert within(1, lambda: slots.free() == ["0", "1"])


def test_who_waits_gets_the_slots_the_moment_they_are_free(slots, holder):
    process, _ = holder
    threading.Timer(0.2, process.kill).start()
    lease = take(slots, 2)
    assert lease.names == ("0", "1")
    lease.release()


def test_nothing_is_kept_while_waiting_for_the_rest(slots):
    with take(slots, 1):
        give_up = threading.Event()
        waiting = threading.Thread(
            target=slots.acquire, args=(2,), kwargs={"poll": 0.01, "cancelled": give_up.is_set}
        )
        waiting.start()
        time.sleep(0.1)
        try:
            with take(slots, 1) as lease:
                assert lease.names == ("1",)
        finally:
            give_up.set()
            waiting.join()


def test_nobody_goes_before_it_is_his_turn(slots):
    turn = threading.Event()
    threading.Timer(0.15, turn.set).start()
    began = time.monotonic()
    take(slots, 0, may_i_go=turn.is_set).release()
    assert time.monotonic() - began >= 0.15


def test_a_cancelled_wait_ends_without_a_lease(slots):
    with take(slots, 2):
        calls = iter([False, False, True])
        assert slots.acquire(1, poll=0.01, cancelled=lambda: next(calls)) is None


def test_asking_for_more_than_the_machine_has_is_refused_at_once(slots):
    with pytest.raises(NotEnoughMachine, match=r"asked for -g 3, this machine has 2"):
        slots.acquire(3)


def test_names_of_partitioned_gpus_may_hold_slashes(tmp_path):
    slots = Slots(tmp_path, ["MIG-GPU-1a/7/0", "MIG-GPU-1a/8/0"])
    with take(slots, 1) as lease:
        assert lease.names == ("MIG-GPU-1a/7/0",)


def test_a_lock_is_held_until_its_holder_lets_go(tmp_path):
    lock = tmp_path / "supervisor.lock"
    assert not is_held(lock)
    lease = hold(lock)
    assert lease is not None
    assert is_held(lock)
    assert hold(lock, patience=0) is None
    lease.release()
    assert not is_held(lock)


def test_looking_at_a_lock_never_makes_its_holder_fail(tmp_path):
    lock, stop = tmp_path / "lock", threading.Event()

    def look():
        while not stop.is_set():
            is_held(lock)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(100):
            lease = hold(lock)
            assert lease is not None
            lease.release()
    finally:
        stop.set()
        watcher.join()
