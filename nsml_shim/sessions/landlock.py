"""A process behind Landlock: it keeps the host's paths, the kernel refuses all but some of them.

Runs as a script before the guest does: `python landlock.py RULES COMMAND…`. It stays as the guest's
parent, forwards signals, and when either ends, ends whatever is left. Standard library only.

The network is closed by an empty network namespace, else by a filter on `socket`. Sockets of
services that lie in the file system (`/run/docker.sock`) stay open to those whom their mode admits:
only bubblewrap hides them.

Sources: landlock(7), seccomp(2), linux/landlock.h up to ABI 6, linux/filter.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import platform
import resource
import shutil
import signal
import socket
import stat
import struct
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace

SCRATCH = "@scratch@"
"""Stands in variables for the private temporary folder, which the launcher makes."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL_DEV = 1, 2, 4, 8, 1 << 14, 1 << 15
_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights on files that an ABI knows, from that version on."""
_TCP_RIGHTS = 3
_SCOPES = 3
"""Neither abstract sockets nor signals reach processes outside."""
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_PR_SET_PDEATHSIG, _PR_SET_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 36, 38
_PR_SET_SECCOMP, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS = 22, 24, 28
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_SOCKET_CALL = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Audit number of the architecture, and number of the system call `socket`."""
_IO_URING_SETUP = 425

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Rules:
    """What the process may do; paths are the host's."""

    readable: tuple[str, ...]
    writable: tuple[str, ...]
    devices: tuple[str, ...]
    """Device files, which may be read and written."""
    network: bool
    workdir: str

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self))


class Unsupported(OSError):
    """The kernel refused a step without which there are no walls."""


def main(argv: list[str]) -> int:
    """Run `COMMAND…` behind `RULES`; returns its exit status, 128 + N after signal N."""
    rules, command = Rules(**json.loads(argv[1])), argv[2:]
    parent = os.getpid()
    _prctl(_PR_SET_SUBREAPER, 1)
    scratch = tempfile.mkdtemp(prefix="nsml-", dir="/tmp")
    try:
        child = os.fork()
        if child == 0:
            _become(command, rules, scratch, parent)
        _forward_signals(child)
        return _wait(child)
    finally:
        _end_leftovers()
        shutil.rmtree(scratch, ignore_errors=True)


def restrict(rules: Rules) -> None:
    """Put this process, and all it will ever start, behind the walls; there is no way back.

    Raises:
        Unsupported: If the kernel has no Landlock, or the network cannot be closed.
    """
    abi = _libc.syscall(_CREATE_RULESET, None, 0, 1)
    if abi < 1:
        raise Unsupported(ctypes.get_errno(), "the kernel has no Landlock")
    closed = rules.network or _leave_network()
    _drop_capabilities()
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    _apply(rules, abi, close_tcp=not closed and abi >= 4)
    if not closed:
        _forbid_sockets()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _become(command: list[str], rules: Rules, scratch: str, parent: int) -> None:
    """Turn this child into the guest; never returns."""
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # the launcher died before it could be watched
        os.setsid()
        os.chdir(rules.workdir)
        env = {name: text.replace(SCRATCH, scratch) for name, text in os.environ.items()}
        restrict(replace(rules, writable=(*rules.writable, scratch)))
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # forgotten when the powers changed
        os.execvpe(command[0], command, env)
    except OSError as error:
        sys.stderr.write(f"landlock: {error}\n")
        sys.stderr.flush()
    os._exit(126)


def _apply(rules: Rules, abi: int, *, close_tcp: bool) -> None:
    handled = _FS_RIGHTS[max(version for version in _FS_RIGHTS if version <= abi)]
    attributes = [handled]
    attributes += [_TCP_RIGHTS if close_tcp else 0] if abi >= 4 else []
    attributes += [_SCOPES] if abi >= 6 else []
    packed = struct.pack(f"={len(attributes)}Q", *attributes)
    ruleset = _checked(_libc.syscall(_CREATE_RULESET, packed, len(packed), 0), "create_ruleset")
    try:
        for path in rules.readable:
            _allow(ruleset, path, (_EXECUTE | _READ_FILE | _READ_DIR) & handled)
        for path in rules.writable:
            _allow(ruleset, path, handled)
        for path in rules.devices:
            _allow(ruleset, path, handled & ~_EXECUTE)
        _checked(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "restrict_self")
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return  # what is not there needs no permission
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _FILE_RIGHTS
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, rule, 0), f"allow {path}")
    finally:
        os.close(descriptor)


def _leave_network() -> bool:
    """Move to a network namespace that holds nothing but a loopback; False if not permitted."""
    uid, gid = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        # struct ifreq: name, flags IFF_UP | IFF_RUNNING. Source: netdevice(7), SIOCSIFFLAGS.
        fcntl.ioctl(probe, 0x8914, struct.pack("16sH22x", b"lo", 0x41))
    return True


def _drop_capabilities() -> None:
    """Root keeps its files, but none of its powers, also across exec."""
    for capability in range(64):
        _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that do not exist
    _libc.prctl(_PR_SET_SECUREBITS, 0b11, 0, 0, 0)  # root is nobody special; fails without powers
    header, none = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    _checked(_libc.capset(header, none), "capset")


def _forbid_sockets() -> None:
    """Let `socket` make nothing but sockets of the file system, and io_uring nothing at all."""
    machine = platform.machine()
    if machine not in _SOCKET_CALL:
        raise Unsupported(errno.ENOSYS, f"the network cannot be closed on {machine}")
    architecture, socket_call = _SOCKET_CALL[machine]
    deny = 0x00050000 | errno.EACCES
    load, equal, above, answer = 0x20, 0x15, 0x35, 0x06
    program = (
        (load, 0, 0, 4),  # architecture: a foreign one has other numbers
        (equal, 0, 7, architecture),
        (load, 0, 0, 0),  # number of the call
        (above, 5, 0, 0x40000000),  # the x32 numbers
        (equal, 4, 0, _IO_URING_SETUP),
        (equal, 0, 2, socket_call),
        (load, 0, 0, 16),  # first argument: address family
        (equal, 0, 1, socket.AF_UNIX),
        (answer, 0, 0, 0x7FFF0000),
        (answer, 0, 0, deny),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    filters = struct.pack("@HP", len(program), ctypes.addressof(code))
    _checked(_libc.prctl(_PR_SET_SECCOMP, 2, filters, 0, 0), "seccomp")


def _forward_signals(child: int) -> None:
    def forward(number: int, _: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    def end(number: int, _: object) -> None:
        forward(signal.SIGKILL, None)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, forward)
    signal.signal(signal.SIGUSR2, end)
    _prctl(_PR_SET_PDEATHSIG, signal.SIGUSR2)


def _wait(child: int) -> int:
    """Collect orphans until the guest itself ends."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _end_leftovers() -> None:
    """Kill what the guest started and left behind; as subreaper this process is its parent."""
    for _ in range(500):
        with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
            children = [int(word) for word in file.read().split()]
        for child in children:
            os.kill(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        if not children:
            return
        time.sleep(0.01)


def _prctl(option: int, value: int) -> None:
    _checked(_libc.prctl(option, value, 0, 0, 0), f"prctl {option}")


def _checked(result: int, step: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise Unsupported(number, f"{step}: {os.strerror(number)}")
    return result


if __name__ == "__main__":
    sys.exit(main(sys.argv))
