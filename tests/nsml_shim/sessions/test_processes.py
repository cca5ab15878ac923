import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from nsml_shim.errors import InvalidOption
from nsml_shim.sessions.processes import (
    descendants,
    is_alive,
    kill_tree,
    parse_memory,
    resident_bytes,
)

FAMILY = textwrap.dedent(
    """
    import os, signal, subprocess, sys, time
    if "stubborn" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "60"])
    loner = subprocess.Popen(["sleep", "60"], start_new_session=True)
    print(child.pid, loner.pid, flush=True)
    time.sleep(60)
    """
)


def start(*argv):
    process = subprocess.Popen(
        [sys.executable, "-c", FAMILY, *argv],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    members = [int(word) for word in process.stdout.readline().split()]
    process.stdout.close()
    return process, members


def test_descendants_include_those_in_a_session_of_their_own():
    process, members = start()
    assert sorted(descendants(process.pid)) == sorted(members)
    kill_tree(process.pid, grace=1)
    process.wait()


def test_a_tree_that_obeys_ends_by_the_polite_signal():
    process, members = start()
    began = time.monotonic()
    assert kill_tree(process.pid, grace=10) == []
    assert time.monotonic() - began < 5
    assert process.wait() == -signal.SIGTERM
    assert not any(map(is_alive, members))


def test_a_tree_that_ignores_the_signal_is_forced_after_the_grace():
    process, members = start("stubborn")
    assert kill_tree(process.pid, grace=0.2) == []
    assert process.wait() == -signal.SIGKILL
    assert not any(map(is_alive, members))


def test_members_of_the_group_are_found_when_their_leader_is_gone():
    process, (child, loner) = start()
    process.kill()
    process.wait()
    assert is_alive(child)
    kill_tree(process.pid, grace=1)
    assert not is_alive(child)
    os.kill(loner, signal.SIGKILL)


def test_a_subreaper_loses_nobody_not_even_a_daemon_without_parent():
    program = textwrap.dedent(
        """
        import os, subprocess, sys
        from nsml_shim.sessions.processes import become_subreaper, is_alive, kill_tree
        assert become_subreaper()
        daemon = "import subprocess as s; print(s.Popen(['sleep', '60'],"
        daemon += " start_new_session=True, stdout=s.DEVNULL).pid)"
        middle = subprocess.run([sys.executable, "-c", daemon], stdout=subprocess.PIPE, check=True)
        lost = int(middle.stdout)
        session = subprocess.Popen(["sleep", "60"], start_new_session=True)
        assert is_alive(lost)
        assert kill_tree(session.pid, grace=1, orphans_of=os.getpid()) == []
        assert not is_alive(lost)
        session.wait()
        """
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_a_tree_that_is_gone_already_is_no_error():
    process = subprocess.Popen(["true"])
    process.wait()
    assert kill_tree(process.pid, grace=1) == []


def test_memory_grows_with_what_a_process_holds():
    program = "b = bytearray(b'x') * (64 << 20); print(flush=True); input()"
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    assert 64 << 20 < resident_bytes([process.pid]) < 128 << 20
    assert resident_bytes([process.pid, 2**22 + 1]) > 64 << 20
    process.communicate(b"\n")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("24G", 24 << 30),
        ("24g", 24 << 30),
        ("50GB", 50 << 30),
        ("1.5GiB", 3 << 29),
        ("512M", 512 << 20),
        ("24000000000", 24_000_000_000),
        (" 2 T ", 2 << 40),
        ("100b", 100),
    ],
)
def test_memory_is_read_as_people_write_it(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize("text", ["", "G", "much", "-1G", "0", "24X", "1e9", "nan"])
def test_other_text_is_refused_naming_the_option(text):
    with pytest.raises(InvalidOption, match=r"Invalid value for --memory: .*24G"):
        parse_memory(text)
