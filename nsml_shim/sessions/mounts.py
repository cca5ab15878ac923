"""What a sandboxed process gets to see of the machine, whichever sandbox it is."""

from __future__ import annotations

import os
import shutil
import site
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
"""Programs and libraries of the operating system."""
SETTINGS = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *("/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/localtime", "/etc/mime.types"),
    *("/etc/fonts", "/etc/ssl", "/etc/ca-certificates", "/etc/OpenCL", "/etc/vulkan"),
    *("/etc/python3", "/etc/protocols", "/etc/services", "/etc/hosts", "/etc/host.conf"),
)
"""Settings that programs read; not all of /etc, where secrets lie."""
NETWORK_SETTINGS = ("/etc/resolv.conf", "/etc/gai.conf")
HARDWARE = ("/sys/block", "/sys/bus", "/sys/class", "/sys/dev", "/sys/devices", "/sys/module")
"""Descriptions of the hardware: numbers of cores, NUMA nodes, PCI devices."""
ACCELERATORS = ("/dev/nvidia*", "/dev/dxg", "/dev/kfd", "/dev/dri")


@dataclass(frozen=True)
class Mount:
    """A folder or file of the host that the process may see."""

    source: Path
    """Where it lies on the host."""
    target: str
    """Where the process finds it; the same path in a sandbox that cannot remap."""
    writable: bool = False


@dataclass(frozen=True)
class View:
    """Everything a process may see and reach."""

    mounts: Sequence[Mount]
    workdir: str
    """Working directory, as the process sees it."""
    network: bool
    """False: nothing but its own loopback."""
    hidden: Sequence[Path] = ()
    """Folders that stay invisible even where the interpreter's own folder holds them."""


def accelerators() -> list[str]:
    """Device files of GPUs."""
    return sorted(path for pattern in ACCELERATORS for path in glob(pattern))


def interpreter_roots(program: str, environ: Mapping[str, str]) -> list[Path]:
    """Folders that a Python needs: of its virtual environment, and of what that is made from.

    Args:
        program: First word of the command line, such as `.venv/bin/python` or `python`.
        environ: Variables of the process; `PATH` finds the program.
    """
    found = shutil.which(program, path=environ.get("PATH"))
    if found is None:
        return []
    roots = [root for step in _links(Path(found)) if (root := _root_of(step))]
    user_site = Path(site.getusersitepackages())
    if found == sys.executable and site.ENABLE_USER_SITE and user_site.is_dir():
        roots.append(user_site)
    return [root for root in dict.fromkeys(roots) if not str(root).startswith("/usr")]


def private_environment(environ: Mapping[str, str], scratch: str) -> dict[str, str]:
    """Variables for a process whose only home is `scratch`."""
    kept = {name: value for name, value in environ.items() if not name.startswith("XDG_")}
    if site.ENABLE_USER_SITE:
        kept.setdefault("PYTHONUSERBASE", site.getuserbase())
    return {**kept, "HOME": scratch, "TMPDIR": scratch, "TMP": scratch, "TEMP": scratch}


def _links(program: Path) -> Iterator[Path]:
    """The program and, link by link, what it points to."""
    program = program.absolute()
    yield program
    for _ in range(40):  # the kernel's own limit
        if not program.is_symlink():
            return
        program = Path(os.path.normpath(program.parent / os.readlink(program)))
        yield program
    return


def _root_of(program: Path) -> Path | None:
    """Folder of the installation that `program` belongs to; None for a mere link to one."""
    root = program.parent.parent
    is_installation = (root / "pyvenv.cfg").is_file() or not program.is_symlink()
    has_library = any((root / "lib").glob("python*")) or (root / "pyvenv.cfg").is_file()
    return root if is_installation and has_library else None
