"""Wait for GPUs, in the order of submission."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from nsml_shim.commands.platform import Platform
from nsml_shim.protocol import SessionFolder
from nsml_shim.sessions import leases
from nsml_shim.sessions.leases import Slots
from nsml_shim.sessions.machine import machine_slots
from nsml_shim.store.sessions import RUNNING, SessionRow

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Granted:
    """Slots of the machine that a session holds, together with its share of the owner's quota."""

    names: tuple[str, ...]
    """For GPUs the values of CUDA_VISIBLE_DEVICES."""
    held: ExitStack

    def release(self) -> None:
        """Give everything back; the kernel does so too when the holder dies."""
        self.held.close()


def wait_for_slots(platform: Platform, row: SessionRow, folder: SessionFolder) -> Granted | None:
    """Wait until the session may use its GPUs (or CPU workers); None if it was stopped before."""
    config = platform.settings
    pools = [Slots(config.leases / "machine", machine_slots().names)]
    if config.quota:
        # First the quota: who waits for it must not keep GPUs idle meanwhile.
        shares = [str(number) for number in range(config.quota)]
        pools.insert(0, Slots(config.leases / f"quota of {row.owner}", shares))
    with ExitStack() as held:
        names: tuple[str, ...] = ()
        for pool in pools:
            lease = pool.acquire(
                row.gpus,
                may_i_go=lambda: not _somebody_is_before(platform, row),
                poll=POLL_SECONDS,
                cancelled=folder.stop.exists,
            )
            if lease is None:
                return None
            held.enter_context(lease)
            names = lease.names
        return Granted(names, held.pop_all())
    return None


def _somebody_is_before(platform: Platform, row: SessionRow) -> bool:
    """Whether a living session that came earlier could start as soon as slots are free."""
    for other in platform.sessions.waiting_before(row):
        if _quota_is_used_up(platform, other) and other.owner != row.owner:
            continue
        if leases.is_held(platform.folder(other).lock):
            return True
    return False


def _quota_is_used_up(platform: Platform, row: SessionRow) -> bool:
    if not platform.settings.quota:
        return False
    running = platform.sessions.newest_first(owner=row.owner, ended=False)
    used = sum(other.gpus for other in running if other.status == RUNNING)
    return used + row.gpus > platform.settings.quota
