"""A process in a root of its own, through bubblewrap: what is not mounted does not exist.

Own user, process, network, IPC and host-name namespaces; no capabilities; a terminal session of its
own, so that it cannot type into ours; gone when the thread that started it is gone.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

from nsml_shim.errors import NoSandbox
from nsml_shim.sessions.mounts import (
    HARDWARE,
    NETWORK_SETTINGS,
    SETTINGS,
    SYSTEM,
    View,
    accelerators,
    interpreter_roots,
    private_environment,
)

SCRATCH = "/tmp"
"""Writable, in memory, empty at the start."""
KERNEL = ("/proc/sys", "/proc/sysrq-trigger", "/proc/fs", "/proc/irq", "/proc/bus")
"""Switches of the kernel. Root may turn them even without powers, so they are shown read-only;
bubblewrap 0.8 itself covers only some of them."""


def wrap(
    argv: Sequence[str], view: View, env: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    """Command line and variables that run `argv` with nothing but `view` around it.

    Raises:
        NoSandbox: If bubblewrap is not installed, or a mount would hide the interpreter.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise NoSandbox("bubblewrap is not installed.")
    roots = interpreter_roots(argv[0], env)
    _refuse_covering(view, roots)
    command = [program, "--unshare-all", "--die-with-parent", "--new-session"]
    command += ["--hostname", "localhost"]  # a name that /etc/hosts knows
    command += ["--cap-drop", "ALL"]  # started by root, bubblewrap would leave root its powers
    command += ["--share-net"] * view.network
    command += _system(network=view.network)
    command += _roots(roots, view.hidden)
    for mount in view.mounts:
        command += ["--bind" if mount.writable else "--ro-bind", str(mount.source), mount.target]
    command += ["--remount-ro", "/", "--chdir", view.workdir, "--", *argv]
    return command, private_environment(env, SCRATCH)


def overlay(argv: Sequence[str], view: View, env: Mapping[str, str]) -> list[str]:
    """Command line that runs `argv` on this machine as it is, with the mounts of `view` added.

    For training sessions, which are the user's own: the paths of the platform (`/app`, `/data`)
    exist, and what is hidden is empty. It is a view, not a wall.

    Raises:
        NoSandbox: If bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise NoSandbox("bubblewrap is not installed.")
    command = [program, "--die-with-parent", "--tmpfs", "/"]
    if not (view.network and _has_loopback()):
        # Where not even the loopback is up nothing can be reached anyway; in a network of its own,
        # which bubblewrap brings up, the ranks of a training at least reach each other.
        command.append("--unshare-net")
    command += _host({Path(mount.target).parts[1] for mount in view.mounts} & {"app", "data"})
    for path in view.hidden:
        command += ["--tmpfs", str(path)]
    for root in interpreter_roots(argv[0], env):
        if any(root.is_relative_to(path) for path in view.hidden):
            command += ["--ro-bind", str(root), str(root)]
    for mount in view.mounts:
        command += ["--bind" if mount.writable else "--ro-bind", str(mount.source), mount.target]
    return [*command, "--chdir", view.workdir, "--", *argv]


def _host(piecemeal: set[str]) -> list[str]:
    """The host's own root; no mount point can be made inside the folders named `piecemeal`."""
    words: list[str] = []
    for entry in sorted(os.scandir("/"), key=lambda entry: entry.name):
        inside = entry.name in piecemeal and entry.is_dir()
        for shown in os.scandir(entry.path) if inside else [entry]:
            words += _as_it_is(shown)
    return words


def _has_loopback() -> bool:
    # Binding to the address works even where the interface is down; only a connection tells.
    with socket.socket() as server, socket.socket() as client:
        client.settimeout(1.0)
        try:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            client.connect(server.getsockname())
        except OSError:
            return False
    return True


def _as_it_is(entry: os.DirEntry[str]) -> list[str]:
    if entry.is_symlink():
        return ["--symlink", os.readlink(entry.path), entry.path]
    return ["--dev-bind" if entry.path == "/dev" else "--bind", entry.path, entry.path]


def _system(*, network: bool) -> list[str]:
    words: list[str] = []
    for path in SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            words += ["--ro-bind", path, path]
    for path in (*SETTINGS, *(NETWORK_SETTINGS if network else ())):
        words += ["--ro-bind-try", path, path]
    words += ["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--tmpfs", SCRATCH]
    for path in (*KERNEL, *HARDWARE):
        words += ["--ro-bind-try", path, path]
    for path in accelerators():
        words += ["--dev-bind-try", path, path]
    return words


def _roots(roots: Sequence[Path], hidden: Sequence[Path]) -> list[str]:
    """Folders of the interpreter; those that hold something hidden come before it is covered."""
    covers = [path.resolve() for path in hidden]
    inside = [root for root in roots if any(root.is_relative_to(cover) for cover in covers)]
    words: list[str] = []
    for root in (root for root in roots if root not in inside):
        words += ["--ro-bind", str(root), str(root)]
    for cover in covers:
        if any(cover.is_relative_to(root) for root in (*roots, *map(Path, SYSTEM))):
            words += ["--tmpfs", str(cover)]
    for root in inside:
        words += ["--ro-bind", str(root), str(root)]
    return words


def _refuse_covering(view: View, roots: Sequence[Path]) -> None:
    for mount in view.mounts:
        for root in roots:
            if root.is_relative_to(mount.target):
                raise NoSandbox(
                    f"The interpreter lies in {root}, where the session expects {mount.target}. "
                    "Put its environment somewhere else, or use NSML_SANDBOX=landlock."
                )
