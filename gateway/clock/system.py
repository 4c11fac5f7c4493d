"""The clocks of this machine."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from gateway.clock.synchronisation import Synchronisation
from gateway.model import ClockState, Stamp

if TYPE_CHECKING:
    from collections.abc import Callable

_SYNC_CHECK_INTERVAL_NS: Final = 1_000_000_000


class Clock(Protocol):
    """Where times come from. `gateway.testing.ManualClock` is the one that tests set by hand."""

    def now(self) -> Stamp:
        """This instant on both clocks."""
        ...

    def monotonic_s(self) -> float:
        """The monotonic clock in seconds, for periods and ages."""
        ...


class SystemClock:
    """The clocks of this machine. The synchronisation is looked up at most once a second.

    Args:
        is_synchronised: whether the wall clock is right.
    """

    def __init__(self, is_synchronised: Callable[[], bool] | None = None) -> None:
        self._is_synchronised = is_synchronised or Synchronisation()
        self._state = ClockState.FREE_RUNNING
        self._next_check = 0

    def now(self) -> Stamp:
        """This instant on both clocks."""
        monotonic = time.monotonic_ns()
        if monotonic >= self._next_check:
            self._next_check = monotonic + _SYNC_CHECK_INTERVAL_NS
            self._state = ClockState.SYNCED if self._is_synchronised() else ClockState.FREE_RUNNING
        return Stamp(time.time_ns(), monotonic, self._state)

    def monotonic_s(self) -> float:
        """The monotonic clock in seconds, for periods and ages."""
        return time.monotonic()


def boot_id(path: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """The kernel's id of this boot; empty where the kernel tells none."""
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return ""
