"""The main walk, typed for you: dataset, run, logs, checkpoints, submit, board (`make demo`).

Standard library only. Everything happens through the commands it shows, in the user's own platform
home ($NSML_HOME, default ~/.nsml), so all of it can be looked at, and repeated, afterwards.
"""

from __future__ import annotations

import codecs
import os
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

DATASET = "review_img"
DATA = Path("datasets") / DATASET / "demo"
"""Where the generated dataset lies, relative to the checkout."""
KEYSTROKE = 0.02
"""Seconds between two typed characters on a terminal."""
SILENCE = 4.0
"""Seconds without a word after which the demo says that all is well."""
STARTED = re.compile(r"^Session (\S+) is started", re.MULTILINE)

CLOSING = """
That was the whole walk. What next?
  nsml ps -a                           your sessions
  nsml run -d {dataset} -g 2 -a "--recipe smoke --set epochs=20"
                                       another session, with options for main.py
  nsml fork -c last {session}          go on from a checkpoint
  nsml dataset board {dataset}         the board again
  make test                            all checks of the project
(Commands live in .venv/bin: source .venv/bin/activate)
"""


class CommandFailed(Exception):
    """A shown command ended with another exit code than 0."""

    def __init__(self, command: Sequence[str], code: int) -> None:
        super().__init__(
            f"`{shlex.join(command)}` ended with exit code {code}; the demo stops here."
        )
        self.code = code


def main() -> int:
    """Walk from nothing to a row on the board.

    Returns:
        0, or the exit code of the command that failed.
    """
    os.chdir(Path(__file__).resolve().parents[1])
    try:
        session = walk()
    except CommandFailed as failure:
        print(f"\n{failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        print("\nInterrupted. A session that was started goes on: see `nsml ps`.", file=sys.stderr)
        return 130
    print(CLOSING.format(dataset=DATASET, session=session), end="")
    return 0


def walk() -> str:
    """Type and run every command of the walk.

    Returns:
        The name of the session that was run and submitted.

    Raises:
        CommandFailed: If one of them fails.
    """
    say("First the data: a generated stand-in for the review pictures of the competition.")
    if not (DATA / "dataset.toml").is_file():
        run(["python", "datasets/review_img/generate.py", str(DATA), "--scale", "demo"])
    run(["nsml", "dataset", "push", DATASET, str(DATA)])
    say("Train, in a session of its own with two workers.")
    started = STARTED.search(run(["nsml", "run", "-d", DATASET, "-g", "2"], keep=True))
    if started is None:
        raise SystemExit("`nsml run` named no session: the line `Session … is started` is missing.")
    session = started.group(1)
    run(["nsml", "logs", "-f", session])
    run(["nsml", "model", "ls", session])
    say("Submit: the checkpoint meets the hidden test labels.")
    run(["nsml", "submit", session, "best"])
    run(["nsml", "dataset", "board", DATASET])
    return session


def say(text: str) -> None:
    """Print a remark between two commands."""
    print(f"\n# {text}", flush=True)


def run(command: Sequence[str], *, keep: bool = False) -> str:
    """Type a command, then run it for everybody to see.

    Args:
        command: The words of the command.
        keep: Whether its standard output is needed.

    Returns:
        Its standard output if `keep`, else "".

    Raises:
        CommandFailed: If its exit code is not 0.
    """
    type_out(f"$ {shlex.join(command)}")
    # `python` draws its own progress bar, which needs the terminal; `nsml` prints whole lines.
    piped = command[0] == "nsml"
    process = subprocess.Popen(command, stdout=subprocess.PIPE if piped else None)
    output = pass_on(process) if piped else ""
    if process.wait():
        raise CommandFailed(command, process.returncode)
    return output if keep else ""


def type_out(line: str) -> None:
    """Print a line as if it were typed; at once where nobody watches."""
    for character in line if sys.stdout.isatty() else [line]:
        print(character, end="", flush=True)
        time.sleep(KEYSTROKE if sys.stdout.isatty() else 0)
    print(flush=True)


def pass_on(process: subprocess.Popen[bytes]) -> str:
    """Show a process's standard output as it comes, and return all of it.

    Starting PyTorch in two workers takes a while in which a session has nothing to say: then a
    line tells that it is still at work.
    """
    decoder, shown = codecs.getincrementaldecoder("utf-8")(errors="replace"), ""
    assert process.stdout is not None
    with process.stdout:
        spoke = time.monotonic()
        while True:
            if not select.select([process.stdout], [], [], SILENCE)[0]:
                print(f"  ... {time.monotonic() - spoke:.0f} s, still at work", flush=True)
                continue
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                break
            spoke = time.monotonic()
            text = decoder.decode(chunk)
            print(text, end="", flush=True)
            shown += text
    return shown


if __name__ == "__main__":
    sys.exit(main())
