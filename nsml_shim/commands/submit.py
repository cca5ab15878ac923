"""`nsml submit`: let a checkpoint predict the hidden test data, and score what it says."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nsml_shim import protocol
from nsml_shim.commands import launch, outbox
from nsml_shim.commands.fork import pick_checkpoint, refuse_submission
from nsml_shim.commands.infer import stored_entry
from nsml_shim.commands.platform import Echo, Platform
from nsml_shim.datasets.catalog import Dataset
from nsml_shim.errors import (
    BadDataset,
    NoSuchSession,
    RateLimitExceeded,
    SessionRefused,
    ShimError,
    SubmissionFailed,
)
from nsml_shim.names import NO_DATASET, SessionName
from nsml_shim.sessions.sandbox import find_sandbox
from nsml_shim.store.sessions import NewSession, SessionRow
from nsml_shim.store.submissions import (
    FAILED,
    PENDING,
    NewSubmission,
    SubmissionRow,
)

POLL_SECONDS = 0.1
BEST = "best"


@dataclass(frozen=True)
class Outcome:
    """How a submission ended."""

    session: SessionName
    """The submit session."""
    score: str
    """As the evaluator printed it; "" for a dry run without labels."""


def newest_best(platform: Platform) -> tuple[SessionName, str]:
    """The newest own session that has saved something, and its checkpoint `best` (else newest).

    Raises:
        NoSuchSession: If there is no such session.
    """
    for row in platform.sessions.newest_first(owner=platform.settings.owner):
        names = platform.folder(row).checkpoint_names()
        if row.kind in (protocol.RUN, protocol.FORK) and names:
            wanted = BEST if BEST in names else None
            return row.name, pick_checkpoint(row, platform.folder(row), wanted).name
    raise NoSuchSession("--last", [])


def submit(
    platform: Platform,
    source: SessionName,
    checkpoint: str,
    *,
    trial: bool,
    entry: str | None = None,
) -> SessionRow:
    """Start the submit session.

    Args:
        platform: Settings and store.
        source: Session whose checkpoint is scored; it may still be running.
        checkpoint: Which checkpoint.
        trial: `-t`: on the small `test_submit` data, with a readable log, off the board.
        entry: `-e`: another script of the same uploaded code.

    Raises:
        NoSuchSession: If the source does not exist.
        SessionRefused: If it is a submission itself, or has no single dataset.
        CheckpointNotFound: If it saved no such checkpoint.
        NoEntry: If the uploaded code holds no such script.
        BadDataset: If the dataset takes no submissions.
        NoSandbox: If submissions cannot be isolated here.
        RateLimitExceeded: If it comes too early.
    """
    row = platform.find_session(source)
    refuse_submission("submit", row)
    record = pick_checkpoint(row, platform.folder(row), checkpoint)
    script = stored_entry(platform, row, entry)
    dataset = _scored_dataset(platform, row, trial=trial)
    # Refuse here, not in a log that nobody reads.
    find_sandbox(allow_unsandboxed=dataset.settings.allow_unsandboxed)
    with launch.draft_folder(platform) as draft:
        launch.link_code(platform.folder(row), draft)
        submission = platform.submissions.admit(
            NewSubmission(
                owner=row.owner,
                dataset=dataset.name,
                version=dataset.version,
                source=str(row.name),
                checkpoint=record.name,
                args=row.args,
                trial=trial,
            ),
            interval=dataset.settings.submit_interval,
            now=platform.clock(),
            is_alive=lambda other: _is_alive(platform, other),
        )
        try:
            new = _submit_session(row, record.name, script, trial)
            session = launch.create(platform, new, draft)
            platform.submissions.attach(submission, session.id)
            launch.start(platform, session)
        except BaseException as error:
            platform.submissions.fail(submission, error=str(error), now=platform.clock())
            raise
    return session


def _submit_session(source: SessionRow, checkpoint: str, entry: str, trial: bool) -> NewSession:
    return NewSession(
        owner=source.owner,
        dataset=source.dataset,
        kind=protocol.TRIAL if trial else protocol.SUBMIT,
        entry=entry,
        args=source.args,
        interpreter=source.interpreter,
        memo=f"submit of {source.name}",
        gpus=min(source.gpus, 1),
        cpus=source.cpus,
        memory=source.memory,
        shm_size=source.shm_size,
        parent=str(source.name),
        checkpoint=checkpoint,
    )


def _scored_dataset(platform: Platform, row: SessionRow, *, trial: bool) -> Dataset:
    if row.dataset == NO_DATASET or "," in row.dataset:
        raise SessionRefused("submit", str(row.name), "it needs exactly one dataset, `run -d NAME`")
    dataset = platform.find_dataset(row.dataset)
    if not (dataset.submit_view / "test").is_dir():
        raise BadDataset(
            f"{dataset.name} has no test data, so nothing can be submitted to it. "
            "Its owner can push it again with a folder test/."
        )
    if not trial and dataset.labels(trial=False) is None:
        raise BadDataset(
            f"{dataset.name} has no test/test_label, so submissions cannot be scored. "
            "Its owner can push it again with the labels; `nsml submit -t` works without."
        )
    return dataset


def _is_alive(platform: Platform, submission: SubmissionRow) -> bool:
    """Whether anybody still works on a PENDING submission."""
    if submission.session_id is None:
        return platform.clock() - submission.submitted_at < launch.START_SECONDS
    for row in platform.sessions.newest_first(owner=submission.owner, ended=False):
        if row.id == submission.session_id:
            return platform.is_supervised(row)
    return False


def submit_when_allowed(
    start: Callable[[], SessionRow], *, echo: Echo, sleep: Callable[[float], None]
) -> SessionRow:
    """`--wait`: try again as soon as the rate limit allows it."""
    while True:
        try:
            return start()
        except RateLimitExceeded as error:
            echo(str(error))
            sleep(error.remaining + 1)


def follow(platform: Platform, session: SessionRow) -> Iterator[str | Outcome]:
    """What happens to a submission, as it happens: lines, and in the end the outcome.

    Yields "" about every second in which nothing happened, so that a terminal can show life.

    Raises:
        SubmissionFailed: If it ended without a score.
    """
    folder = platform.folder(session)
    seen, quiet = 0, time.monotonic()
    while True:
        submission = platform.submissions.of_session(session.id)
        lines = outbox.events(folder)
        for line in lines[seen:]:
            event = json.loads(line)
            if not event["event"].startswith("failed"):
                yield str(event["text"])
            quiet = time.monotonic()
        seen = len(lines)
        if submission is None:
            raise ShimError(f"{session.name} was removed before it had a score.")
        if submission.status != PENDING:
            break
        platform.checked(session)
        if time.monotonic() - quiet >= 1:
            quiet = time.monotonic()
            yield ""
        time.sleep(POLL_SECONDS)
    if submission.status == FAILED:
        raise SubmissionFailed(submission.error)
    yield Outcome(session.name, submission.score_text)
