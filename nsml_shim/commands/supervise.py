"""The parent of one session, from the wait for its GPUs until its last row in the store.

Runs detached, as `python -m nsml_shim.commands.supervise OWNER/DATASET/NUMBER`.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from nsml_shim import protocol, settings
from nsml_shim.commands import diagnosis, outbox, process, reports, score
from nsml_shim.commands.platform import Platform
from nsml_shim.commands.queue import wait_for_slots
from nsml_shim.errors import ShimError
from nsml_shim.names import SessionName
from nsml_shim.protocol import SessionFolder, write_atomic
from nsml_shim.sessions import leases, processes, snapshot
from nsml_shim.store.sessions import SessionRow

POLL_SECONDS = 0.2
MEMORY_SECONDS = 1.0
"""Between two measurements of what a session's processes use."""
SETTLE_SECONDS = 0.6
"""Between two flushes of reports: with the wait for the next look they are safe in a second."""
GRACE_SECONDS = 10.0
"""Between the polite signal and the other one."""
PR_SET_PDEATHSIG = 1
SIGNAL_BASE = 128
"""What a shell adds to the number of the signal that killed its child."""
LAST_LINE = "User session exited"


@dataclass
class Watch:
    """What the supervisor has copied from the session folder so far."""

    checkpoints: dict[str, float] = field(default_factory=dict[str, float])
    """When each checkpoint was saved."""
    checkpoints_changed: int = 0
    """When the folder of checkpoints was last changed, nanoseconds."""
    reports: reports.Bookmark = field(default_factory=reports.Bookmark)
    reports_settled: int = 0
    """Bytes of reports that no power cut can take back."""
    reports_due: float = 0.0
    """When the disk is to be asked for more; monotonic seconds, inf once it has refused."""
    memory_due: float = 0.0
    """When the processes' memory is to be measured again; monotonic seconds."""


def supervise(platform: Platform, name: SessionName) -> None:
    """Lease slots, start the session, watch it, record its end."""
    row = platform.sessions.find(name)
    if row is None:
        raise ShimError(f"{name} is not in the store.")
    folder = platform.folder(row)
    lock = leases.hold(folder.lock)
    if lock is None:
        raise ShimError(f"{name} has a supervisor already.")
    with lock:
        processes.become_subreaper()
        try:
            code, cause = _live(platform, row, folder)
        except ShimError as error:
            code, cause = None, str(error)
        except BaseException as error:
            _finish(platform, row, folder, None, f"the platform failed: {error!r}")
            raise
        _finish(platform, row, folder, code, cause)


def _live(platform: Platform, row: SessionRow, folder: SessionFolder) -> tuple[int | None, str]:
    """The session's whole life; returns its exit code and the cause of its end in words."""
    granted = wait_for_slots(platform, row, folder)
    if granted is None:
        return None, _stop_cause(folder)
    try:
        snapshot.materialise(folder.code, folder.work)
        submits = row.kind in (protocol.SUBMIT, protocol.TRIAL)
        if submits:
            outbox.prepare(folder)
        prepare = process.submission if submits else process.training
        start = prepare(platform, row, granted.names)
        platform.sessions.set_running(row, now=platform.clock())
        code, cause = _run(platform, row, folder, start, granted.names)
        if submits:
            cause = score.conclude(platform, row, code, cause)
        return code, cause
    finally:
        granted.release()


