"""The shelf: the one folder on a session's `PYTHONPATH`, with the library `nsml` and its startup.

Named by its content and built in one step, so that sessions of different versions of the platform
live side by side and nobody ever imports half of one.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from nsml_shim.protocol import sync_folder

_PLATFORM = Path(__file__).parents[1]
_WORDS = ("__init__.py", "errors.py", "names.py", "protocol.py", "records.py")


def shelf(home: Path) -> Path:
    """Folder with `nsml`, the half of the platform it is built on, and the startup file.

    Args:
        home: The platform's home; the shelf lies below `sdk/`.
    """
    files = _files()
    digest = hashlib.sha256()
    for name, source in sorted(files.items()):
        content = source.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    folder = home / "sdk" / digest.hexdigest()[:20]
    if not folder.is_dir():
        _build(files, folder)
    return folder


def _files() -> dict[str, Path]:
    """Names on the shelf and where they come from."""
    library, client = _PLATFORM / "site" / "nsml", _PLATFORM / "client"
    files = {f"nsml_shim/{name}": _PLATFORM / name for name in _WORDS}
    files |= {f"nsml_shim/{p.relative_to(_PLATFORM).as_posix()}": p for p in client.rglob("*.py")}
    files |= {f"nsml/{p.relative_to(library).as_posix()}": p for p in library.rglob("*.py")}
    files["nsml_shim/old_names.py"] = Path(__file__).with_name("old_names.py")
    files["sitecustomize.py"] = Path(__file__).with_name("startup.py")
    return files


def _build(files: dict[str, Path], folder: Path) -> None:
    import compileall  # both once in the life of a version
    import py_compile

    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=folder.parent))
    try:
        draft.chmod(0o755)
        for name, source in files.items():
            target = draft / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        # A sandbox shows the shelf read-only: without this every submission would compile it again.
        compileall.compile_dir(
            draft, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
        os.rename(draft, folder)
        sync_folder(folder.parent)
    except OSError:
        if not folder.is_dir():
            raise
        # Another process was quicker; its shelf is the same.
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def own_library(code: Path, entry: str = "main.py") -> Path | None:
    """A guest's own `nsml.py` or `nsml/`, which the platform's library takes the place of.

    Args:
        code: The guest's folder.
        entry: Entry script, in whose folder imports look first.

    Returns:
        Its path relative to the guest's folder; None if it brings none.
    """
    for folder in dict.fromkeys(((code / entry).parent, code)):
        for path in (folder / "nsml.py", folder / "nsml"):
            if path.is_file() or any(path.glob("*.py")):
                return path.relative_to(code)
    return None
