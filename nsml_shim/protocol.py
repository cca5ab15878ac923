"""The border between platform and session: a session folder and environment variables.

Both processes import this file, so it is standard library only and quick to load. A session writes
only into its own folder, in drafts that are fsynced and renamed; only platform processes write the
store.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote

# Records are named tuples: dataclasses would double the time that `import nsml` takes.

ENV_SESSION = "NSML_SESSION_NAME"
"""Own name, OWNER/DATASET/NUMBER."""
ENV_FOLDER = "NSML_SESSION_FOLDER"
"""Own session folder, as the session sees it."""
ENV_STORE = "NSML_MODEL_STORE"
"""Folder that holds OWNER/DATASET/NUMBER/ of every session, as the session sees it."""
ENV_CACHE = "NSML_CACHE_FOLDER"
"""Folder that all sessions of the owner on the dataset share; absent in a submission."""
ENV_DATASET_PATH = "NSML_DATASET_PATH"
"""Data of the dataset; several are joined by os.pathsep."""
ENV_DATASET_NAME = "NSML_DATASET_NAME"
"""Name of the dataset; several are joined by commas."""
ENV_GPU_NUM = "NSML_GPU_NUM"
"""GPUs that the session really has; 0 on a machine without one."""
ENV_WORKERS = "NSML_WORKERS"
"""Processes the session may train on in parallel: its GPUs, or as many CPU workers."""
ENV_RANK = "NSML_RANK"
"""Rank of this process within its session; only rank 0 reports and saves."""
ENV_INSTRUCTION = "NSML_INSTRUCTION"
"""What `nsml.paused()` has to do, as the JSON of an Instruction; absent in a plain run."""
ENV_MODEL_LIMIT = "NSML_MODEL_LIMIT"
"""Largest checkpoint the dataset accepts, bytes; absent without a limit."""

RUN, FORK, INFER, SUBMIT, TRIAL = "normal", "normal/fork", "infer", "submit", "submit(test)"
"""Types of session, as `nsml ps` shows them."""


class Instruction(NamedTuple):
    """What `nsml.paused()` does: restore a checkpoint, then go on, predict or answer."""

    action: str
    """FORK, INFER, SUBMIT or TRIAL."""
    session: str
    """Session whose checkpoint is loaded."""
    checkpoint: str
    """Key of that checkpoint."""
    loader: str = ""
    """The dataset owner's data_loader.py; "" unless it is a submission."""
    prediction: str = ""
    """File the prediction is written to; "" unless it is a submission."""
    time_limit: float = 3600.0
    """Seconds that inference may take."""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Instruction:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


class CheckpointRecord(NamedTuple):
    """What one `nsml.save` left behind; the index file beside the checkpoint's files."""

    name: str
    """Key, as text."""
    folder: str
    """Folder of its files, relative to `checkpoints/`."""
    saved_at: float
    """Seconds since the epoch."""
    elapsed: float
    """Seconds since the previous checkpoint of the session, or since its start."""
    size: int
    """Bytes of all files."""
    summary: Mapping[str, object] = {}
    """The last values reported before the save."""
    single_file: bool = False
    """The guest wrote one file *to* the path it was given (NSML up to 2019), not into it."""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self._asdict(), default=str)

    @classmethod
    def from_json(cls, text: str) -> CheckpointRecord:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


class Answer(NamedTuple):
    """What came of code that `nsml exec` had evaluated inside a session."""

    output: str
    """What it printed."""
    result: str
    """`repr` of its value; "" for None and for statements."""
    error: str
    """Traceback of what it raised; "" if it raised nothing."""

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(self._asdict())

    @classmethod
    def from_json(cls, text: str) -> Answer:
        """Read what `to_json` wrote."""
        return cls(**json.loads(text))


class SessionFolder(NamedTuple):
    """Where each thing lies in the folder of a session."""

    root: Path

    @property
    def code(self) -> Path:
        """The uploaded files as they were, read-only; what fork and submit start from."""
        return self.root / "code"

    @property
    def work(self) -> Path:
        """Working directory: a copy of `code` that the session may write to; `/app` inside."""
        return self.root / "output"

    @property
    def checkpoints(self) -> Path:
        """One index file per checkpoint, and the folders they name."""
        return self.root / "checkpoints"

    @property
    def reports(self) -> Path:
        """What `nsml.report` recorded; `nsml_shim/records.py` tells in which form."""
        return self.root / "reports"

    @property
    def log(self) -> Path:
        """Standard output and standard error of the session."""
        return self.root / "log"

    @property
    def events(self) -> Path:
        """Progress of a submission, one line each, written by the session for the terminal."""
        return self.root / "events"

    @property
    def exit(self) -> Path:
        """How the session ended, JSON; its presence says that it has ended."""
        return self.root / "exit"

    @property
    def lock(self) -> Path:
        """Held by the session's supervisor as long as it lives."""
        return self.root / "supervisor.lock"

    @property
    def supervisor_log(self) -> Path:
        """What the supervisor itself had to say; empty unless something went wrong."""
        return self.root / "supervisor.log"

    @property
    def stop(self) -> Path:
        """Its presence asks the supervisor to stop the session; it holds who asked."""
        return self.root / "stop"

    @property
    def prediction(self) -> Path:
        """The prediction file of a submission."""
        return self.root / "prediction"

    @property
    def exec(self) -> Path:
        """Requests to evaluate code and their answers; made by the session once it listens."""
        return self.root / "exec"

    @property
    def visdom(self) -> Path:
        """What the guest drew through `nsml.Visdom`, JSON lines."""
        return self.root / "visdom"

    @property
    def outbox(self) -> SessionFolder:
        """The only folder beside `work` that a submission can write to; it takes this one's place.

        Nothing in it may be trusted: a guest can leave links there that point anywhere.
        """
        return SessionFolder(self.root / "outbox")

    def index_of(self, checkpoint: str) -> Path:
        """Index file of a checkpoint; any printable key gives a legal, distinct file name."""
        return self.checkpoints / f"{quote(checkpoint, safe=' ')}.json"

    def checkpoint(self, name: str) -> CheckpointRecord | None:
        """Record of the checkpoint `name`, or None if it was never saved."""
        try:
            return CheckpointRecord.from_json(self.index_of(name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def checkpoint_records(self) -> list[CheckpointRecord]:
        """Records of all checkpoints, in no particular order."""
        found = (self.checkpoint(name) for name in self.checkpoint_names())
        return [record for record in found if record]

    def checkpoint_names(self) -> list[str]:
        """Keys of all checkpoints, in no particular order."""
        try:
            names = os.listdir(self.checkpoints)
        except FileNotFoundError:
            return []
        return [unquote(name[:-5]) for name in names if name.endswith(".json")]


def session_folder(store: Path, session: str) -> SessionFolder:
    """Folder of the session `OWNER/DATASET/NUMBER` below `store`."""
    return SessionFolder(store.joinpath(*session.split("/")))


def cache_folder(store: Path, owner: str, dataset: str) -> Path:
    """Folder of what `nsml.cache` kept for all sessions of an owner on a dataset."""
    return store / owner / ".cache" / dataset


REQUEST, ANSWER = ".request", ".answer"
"""Endings of the files in `SessionFolder.exec`; a request is the JSON of {"code": ...}."""


def draft_in(folder: Path) -> Path:
    """A name in `folder` that nobody uses, for something that is not yet to be seen."""
    return folder / f".draft-{os.urandom(8).hex()}"


def write_atomic(path: Path, data: bytes) -> None:
    """Show `data` under `path` completely or not at all, also across a power cut."""
    draft = draft_in(path.parent)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names inside `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
