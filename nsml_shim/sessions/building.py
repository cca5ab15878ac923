"""Fill an environment with what a manifest wishes for, or with as much of it as can be had."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from nsml_shim.errors import EnvironmentFailed
from nsml_shim.sessions.installer import install
from nsml_shim.sessions.substitution import Wish

Echo = Callable[[str], None]


def build(
    wishes: Sequence[Wish],
    *,
    options: Sequence[str],
    folder: Path,
    echo: Echo,
    time_limit: float,
) -> None:
    """Make the environment in `folder`: all wishes at once, else the certain ones, else one by one.

    A wish that cannot be fulfilled in any of its forms is left out; the environment itself tells
    afterwards.

    Args:
        wishes: What to install.
        options: Lines in the format of requirements.txt that say where to look.
        folder: Where the environment is made.
        echo: Receives what the tools say, line by line.
        time_limit: Seconds for everything together.

    Raises:
        EnvironmentFailed: If not even an empty environment can be made, or time runs out.
    """
    end = time.monotonic() + time_limit

    def put(requirements: Sequence[str]) -> bool:
        left = end - time.monotonic()
        if left <= 0:
            raise EnvironmentFailed(
                f"The session environment was not ready within {time_limit:.0f} s. "
                "Shorten setup.py or requirements.txt, or pass --no-build to use this interpreter."
            )
        try:
            install(requirements, options=options, folder=folder, echo=echo, time_limit=left)
        except EnvironmentFailed as error:
            echo(str(error).splitlines()[0])
            return False
        return True

    possible = [wish for wish in wishes if wish.attempts]
    if put([wish.attempts[0] for wish in possible]):
        return
    certain = [wish for wish in possible if wish.certain]
    doubtful = [wish for wish in possible if not wish.certain]
    if not doubtful or not put([wish.attempts[0] for wish in certain]):
        for wish in certain:
            any(put([attempt]) for attempt in wish.attempts)
    for wish in doubtful:
        any(put([attempt]) for attempt in wish.attempts)
