"""Which session this process belongs to, read once from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from nsml_shim import protocol
from nsml_shim.protocol import Instruction, SessionFolder, session_folder


class Session(NamedTuple):
    """The session this process runs in."""

    name: str
    """OWNER/DATASET/NUMBER."""
    folder: SessionFolder
    """Its folder, as seen from inside."""
    store: Path
    """Folder that holds the folders of all sessions."""
    rank: int
    """0 for the process that reports and saves."""
    instruction: Instruction | None
    """What `paused()` has to do; None in a plain run."""
    model_limit: float
    """Largest checkpoint the dataset accepts, bytes; inf without a limit."""

    @property
    def is_submission(self) -> bool:
        """Whether this process predicts the test data of a submission."""
        action = self.instruction.action if self.instruction else protocol.RUN
        return action in (protocol.SUBMIT, protocol.TRIAL)

    @property
    def caches(self) -> Path:
        """Folder of what `nsml.cache` kept for this owner and dataset."""
        owner, dataset, _ = self.name.split("/")
        return protocol.cache_folder(self.store, owner, dataset)

    def folder_of(self, name: str) -> SessionFolder:
        """Folder of another session of the same store."""
        return self.folder if name == self.name else session_folder(self.store, name)


def from_environment(environ: Mapping[str, str]) -> Session | None:
    """The session that the variables describe; None outside the platform."""
    folder = environ.get(protocol.ENV_FOLDER)
    if not folder:
        return None
    instruction = environ.get(protocol.ENV_INSTRUCTION)
    return Session(
        name=environ[protocol.ENV_SESSION],
        folder=SessionFolder(Path(folder)),
        store=Path(environ[protocol.ENV_STORE]),
        rank=int(environ.get(protocol.ENV_RANK) or environ.get("RANK") or 0),
        instruction=Instruction.from_json(instruction) if instruction else None,
        model_limit=float(environ.get(protocol.ENV_MODEL_LIMIT) or "inf"),
    )


CURRENT = from_environment(os.environ)
"""The session of this process, or None when the script runs without the platform."""


def say(line: str) -> None:
    """Tell the guest something that does not concern its own output."""
    print(line, file=sys.stderr, flush=True)