def _run(
    platform: Platform,
    row: SessionRow,
    folder: SessionFolder,
    start: process.Start,
    slots: Sequence[str],
) -> tuple[int, str]:
    """Start the process and watch it to its end."""
    with open(folder.log, "ab") as log:
        log.write(start.warning.encode())
        log.flush()
        child = subprocess.Popen(
            start.argv,
            cwd=start.cwd,
            env=dict(start.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # A supervisor that is killed takes its session along: nobody would hold its GPUs.
            preexec_fn=_die_with_parent,
        )
    platform.sessions.set_process(row, pid=child.pid, slots=slots)
    if row.cpus:
        _pin(child.pid, row.cpus)
    deadline = _deadline(platform, row)
    watch, cause = Watch(), ""
    while True:
        try:
            code = child.wait(timeout=POLL_SECONDS)
            break
        except subprocess.TimeoutExpired:
            pass
        copy_records(platform, row, folder, watch)
        cause = cause or _reason_to_end(row, folder, child.pid, watch) or deadline.exceeded(folder)
        if cause:
            platform.sessions.set_stopping(row)
            processes.kill_tree(child.pid, GRACE_SECONDS, orphans_of=os.getpid())
    if code > SIGNAL_BASE and start.argv[0] != row.interpreter:
        code = SIGNAL_BASE - code  # bubblewrap passes a signal on as shells do
    # Whatever the guest left running ends with it: nothing may hold a GPU without a lease.
    processes.kill_tree(child.pid, 1.0, orphans_of=os.getpid())
    # Two saves within one tick of the clock leave one time behind; the last look goes by none.
    watch.checkpoints_changed = 0
    copy_records(platform, row, folder, watch)
    return code, cause or _cause(row, folder, code)


def _cause(row: SessionRow, folder: SessionFolder, code: int) -> str:
    """How the session ended by itself, and what to change if the platform's arguments did it."""
    advice = ""
    if code > 0 and row.kind != protocol.RUN:  # a run gets no arguments but the user's own
        advice = diagnosis.undeclared(folder.log, row.entry)
    return f"{describe(code)}: {advice}" if advice else describe(code)


def _die_with_parent() -> None:
    """Between fork and exec: have the kernel kill this process when its supervisor dies."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass
class Deadline:
    """How long a submission may still take: time to start and load, then its dataset's limit."""

    limit: float
    """Seconds for the stage it is in; inf for a training session."""
    infer_limit: float = float("inf")
    since: float = field(default_factory=time.monotonic)
    infers: bool = False

    def exceeded(self, folder: SessionFolder) -> str:
        """Why the session has to end now; "" if it may go on."""
        if not self.infers and self.infer_limit < float("inf"):
            self.infers = any('"infer"' in line for line in outbox.events(folder))
            if self.infers:
                self.limit, self.since = self.infer_limit, time.monotonic()
        late = time.monotonic() - self.since > self.limit
        return f"{score.NO_RESPONSE} within {self.limit:g} seconds" if late else ""


def _deadline(platform: Platform, row: SessionRow) -> Deadline:
    if row.kind not in (protocol.SUBMIT, protocol.TRIAL):
        return Deadline(float("inf"))
    settings = platform.find_dataset(row.dataset).settings
    return Deadline(score.LOAD_SECONDS, settings.time_limit)


def _pin(pid: int, cpus: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(pid, usable[:cpus])


def _reason_to_end(row: SessionRow, folder: SessionFolder, pid: int, watch: Watch) -> str:
    """Why the session has to end now; "" if it may go on."""
    if folder.stop.exists():
        return _stop_cause(folder)
    # Adding up a process tree reads all of /proc, which is no work for five times a second.
    if row.memory and time.monotonic() >= watch.memory_due:
        watch.memory_due = time.monotonic() + MEMORY_SECONDS
        used = processes.resident_bytes([pid, *processes.descendants(pid)])
        if used > row.memory:
            return (
                f"out of memory: it used {used / 2**30:.2f} GiB, its limit is "
                f"{row.memory / 2**30:.2f} GiB; give it more with --memory"
            )
    return ""


def _stop_cause(folder: SessionFolder) -> str:
    return f"stopped by {folder.stop.read_text(encoding='utf-8').strip()}"


def describe(code: int) -> str:
    """An exit code in words."""
    if code == 0:
        return "finished"
    if code > 0:
        return f"exited with code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"


def copy_records(platform: Platform, row: SessionRow, folder: SessionFolder, watch: Watch) -> None:
    """Copy new checkpoints and the newest summary from the session folder into the store."""
    # Every save renames a record into the folder, so an old time says that there is nothing new.
    changed = folder.checkpoints.stat().st_mtime_ns if folder.checkpoints.exists() else 0
    if changed != watch.checkpoints_changed:
        watch.checkpoints_changed = changed
        new = [
            record
            for record in folder.checkpoint_records()
            if watch.checkpoints.get(record.name) != record.saved_at
        ]
        if new:
            platform.checkpoints.put(row.id, new)
            watch.checkpoints |= {record.name: record.saved_at for record in new}
    size = folder.reports.stat().st_size if folder.reports.exists() else 0
    if size != watch.reports.offset:
        summary = reports.newest_summary(folder.reports, watch.reports)
        if summary is not None:
            platform.sessions.set_summary(row, summary)
    if size != watch.reports_settled and time.monotonic() >= watch.reports_due:
        watch.reports_due = time.monotonic() + SETTLE_SECONDS
        watch.reports_settled = size
        _settle(folder, watch)


def _settle(folder: SessionFolder, watch: Watch) -> None:
    """Have the disk hold what was reported; for a session to do that itself would slow it down."""
    try:
        descriptor = os.open(folder.reports, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        watch.reports_due = float("inf")
        print(f"reports are not flushed any more: {error}", file=sys.stderr)


def _finish(
    platform: Platform, row: SessionRow, folder: SessionFolder, code: int | None, cause: str
) -> None:
    """The end, in the order in which others look: log, exit file, store."""
    with open(folder.log, "a", encoding="utf-8") as log:
        # The script has said itself why it exited; of its killing it knows nothing.
        log.write(f"{LAST_LINE}\n" if code is not None and code >= 0 else f"{cause}\n{LAST_LINE}\n")
    for record in folder.checkpoint_records():
        snapshot.adopt(folder.checkpoints / record.folder, platform.settings.blobs)
    now = platform.clock()
    write_atomic(folder.exit, json.dumps({"code": code, "cause": cause, "ended_at": now}).encode())
    platform.sessions.set_exited(row, cause=cause, exit_code=code, now=now)
    submission = platform.submissions.of_session(row.id)
    if submission:  # a no-op if it has its score
        platform.submissions.fail(submission, error=cause, now=now)


def main() -> None:
    """Entry of the detached process."""
    # A terminal that closes, or a Ctrl-C in it, must not end the session.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    supervise(Platform(settings.load()), SessionName.parse(sys.argv[1]))


if __name__ == "__main__":
    main()
