"""Settings of the platform: environment variables, else `nsml.toml` in the home, else defaults."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsml_shim.errors import InvalidOption
from nsml_shim.names import check_owner

SETTINGS_FILE = "nsml.toml"


@dataclass(frozen=True)
class Settings:
    """Where the platform keeps its things and as whom it acts."""

    home: Path
    """Everything the platform stores lies below this folder (NSML_HOME, default ~/.nsml)."""
    owner: str
    """Owner of new sessions (NSML_TEAM, `team` in nsml.toml, default the login name)."""
    quota: int
    """GPUs (or CPU workers) one owner may use at once (`quota` in nsml.toml); 0 is no limit."""
    max_files: int
    """Files one session may upload (`max_files`)."""
    max_bytes: int
    """Bytes one session may upload (`max_megabytes`)."""

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "platform.db"

    @property
    def sessions(self) -> Path:
        """Folder of all session folders, OWNER/DATASET/NUMBER."""
        return self.home / "sessions"

    @property
    def datasets(self) -> Path:
        """Folder of all datasets, NAME/vK."""
        return self.home / "datasets"

    @property
    def blobs(self) -> Path:
        """Content-addressed files that sessions share."""
        return self.home / "blobs"

    @property
    def envs(self) -> Path:
        """Session environments."""
        return self.home / "envs"

    @property
    def leases(self) -> Path:
        """Lock files of GPU slots and quotas."""
        return self.home / "leases"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings; the home need not exist yet.

    Raises:
        InvalidOption: If nsml.toml cannot be read or holds a value of the wrong kind.
        InvalidName: If the owner cannot be a folder name.
    """
    environ = os.environ if environ is None else environ
    home = Path(environ.get("NSML_HOME") or Path.home() / ".nsml").expanduser().absolute()
    file = read_toml(home / SETTINGS_FILE)
    owner = environ.get("NSML_TEAM") or file.get("team") or _login()
    return Settings(
        home=home,
        owner=check_owner(str(owner)),
        quota=_whole(file, "quota", 0),
        max_files=_whole(file, "max_files", 1000),
        max_bytes=_whole(file, "max_megabytes", 300) * 2**20,
    )


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file; empty if there is no such file.

    Raises:
        InvalidOption: If it is not TOML.
    """
    if not path.exists():
        return {}
    # Imported here: only few commands read TOML, and Python 3.10 brings no parser of its own.
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidOption(str(path), str(error), "a TOML file of `key = value` lines") from error


def _login() -> str:
    import getpass  # which NSML_TEAM and `nsml login` go without

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a passwd entry
        name = f"user{os.getuid()}"
    return re.sub(r"[^A-Za-z0-9_.\-]", "_", name).lstrip(".-") or "user"


def _whole(file: Mapping[str, Any], key: str, default: int) -> int:
    value = file.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InvalidOption(f"{key} in {SETTINGS_FILE}", repr(value), "a whole number, 0 or more")
    return value
