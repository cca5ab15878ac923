"""Isolation of guest code: bubblewrap where it works, else Landlock, else a refusal.

Whether one works is found out by running something in it, once per process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from nsml_shim.errors import NoSandbox
from nsml_shim.sessions import bubblewrap, landlock
from nsml_shim.sessions.mounts import (
    HARDWARE,
    NETWORK_SETTINGS,
    SETTINGS,
    SYSTEM,
    Mount,
    View,
    accelerators,
    interpreter_roots,
    private_environment,
)

__all__ = ["Mount", "Sandbox", "find_overlay", "find_sandbox", "why_unusable"]

ENV_CHOICE = "NSML_SANDBOX"
"""Forces one sandbox by name."""
TRIAL_TIME = 30.0
"""Seconds after which a trial run counts as failed."""

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")

Wrapper = Callable[[Sequence[str], View, Mapping[str, str]], tuple[list[str], dict[str, str]]]


@dataclass(frozen=True)
class Sandbox:
    """A way to run a command behind walls."""

    name: str
    """`bubblewrap`, `landlock` or `none`."""
    remaps: bool
    """Whether mounts appear at their target; if not, the process sees the host's own paths."""
    wrapper: Wrapper

    def wrap(
        self,
        argv: Sequence[str],
        *,
        mounts: Sequence[Mount],
        workdir: str,
        network: bool,
        env: Mapping[str, str],
        hidden: Sequence[Path] = (),
    ) -> tuple[list[str], dict[str, str]]:
        """Command line and variables that run `argv` isolated.

        The process dies with the *thread* that starts it, so that must be one that stays.

        Args:
            argv: Command; its first word is a Python, whose own folders become visible.
            mounts: What it may see besides the operating system and its interpreter.
            workdir: Working directory, as the process sees it.
            network: Whether it may reach anything but its own loopback.
            env: Its variables; `HOME` and `TMPDIR` are replaced by a private place.
            hidden: Folders, such as the platform's home, to cover wherever they lie.

        Raises:
            NoSandbox: If this sandbox cannot give that view.
        """
        return self.wrapper(argv, View(mounts, workdir, network, hidden), env)


def find_sandbox(choice: str | None = None, *, allow_unsandboxed: bool = False) -> Sandbox:
    """The best sandbox that works here.

    Args:
        choice: `bubblewrap` or `landlock` to take no other; default: the variable NSML_SANDBOX.
        allow_unsandboxed: The dataset's owner said `allow_unsandboxed = true`.

    Raises:
        NoSandbox: If none works and running without one is not allowed.
    """
    choice = choice or os.environ.get(ENV_CHOICE) or None
    if choice is not None and choice not in _SANDBOXES:
        raise NoSandbox(
            f"There is no sandbox {choice!r}; {ENV_CHOICE} may be {' or '.join(_SANDBOXES)}."
        )
    candidates = [choice] if choice else list(_SANDBOXES)
    troubles = {name: why_unusable(name) for name in candidates}
    for name, trouble in troubles.items():
        if not trouble:
            return _SANDBOXES[name]
    if allow_unsandboxed and choice is None:
        return Sandbox("none", remaps=False, wrapper=_bare)
    reasons = " ".join(f"{name}: {trouble}" for name, trouble in troubles.items())
    raise NoSandbox(
        f"Submissions cannot be isolated on this machine. {reasons} "
        "Install bubblewrap (apt-get install bubblewrap), or let the dataset's owner accept "
        "the risk with `allow_unsandboxed = true` in dataset.toml."
    )


def find_overlay() -> Wrapper | None:
    """A way to add mounts to this machine's own file system, or None where there is none."""
    choice = os.environ.get(ENV_CHOICE) or "bubblewrap"
    if choice != "bubblewrap" or why_unusable("bubblewrap"):
        return None
    return lambda argv, view, env: (bubblewrap.overlay(argv, view, env), dict(env))


@lru_cache
def why_unusable(name: str) -> str:
    """What keeps a sandbox from working here; "" if it works. Tried once per process."""
    try:
        command, env = _SANDBOXES[name].wrap(
            [sys.executable, "-S", "-c", ""], mounts=(), workdir="/", network=False, env=os.environ
        )
        run = subprocess.run(
            command, env=env, capture_output=True, text=True, timeout=TRIAL_TIME, check=False
        )
    except (NoSandbox, OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = (run.stderr.strip().splitlines() or [f"status {run.returncode}"])[-1]
    return said if run.returncode else ""


def _behind_landlock(
    argv: Sequence[str], view: View, env: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    roots = interpreter_roots(argv[0], env)
    _refuse_hidden(view, roots)
    readable = [*SYSTEM, *SETTINGS, *HARDWARE, "/proc", *map(str, roots)]
    readable += NETWORK_SETTINGS if view.network else ()
    readable += [str(mount.source) for mount in view.mounts if not mount.writable]
    rules = landlock.Rules(
        readable=tuple(readable),
        writable=tuple(str(mount.source) for mount in view.mounts if mount.writable),
        devices=(*_DEVICES, "/dev/shm", "/dev/pts", *accelerators()),
        network=view.network,
        workdir=view.workdir,
    )
    # -I and -S: the launcher obeys neither variables nor site files, it comes before the walls.
    launcher = [sys.executable, "-I", "-S", landlock.__file__, rules.to_json(), *argv]
    return launcher, private_environment(env, landlock.SCRATCH)


def _refuse_hidden(view: View, roots: Sequence[Path]) -> None:
    for hidden in view.hidden:
        for root in (*roots, *map(Path, SYSTEM)):
            if hidden.resolve().is_relative_to(root.resolve()):
                raise NoSandbox(
                    f"Landlock cannot hide {hidden} inside {root}, which the interpreter needs. "
                    "Set NSML_HOME to a folder outside, or install bubblewrap."
                )


def _bare(
    argv: Sequence[str], view: View, env: Mapping[str, str]
) -> tuple[list[str], dict[str, str]]:
    return ["/bin/sh", "-c", 'cd "$0" && exec "$@"', view.workdir, *argv], dict(env)


_SANDBOXES = {
    "bubblewrap": Sandbox("bubblewrap", remaps=True, wrapper=bubblewrap.wrap),
    "landlock": Sandbox("landlock", remaps=False, wrapper=_behind_landlock),
}
