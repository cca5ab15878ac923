"""Answer `nsml exec`: evaluate code in the scope that the guest published last.

Questions and answers are files in the session folder, so that nothing listens on a port and a
sandbox needs no hole. A thread answers while the script works; while it is paused its main thread
does, because graphs, gradient modes and database connections of many libraries belong to a thread.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nsml_shim.client.session import Session, say
from nsml_shim.protocol import ANSWER, REQUEST, Answer, write_atomic

POLL_SECONDS = 0.2
LAST_ANSWER_SECONDS = 1.0
"""How long a script that ends waits for an answer that is being written."""
FILE = "<nsml exec>"
"""What tracebacks call the code."""


class _Console:
    """Who answers, and in which scope."""

    def __init__(self) -> None:
        self.scope: Mapping[str, Any] = {}
        self.pid = 0
        """Process whose thread answers; a forked child has none."""
        self.main_answers = False
        self.warned: Any = None


_console = _Console()


def publish(session: Session, scope: Any) -> None:
    """Make `scope` the one in which `nsml exec` evaluates; None keeps the old one.

    Only rank 0 answers, and no submission does: its scope holds the hidden test data.
    """
    if scope is None or session.rank != 0 or session.is_submission:
        return
    if not isinstance(scope, Mapping):
        _warn(f"scope= is a {type(scope).__name__}, so `nsml exec` cannot use it; pass locals()")
        return
    _console.scope = scope
    if _console.pid != os.getpid():
        _console.pid = os.getpid()
        _open(session)


def serve(session: Session, *, until: Callable[[], bool], done: Callable[[], None]) -> None:
    """Answer in this thread, until told to stop.

    Args:
        session: Whose folder holds the questions.
        until: Whether to stop.
        done: The function `done` of the evaluated code.
    """
    session.folder.exec.mkdir(exist_ok=True)
    _console.main_answers = True
    try:
        while not until():
            _answer_all(session.folder.exec, {"done": done})
            time.sleep(POLL_SECONDS)
    finally:
        _console.main_answers = False


def _open(session: Session) -> None:
    import atexit
    import threading

    answering = threading.Lock()

    def answer() -> None:
        while True:
            time.sleep(POLL_SECONDS)
            with answering:
                if not _console.main_answers:
                    _answer_all(session.folder.exec, {})

    def finish() -> None:
        """Let the answer to "stop" be written, though the script ends because of the question."""
        answering.acquire(timeout=LAST_ANSWER_SECONDS)

    try:
        session.folder.exec.mkdir(exist_ok=True)
    except OSError as error:
        _warn(f"`nsml exec` will get no answers: {error.strerror}")
        return
    atexit.register(finish)
    threading.Thread(target=answer, name="nsml exec", daemon=True).start()


def _answer_all(folder: Path, names: Mapping[str, Any]) -> None:
    """Answer every question that waits; trouble with the files is told once."""
    try:
        asked = sorted(name for name in os.listdir(folder) if name.endswith(REQUEST))
        for name in asked:
            claimed = folder / f"{name}.{os.getpid()}"
            # Spawned workers of a guest may listen too: whoever renames it answers.
            os.rename(folder / name, claimed)
            code = json.loads(claimed.read_text(encoding="utf-8"))["code"]
            answer = evaluate(code, _console.scope, names)
            write_atomic(
                folder / f"{name.removesuffix(REQUEST)}{ANSWER}", answer.to_json().encode()
            )
            claimed.unlink()
    except FileNotFoundError:
        return  # somebody else answers, or the asker has given up
    except (OSError, ValueError, KeyError) as error:
        _warn(f"`nsml exec` got no answer: {error}")


def evaluate(code: str, scope: Mapping[str, Any], names: Mapping[str, Any]) -> Answer:
    """Evaluate an expression, or run statements, as if they stood where the scope was published.

    Args:
        code: Python; the value of a last expression is the result.
        scope: The guest's names. What statements assign is stored there.
        names: Further names, which come before the guest's.
    """
    main = vars(sys.modules["__main__"])
    before = {**main, "nsml": sys.modules.get("nsml"), "done": _nothing_waits, **scope, **names}
    space = dict(before)
    with _Capture() as capture:
        try:
            value = _run(code, space)
            result, error = "" if value is None else repr(value), ""
        except (Exception, SystemExit) as mistake:
            result, error = "", _told(mistake)
    if isinstance(scope, dict):
        changed = {key: new for key, new in space.items() if before.get(key, space) is not new}
        changed.pop("__builtins__", None)
        scope.update(changed)
    return Answer("".join(capture.written), result, error)


def _run(code: str, space: dict[str, Any]) -> Any:
    import ast

    tree = ast.parse(code.strip(), FILE)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, FILE, "exec"), space)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), FILE, "eval"), space)


def _told(mistake: BaseException) -> str:
    """The traceback, beginning where the guest's code does."""
    import traceback

    trace = mistake.__traceback__
    while trace and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    if isinstance(mistake, SyntaxError) and mistake.filename == FILE:
        trace = None
    return "".join(traceback.format_exception(type(mistake), mistake, trace))


class _Capture:
    """Standard output of one thread; the others go on writing to the session's log."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self._thread = 0
        self._stream: Any = None

    def __enter__(self) -> _Capture:
        import threading

        self._thread = threading.get_ident()
        self._stream, sys.stdout = sys.stdout, self  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever took hold of this object meanwhile, such as a progress bar, writes to the log.
        self._thread = 0
        if sys.stdout is self:
            sys.stdout = self._stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Keep the text if it comes from the thread that evaluates."""
        import threading

        if threading.get_ident() != self._thread:
            return self._stream.write(text)
        self.written.append(text)
        return len(text)


def _nothing_waits() -> None:
    print("Nothing is paused, so done() changes nothing.")


def _warn(text: str) -> None:
    if text != _console.warned:
        say(f"NSML Warning) {text}.")
        _console.warned = text
