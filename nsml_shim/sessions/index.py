"""What a package index has for this Python, asked through uv or pip without installing anything.

Only wheels count: a version that would first have to be compiled is, for a session, not there.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence

from nsml_shim.sessions.installer import find_uv, no_index, tool_environment

PATIENCE = 60.0
"""Seconds after which an index that does not answer counts as out of reach."""

_NO_ANSWER = re.compile(
    r"failed to fetch|error sending request|connection|network|dns error|timed? ?out"
    r"|could not connect|temporary failure",
    re.IGNORECASE,
)
_AS_SOURCE = re.compile(r"no usable wheels|no wheels|building from source is disabled", re.I)


class Index:
    """The package indexes that this user and a manifest name.

    Each question is one short process, and asked once. After the first one that no index answers,
    nothing more is asked.
    """

    unreachable: str
    """Why nothing is asked any more; "" while the index answers."""

    def __init__(self, options: Sequence[str] = (), patience: float = PATIENCE) -> None:
        """Prepare to ask.

        Args:
            options: Lines in the format of requirements.txt that say where to look.
            patience: Seconds to wait for one answer.
        """
        self.unreachable = ""
        self._uv = find_uv()
        self._options = list(options)
        self._said: dict[tuple[str, ...], str] = {}
        self._patience = patience
        self._environment = tool_environment(os.environ, uv=bool(self._uv))

    def find(self, requirement: str, *, lowest: bool = False) -> str:
        """Highest (or lowest) version with a wheel for this Python that satisfies `requirement`.

        Returns:
            The version, without a local label such as `+cpu`; "" if there is none.
        """
        if self._uv:
            said = self._ask([*self._uv, *self._dry_run(lowest=lowest)], requirement)
            found = re.search(r"^ \+ \S+?==(\S+)", said, re.MULTILINE)
            return found[1].split("+")[0] if found else ""
        return self._find_with_pip(requirement, lowest=lowest)

    def has_source(self, name: str) -> bool:
        """Whether there is something under that name that would have to be built here."""
        if self._uv:
            said = self._ask([*self._uv, *self._dry_run(lowest=False)], name)
            return bool(_AS_SOURCE.search(said))
        return "Available versions:" in self._ask(self._versions(name))

    def _dry_run(self, *, lowest: bool) -> list[str]:
        words = ["pip", "install", "--dry-run", "--no-deps", "--reinstall", "--no-build"]
        words += ["--resolution", "lowest"] if lowest else []
        words += no_index(self._environment)
        return [*words, "--color", "never", "--python", sys.executable, "-r", "-"]

    def _versions(self, name: str, *words: str) -> list[str]:
        options = [word for line in self._options for word in shlex.split(line)]
        return [sys.executable, "-m", "pip", "index", "versions", name, *words, *options]

    def _find_with_pip(self, requirement: str, *, lowest: bool) -> str:
        from packaging.requirements import Requirement
        from packaging.version import Version

        wanted = Requirement(requirement)
        said = self._ask(self._versions(wanted.name, "--only-binary", ":all:"))
        listed = re.search(r"^Available versions: (.+)$", said, re.MULTILINE)
        versions = [Version(text) for text in listed[1].split(", ")] if listed else []
        fitting = sorted(wanted.specifier.filter(versions))
        return str(fitting[0 if lowest else -1].public) if fitting else ""

    def _ask(self, command: Sequence[str], requirement: str = "") -> str:
        """What the tool says; "" for what is new once no index can be reached."""
        question = (*command, requirement)
        if question not in self._said and not self.unreachable:
            self._said[question] = self._run(command, requirement)
        return self._said.get(question, "")

    def _run(self, command: Sequence[str], requirement: str) -> str:
        try:
            run = subprocess.run(
                command,
                env={"UV_HTTP_RETRIES": "0", "PIP_RETRIES": "0", **self._environment},
                input="\n".join((*self._options, requirement, "")),
                capture_output=True,
                text=True,
                timeout=self._patience,
                check=False,
            )
        except subprocess.TimeoutExpired:
            self.unreachable = f"no answer within {self._patience:.0f} s"
            return ""
        said = run.stdout + run.stderr
        if "Available versions:" not in said and run.returncode and _NO_ANSWER.search(said):
            self.unreachable = said.strip().splitlines()[0][:200]
        return said
