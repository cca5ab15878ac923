"""Copy files of the platform to a folder of the user: `pull`, `download`, `model pull`."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from nsml_shim.errors import InvalidOption
from nsml_shim.names import SessionName

Told = Callable[[str], None]


def local_name(session: SessionName) -> str:
    """What NSML calls the local folder of a session."""
    return f"{session.owner}_{session.dataset}_{session.number}"


def files_below(folder: Path) -> dict[Path, Path]:
    """Every plain file below a folder: its name relative to it, and where it lies.

    Links are left out: a session may have made them point anywhere.
    """
    found = {
        Path(parent, name).relative_to(folder): Path(parent, name)
        for parent, _, names in os.walk(folder)
        for name in names
    }
    return {
        name: found[name]
        for name in sorted(found)
        if found[name].is_file() and not found[name].is_symlink()
    }


def copy_files(files: Mapping[Path, Path], target: Path, *, force: bool, told: Told) -> Path:
    """Copy files to the new folder `target`, which appears complete or not at all.

    Args:
        files: Name below the folder, and where each file lies now.
        target: The folder.
        force: Replace a folder (or file) that is there.
        told: Told the name of each file.

    Returns:
        The folder.

    Raises:
        InvalidOption: If it is there already, or cannot be written.
    """
    refuse_existing(target, force=force)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise InvalidOption("PATH", str(target.parent), f"a folder ({error.strerror})") from error
    try:
        draft.chmod(0o755)
        for name, path in files.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            copy_file(path, draft / name)
            told(name.as_posix())
        remove_existing(target)
        os.replace(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def copy_file(source: Path, target: Path) -> None:
    """Copy one file; the copy is the user's own, so it may be written to."""
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def refuse_existing(target: Path, *, force: bool) -> None:
    """Refuse to overwrite what is there.

    Raises:
        InvalidOption: If it is there and `force` is off.
    """
    if os.path.lexists(target) and not force:
        raise InvalidOption(
            "PATH", str(target), "a place where nothing lies yet, or -f to replace it"
        )


def remove_existing(target: Path) -> None:
    """Remove a file or folder, if there is one."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
