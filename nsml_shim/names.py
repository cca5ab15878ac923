"""Session names: `team/review_img/7`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from nsml_shim.errors import InvalidName

NO_DATASET = "None"
"""Middle part of the name of a session that runs without a dataset (NSML wrote the literal)."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*")


@dataclass(frozen=True, order=True)
class SessionName:
    """Name of a session: who owns it, which dataset it uses, which try it is."""

    owner: str
    """Team or login name."""
    dataset: str
    """Dataset name; several are joined by commas; "None" without one."""
    number: int
    """Counts up from 1 per owner and dataset."""

    def __str__(self) -> str:
        return f"{self.owner}/{self.dataset}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> SessionName:
        """Read `OWNER/DATASET/NUMBER`.

        Raises:
            InvalidName: If the text has another shape.
        """
        parts = text.strip().split("/")
        if len(parts) != 3 or not parts[2].isdecimal() or not (parts[0] and parts[1]):
            raise InvalidName(
                "session", text, "OWNER/DATASET/NUMBER, for example team/review_img/7"
            )
        return cls(check_owner(parts[0]), check_dataset(parts[1]), int(parts[2]))


def split_checkpoint(session: str, checkpoint: str | None) -> tuple[SessionName, str | None]:
    """Accept `SESSION CHECKPOINT` and, as many write it, `SESSION/CHECKPOINT`.

    Returns:
        Session name and checkpoint; the checkpoint is None where none was given.
    """
    if checkpoint is None and session.count("/") >= 3:
        owner, dataset, number, checkpoint = session.split("/", 3)
        session = f"{owner}/{dataset}/{number}"
    return SessionName.parse(session), checkpoint


def check_owner(text: str) -> str:
    """Return `text` if it can be an owner; the name becomes a folder, so it may not climb.

    Raises:
        InvalidName: If it cannot.
    """
    if not _PART.fullmatch(text):
        raise InvalidName(
            "owner", text, "letters, digits, '_', '-' and '.', not beginning with a dot"
        )
    return text


def check_dataset(text: str) -> str:
    """Return `text` if it can be a dataset name (or several, joined by commas).

    Raises:
        InvalidName: If it cannot.
    """
    if not all(_PART.fullmatch(part) for part in text.split(",")):
        raise InvalidName(
            "dataset", text, "letters, digits, '_', '-' and '.', not beginning with a dot"
        )
    return text
