"""What went away and came back: each outage is told once it is over, as an event of the gateway.

The event says what was away, from when to when, why, and what that cost: how many batches were kept all the same and
how many were dropped. Which batches those were, device by device, stands in the gap records.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.model import Notice, iso_time

if TYPE_CHECKING:
    from collections.abc import Collection

    from gateway.clock import Clock
    from gateway.model import Gap, Stamp

ALL_DEVICES: Final = "*"
"""Stands for the device where an outage is not that of one alone."""

_UNCLEAN: Final = {
    "power": "the machine stopped without an orderly end: look at its power supply",
    "crash": "the gateway ended without an orderly end: it was killed, or crashed",
}


class Cause(StrEnum):
    """What was away."""

    DEVICE = "device"
    BROKER = "broker"
    DISK = "disk"
    CLOCK = "clock"


class Tally(NamedTuple):
    """Batches since the start."""

    put: int
    dropped: int


class Outage(NamedTuple):
    """An outage that is over."""

    cause: str
    device: str
    start: int
    """UTC in ns."""
    end: int
    """UTC in ns."""
    kept: int
    """Batches put meanwhile that were delivered or wait."""
    dropped: int | None
    """Batches that were lost meanwhile; None where nobody can know."""
    why: str
    """For a technician."""

    def notice(self, stamp: Stamp) -> Notice:
        """The record that is published."""
        body: dict[str, str | int | None] = {
            "event": "outage",
            "cause": self.cause,
            "device": self.device,
            "from": iso_time(self.start),
            "to": iso_time(self.end),
            "kept": self.kept,
            "dropped": self.dropped,
            "why": self.why,
        }
        return Notice("events", body, stamp)


class _Begun(NamedTuple):
    at: Stamp
    why: str
    before: Tally


class Outages:
    """The outages that are going on, one for each cause and device."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[tuple[Cause, str], _Begun] = {}

    def __contains__(self, key: tuple[Cause, str]) -> bool:
        return key in self._open

    def forget_devices_but(self, devices: Collection[str]) -> None:
        """Say no more of devices that are not among these."""
        self._open = {(cause, name): one for (cause, name), one in self._open.items() if name in devices}

    def begin(self, cause: Cause, device: str, why: str, tally: Tally) -> None:
        """Something is away from now on; nothing happens where that is known."""
        if (cause, device) not in self._open:
            self._open[cause, device] = _Begun(self._clock.now(), why, tally)

    def explain(self, cause: Cause, device: str, why: str) -> None:
        """Say more of why something is away; nothing happens where it is not."""
        outage = self._open.get((cause, device))
        if outage is not None:
            self._open[cause, device] = outage._replace(why=why)

    def end(self, cause: Cause, device: str, tally: Tally, *, shortest_s: float = 0.0) -> Notice | None:
        """It is back. Returns what is to be told; None where it was not away, or shorter than `shortest_s`."""
        outage = self._open.pop((cause, device), None)
        if outage is None:
            return None
        now = self._clock.now()
        lasted = now.monotonic - outage.at.monotonic
        if lasted < shortest_s * 1e9:
            return None
        dropped = tally.dropped - outage.before.dropped
        kept = max(tally.put - outage.before.put - dropped, 0)
        # Reckoned from its end, since the wall clock may have been set meanwhile.
        return Outage(cause, device, now.time - lasted, now.time, kept, dropped, outage.why).notice(now)


def unclean_end(gap: Gap, kept: int, now: Stamp) -> Notice:
    """What is told of a run that ended without closing its files.

    Args:
        gap: what is known of its loss.
        kept: how many batches it left on disk.
        now: when this run began.
    """
    return Outage(gap.reason, gap.device, gap.start, gap.end, kept, None, _UNCLEAN[gap.reason]).notice(now)
