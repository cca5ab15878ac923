"""`nsml_package.txt`: packages of the operating system, named but never installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

PACKAGE_FILE = "nsml_package.txt"

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?([=/]\S+)?")
"""Name, architecture, version or release. Source: Debian policy, 5.6.1; apt-get(8), "install"."""


def read_packages(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the package file of a guest.

    Returns:
        Packages in the order given, each once, and a note for each word that names none.
    """
    path = folder / PACKAGE_FILE
    if not path.is_file():
        return (), ()
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    words = [word for line in text.splitlines() for word in line.split("#")[0].split()]
    packages = [word for word in words if _PACKAGE.fullmatch(word)]
    strange = [word for word in words if not _PACKAGE.fullmatch(word)]
    notes = (f"{PACKAGE_FILE}: {word!r} is no name of a package." for word in strange)
    return tuple(dict.fromkeys(packages)), tuple(dict.fromkeys(notes))


def apt_notes(packages: Sequence[str]) -> list[str]:
    """Say which packages this machine does not have, and how to get them.

    Installing them is left to whoever may change the machine: a session is one process among others
    on it, not a container of its own.
    """
    if not packages:
        return []
    program = shutil.which("dpkg-query")
    if program is None:
        wanted = " ".join(packages)
        return [f"{PACKAGE_FILE} asks for {wanted}; this machine has no apt, so nobody checked."]
    lacking = _not_installed(program, packages)
    if not lacking:
        return []
    return [
        f"{PACKAGE_FILE} asks for {' '.join(lacking)}, which the platform never installs by "
        f"itself: apt-get install {' '.join(lacking)}"
    ]


def _not_installed(program: str, packages: Sequence[str]) -> list[str]:
    names = {package: re.split(r"[=/]", package)[0] for package in packages}
    form = "${Package} ${Package}:${Architecture} ${db:Status-Status}\n"
    command = [program, "--show", f"--showformat={form}", *names.values()]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    # Unknown packages make the status 1 and are explained on stderr; the known ones are listed.
    lines = (line.split() for line in run.stdout.splitlines())
    installed = {word for *words, state in lines if state == "installed" for word in words}
    return [package for package, name in names.items() if name not in installed]
