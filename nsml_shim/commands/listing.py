"""List sessions, for `ps`; apart from the other commands, because it has to answer at once."""

from __future__ import annotations

from dataclasses import dataclass

from nsml_shim.commands.platform import Platform
from nsml_shim.commands.reserved import reserved
from nsml_shim.store.sessions import SessionRow


@dataclass(frozen=True)
class Listed:
    """One line of `nsml ps`."""

    session: SessionRow
    models: int
    size: int
    """Bytes of all its checkpoints."""

    @property
    def arguments(self) -> list[str]:
        """What its script got: the user's arguments and those of the platform."""
        return [*self.session.args, *reserved(self.session)]


def sessions(
    platform: Platform,
    *,
    ended: bool,
    last: int | None = None,
    dataset: str | None = None,
    search: str | None = None,
) -> list[Listed]:
    """Own sessions, newest first.

    Args:
        platform: Settings and store.
        ended: Whether those that have ended belong to it.
        last: Only so many of the newest.
        dataset: Only those on this dataset.
        search: Only those whose name contains this.
    """
    totals = platform.checkpoints.totals()
    rows = platform.sessions.newest_first(owner=platform.settings.owner, ended=ended)
    rows = [platform.checked(row) for row in rows]
    rows = [
        row
        for row in rows
        if (ended or not row.has_ended)
        and (dataset is None or dataset in row.dataset.split(","))
        and (search is None or search in str(row.name))
    ]
    return [Listed(row, *totals.get(row.id, (0, 0))) for row in rows[:last]]
