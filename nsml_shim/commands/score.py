"""The end of a submission: from the prediction file to a row on the board, or to a reason."""

from __future__ import annotations

import json
import shutil
import subprocess

from nsml_shim import protocol
from nsml_shim.commands import outbox, process
from nsml_shim.commands.platform import Platform
from nsml_shim.errors import EvaluationFailed
from nsml_shim.protocol import SessionFolder
from nsml_shim.scoring import evaluator, metrics
from nsml_shim.store.sessions import SessionRow

LOAD_SECONDS = 600.0
"""What a submission may take to start and to load its checkpoint, before inference is timed."""
EVALUATION_SECONDS = 600.0
NO_RESPONSE = "Session does not respond"
TAIL_LINES = 12
"""Lines of a dry run's log that are shown when it fails."""


def conclude(platform: Platform, row: SessionRow, code: int, cause: str) -> str:
    """Score what the session predicted, or record why it predicted nothing.

    Returns:
        The cause of the session's end, in words.
    """
    submission = platform.submissions.of_session(row.id)
    if submission is None:  # removed meanwhile
        return cause
    folder = platform.folder(row)
    try:
        if code != 0:
            raise EvaluationFailed(failure(row, folder, cause))
        text = _score(platform, row)
    except EvaluationFailed as error:
        platform.submissions.fail(submission, error=str(error), now=platform.clock())
        return cause if code != 0 else str(error)
    finally:
        shutil.rmtree(folder.work, ignore_errors=True)
    if text:
        platform.submissions.finish(submission, score_text=text, now=platform.clock())
    else:
        platform.submissions.pass_unscored(submission, now=platform.clock())
    return cause


def _score(platform: Platform, row: SessionRow) -> str:
    """The number, as text; "" for a dry run on data without labels."""
    dataset = platform.find_dataset(row.dataset)
    folder = platform.folder(row)
    prediction = outbox.take_prediction(folder)
    labels = dataset.labels(trial=row.kind == protocol.TRIAL)
    if labels is None:
        return ""
    if dataset.settings.metric != "custom":
        return repr(metrics.score_files(dataset.settings.metric, labels, prediction))
    if dataset.evaluator is None:
        return ""
    start, seen_labels = process.evaluator(platform, row, dataset.evaluator, labels)
    flags = evaluator.arguments(dataset.evaluator, prediction=str(prediction), labels=seen_labels)
    try:
        done = subprocess.run(
            [*start.argv, *flags],
            cwd=start.cwd,
            env=dict(start.env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=EVALUATION_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise EvaluationFailed(
            f"evaluation.py took more than {EVALUATION_SECONDS:g} seconds."
        ) from None
    return evaluator.read_score(done.stdout, done.stderr, done.returncode)


def failure(row: SessionRow, folder: SessionFolder, cause: str) -> str:
    """What the user is told when the session ended without a prediction."""
    events = outbox.events(folder)
    last = json.loads(events[-1])["event"] if events else ""
    if cause.startswith(NO_RESPONSE):
        what = cause
    elif last == "failed load":
        what = "Error occurred while loading model"
    elif last == "failed infer" or last == "infer":
        what = f"Fail to get prediction result: {row.parent}/{row.checkpoint}"
    else:
        what = (
            "Submit/infer session is stopped right after running. Please check your code again: "
            f"it {cause} before nsml.paused() had its turn"
        )
    if row.kind == protocol.TRIAL:
        lines = folder.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join([what, *(f"  {line}" for line in lines), f"The whole log: {folder.log}"])
    return (
        f"{what}\nYou can check the error with `nsml submit --test {row.parent} {row.checkpoint}`."
    )
