"""`nsml login`, `logout`, `info`: as whom the platform acts.

There is one user and no server, so nobody is authenticated: the owner is a name in nsml.toml, which
`NSML_TEAM` overrules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from nsml_shim.commands.platform import Platform
from nsml_shim.names import check_owner
from nsml_shim.protocol import write_atomic
from nsml_shim.settings import SETTINGS_FILE

TEAM = re.compile(r"^[ \t]*team[ \t]*=.*\n?", re.MULTILINE)
"""The line of nsml.toml that names the owner."""


@dataclass(frozen=True)
class Account:
    """What `nsml info` tells."""

    owner: str
    home: str
    running: int
    """Sessions, those that wait for their turn included."""
    ended: int
    models: int
    model_bytes: int
    datasets: int
    quota: int
    """GPUs or CPU workers the owner may use at once; 0 is no limit."""


def log_in(platform: Platform, owner: str) -> None:
    """Let every later command act as `owner`.

    Raises:
        InvalidName: If it cannot be an owner's name.
    """
    line = f"team = {json.dumps(check_owner(owner))}\n"
    _rewrite(platform, lambda text: line + TEAM.sub("", text, count=1))


def log_out(platform: Platform) -> None:
    """Let every later command act as the user of this machine again."""
    _rewrite(platform, lambda text: TEAM.sub("", text, count=1))


def info(platform: Platform) -> Account:
    """Sums over everything that belongs to the acting owner."""
    owner = platform.settings.owner
    rows = [platform.checked(row) for row in platform.sessions.newest_first(owner=owner)]
    totals = platform.checkpoints.totals()
    sums = [totals.get(row.id, (0, 0)) for row in rows]
    ended = sum(row.has_ended for row in rows)
    return Account(
        owner=owner,
        home=str(platform.settings.home),
        running=len(rows) - ended,
        ended=ended,
        models=sum(count for count, _ in sums),
        model_bytes=sum(size for _, size in sums),
        datasets=sum(row.author == owner for row in platform.datasets.all()),
        quota=platform.settings.quota,
    )


def _rewrite(platform: Platform, change: Callable[[str], str]) -> None:
    home = platform.settings.home
    file = home / SETTINGS_FILE
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    home.mkdir(parents=True, exist_ok=True)
    write_atomic(file, change(before).encode())
