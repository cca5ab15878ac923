"""Every error that a user of the platform can cause.

ShimError
├── InvalidName              a session, owner or dataset name of the wrong shape
├── InvalidOption            an option whose value cannot be used
├── NoSuchSession            nobody ever ran that session, or it was removed
├── NotYours                 the session belongs to another owner
├── SessionRefused           the command is not meant for this kind or state of session
├── NoSuchDataset            no dataset of that name was pushed
├── BadDataset               a folder that cannot be pushed, or a dataset.toml that cannot be read
├── CheckpointNotFound       the session never saved a checkpoint of that name
├── NoEntry                  the entry script is missing
├── UploadTooLarge           the folder exceeds a limit on files or bytes
├── NotEnoughMachine         more GPUs or memory asked for than this machine has
├── EnvironmentFailed        the session environment could not be built
├── NoSandbox                submissions cannot be isolated on this machine
├── RateLimitExceeded        submitted again too early
├── SubmissionFailed         the guest's code stopped before it was scored
└── EvaluationFailed         the evaluator refused the prediction, or printed no number
"""

from __future__ import annotations

from collections.abc import Sequence


def _closest(wanted: str, known: Sequence[str]) -> list[str]:
    """The known word that is most like the wanted one; none if nothing is close."""
    from difflib import get_close_matches  # which only a mistake needs

    return get_close_matches(wanted, known, n=1)


class ShimError(Exception):
    """A mistake that the message explains: what happened, what was expected, what to do next."""


class InvalidName(ShimError):
    """A name of the wrong shape."""

    def __init__(self, kind: str, given: str, expected: str) -> None:
        super().__init__(f'Invalid value for "{kind.upper()}": {given!r}. Expected {expected}.')


class InvalidOption(ShimError):
    """An option whose value cannot be used."""

    def __init__(self, option: str, given: str, expected: str) -> None:
        super().__init__(f"Invalid value for {option}: {given!r}. Expected {expected}.")


class NoSuchSession(ShimError):
    """Nobody ever ran that session, or it was removed."""

    def __init__(self, wanted: str, known: Sequence[str]) -> None:
        close = _closest(wanted, known)
        hint = f"Did you mean {close[0]}?" if close else "`nsml ps -a` lists yours."
        super().__init__(f'Invalid value for "SESSION": {wanted} does not exist. {hint}')


class NotYours(ShimError):
    """The session belongs to another owner."""

    def __init__(self, session: str, owner: str) -> None:
        super().__init__(
            "You cannot use this command for the other's session: "
            f"{session} is not {owner}'s. Set NSML_TEAM to act as another owner."
        )


class SessionRefused(ShimError):
    """The command is not meant for this kind or state of session."""

    def __init__(self, verb: str, session: str, reason: str) -> None:
        super().__init__(f'Invalid value for "SESSION": Cannot {verb} [{session}] ({reason})')


class NoSuchDataset(ShimError):
    """No dataset of that name was pushed."""

    def __init__(self, wanted: str, known: Sequence[str]) -> None:
        close = _closest(wanted, known)
        hint = f"Did you mean {close[0]!r}?" if close else "`nsml dataset ls` lists them,"
        more = "" if close else " `nsml dataset push NAME PATH` adds one."
        super().__init__(f"There is no dataset {wanted!r}. {hint}{more}")


class BadDataset(ShimError):
    """A folder that cannot be pushed, or a dataset.toml that cannot be read."""


class CheckpointNotFound(ShimError):
    """The session never saved a checkpoint of that name."""

    def __init__(self, session: str, wanted: str, saved: Sequence[str]) -> None:
        close = _closest(wanted, saved)
        hint = f"Did you mean {close[0]!r}?" if close else f"See `nsml model ls {session}`."
        super().__init__(f"{session} has no checkpoint {wanted!r} ({len(saved)} saved). {hint}")


class NoEntry(ShimError):
    """The entry script is missing."""

    def __init__(self, entry: str, folder: str) -> None:
        super().__init__(
            f"{folder} has no entry script {entry!r}. "
            "Change to the folder that holds it, or name it with -e."
        )


class UploadTooLarge(ShimError):
    """The folder exceeds a limit on files or bytes."""

    def __init__(self, what: str, limit: str, found: str, largest: Sequence[str]) -> None:
        shown = ", ".join(largest)
        super().__init__(
            f"{what} cannot exceed {limit}; found {found}. "
            f"Add what the session does not need to .nsmlignore; the largest: {shown}."
        )


class NotEnoughMachine(ShimError):
    """More GPUs or memory asked for than this machine has."""

    def __init__(self, asked: str, has: str) -> None:
        super().__init__(
            "No machine available that meets ALL your request such as CPU, RAM, Disk, GPU or its "
            f"driver version: asked for {asked}, this machine has {has}."
        )


class EnvironmentFailed(ShimError):
    """The session environment could not be built."""


class NoSandbox(ShimError):
    """Submissions cannot be isolated on this machine."""


class RateLimitExceeded(ShimError):
    """Submitted again too early."""

    remaining: float
    """Seconds until the next submission is taken."""

    def __init__(self, remaining: float, interval: float, dataset: str) -> None:
        self.remaining = remaining
        minutes, seconds = divmod(int(remaining + 0.999), 60)
        super().__init__(
            f"Rate limit exceeded: remained time: {minutes}m{seconds:02d}s "
            f"({dataset} takes one scored submission per team every {interval / 60:g} minutes; "
            "failed ones are free; --wait queues this one)"
        )


class SubmissionFailed(ShimError):
    """The guest's code stopped before it was scored."""


class EvaluationFailed(ShimError):
    """The evaluator refused the prediction, or printed no number."""
