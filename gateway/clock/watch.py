"""Notices when the wall clock is set, and knows what the times before were worth.

On Linux the wall clock and the monotonic clock run at the same rate; they part only when somebody sets the wall clock
(clock_gettime(2)). So one number, wall less monotonic time, says all: it changes only by a step, and with it any
monotonic time of this boot becomes a wall time, also one that was taken before the clock was right.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from gateway.model import ClockState, Notice, Stamp, iso_time

if TYPE_CHECKING:
    from gateway.clock.system import Clock

_STEP_NS: Final = 100_000_000
"""A change from here on is a step. Less is told by nobody: an interrupted reading of the two clocks looks alike."""


class ClockEvent(StrEnum):
    """What happened to the wall clock."""

    SYNCED = "clock_synced"
    """It became synchronised, for the first time in this run or again."""
    STEPPED = "clock_stepped"
    """It was set, and is synchronised as little or as much as before."""
    LOST = "clock_free_running"
    """It is not synchronised any more."""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """Something happened to the wall clock."""

    event: ClockEvent
    stamp: Stamp
    """The first one after it."""
    step: int
    """How far the clock was set forward, ns; 0 where it was not."""

    def notice(self) -> Notice:
        """The record that is published; `from` is what the clock would show without the step."""
        body = {
            "event": self.event.value,
            "from": iso_time(self.stamp.time - self.step),
            "to": iso_time(self.stamp.time),
            "step_s": round(self.step / 1e9, 3),
        }
        return Notice("events", body, self.stamp)


@dataclass(frozen=True, slots=True)
class Correction:
    """Turns the times of this boot from before the first synchronisation into true ones."""

    offset: int
    """Wall less monotonic time, ns, on the synchronised clock."""
    until: int
    """When the synchronisation was first seen, monotonic, ns."""

    def corrected(self, stamp: Stamp) -> Stamp:
        """The stamp with its true time where it was taken before the synchronisation, else as it is.

        Args:
            stamp: taken in this boot; one of another boot means nothing here.
        """
        if stamp.clock is not ClockState.FREE_RUNNING or stamp.monotonic > self.until:
            return stamp
        return Stamp(stamp.monotonic + self.offset, stamp.monotonic, ClockState.CORRECTED)


class ClockWatch:
    """Looks at a clock about once a second.

    Args:
        clock: what is watched.
        runs: those of this boot; the monotonic times of others mean nothing now.
    """

    def __init__(self, clock: Clock, runs: frozenset[str]) -> None:
        self._clock = clock
        self._runs = runs
        stamp = clock.now()
        self._offset = _offset(stamp)
        self.state = stamp.clock
        """As last seen."""
        self.correction: Correction | None = None
        """None until the clock was seen synchronised in this run."""
        self._note_sync(stamp)

    def look(self) -> ClockChange | None:
        """What happened since the last look, if anything did."""
        stamp = self._clock.now()
        step = _offset(stamp) - self._offset
        if abs(step) >= _STEP_NS:
            stamp = self._clock.now()  # a second reading: only one of two can have been interrupted
            step = _offset(stamp) - self._offset
        if abs(step) < _STEP_NS:
            step = 0
        event = self._event(stamp, step)
        self._offset += step
        self.state = stamp.clock
        self._note_sync(stamp)
        return None if event is None else ClockChange(event, stamp, step)

    def restamped(self, run: str, stamp: Stamp) -> Stamp:
        """The stamp with the truest time that is known by now; the same object where that is its own.

        Args:
            run: the one that took the stamp.
            stamp: of any age.
        """
        if self.correction is None or run not in self._runs:
            return stamp
        return self.correction.corrected(stamp)

    def wall(self, monotonic: int) -> int:
        """The wall time of an instant of this boot, UTC in ns, on the clock as it was at the last look."""
        return monotonic + self._offset

    def _event(self, stamp: Stamp, step: int) -> ClockEvent | None:
        if stamp.clock is not self.state:
            return ClockEvent.SYNCED if stamp.clock is ClockState.SYNCED else ClockEvent.LOST
        return ClockEvent.STEPPED if step else None

    def _note_sync(self, stamp: Stamp) -> None:
        if self.correction is None and stamp.clock is ClockState.SYNCED:
            self.correction = Correction(_offset(stamp), stamp.monotonic)


def _offset(stamp: Stamp) -> int:
    return stamp.time - stamp.monotonic
