"""What is worth sending: deadbands and swinging doors by tag, and a snapshot of the whole device at each heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import ABSENT, Batch, Held, Level, Quality
from gateway.processing.deadband import Deadbands
from gateway.processing.swinging_door import SwingingDoors
from gateway.processing.times import times_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.model import Cell, Plan, Stamp

_NS = 1_000_000_000
_GRACE_S = 2.0


class Reporter:
    """Remembers what was last seen and last sent of each tag of one device."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._all: Sequence[int] = range(len(plan.tags))
        self._deadbands = Deadbands(plan)
        self._doors = SwingingDoors(plan)
        self._seen_values: list[Cell] = [ABSENT] * len(plan.tags)
        self._seen_quality: list[Quality] = [Quality.GOOD] * len(plan.tags)
        self._are_lent = False
        # Where they are, the two belong to the last batch, which is on its way, and are copied before a change.
        self._seen_monotonic: list[int] = [0] * len(plan.tags)
        # Not on the wall clock: what is held takes its time from the clock as it is when it is told.
        self._stale_after_ns = {p: round(t.stale_after_s * _NS) for p, t in enumerate(plan.tags) if t.stale_after_s}
        self._stale: set[int] = set()
        self._heartbeat_ns = round(plan.heartbeat_s * _NS)
        # A tag that comes once a day, such as that of a window, does not hold the snapshot of its device back so long.
        grace_s = min(2 * max(tag.period_s for tag in plan.tags), plan.heartbeat_s)
        self._grace_ns = round(max(_GRACE_S, grace_s) * _NS)
        self._next_heartbeat_ns: int | None = None

    def report(self, batch: Batch) -> list[Batch]:
        """What is sent now, in its order: points that a swinging door held back till now, then the batch itself.

        The batch goes without what is held back; or whole, with the last values of the others, at a heartbeat.
        """
        fresh = self._all if batch.whole else _fresh(batch.values)
        self._note_seen(batch, fresh)
        due = self._heartbeat_due(batch.stamp)
        earlier = self._doors.compress(batch, send_all=due) if self._doors.positions else []
        if due:
            self._begin_heartbeat(batch.stamp)
            batch.held = self._held(set(self._all).difference(fresh), batch.stamp)
            self._deadbands.note_sent(batch)
        elif self._deadbands.positions:
            self._deadbands.hold_back(batch)
        return earlier if batch.is_empty else [*earlier, batch]

    def heartbeat(self, stamp: Stamp) -> Batch | None:
        """Last values alone: all where the device yielded no batch that could carry them, else those become stale."""
        overdue = self._next_heartbeat_ns is not None and stamp.monotonic >= self._next_heartbeat_ns + self._grace_ns
        told = self._all if overdue else self._newly_stale(stamp)
        if not told:
            return None
        if overdue:
            self._begin_heartbeat(stamp)
        batch = Batch.empty(self._plan, stamp)
        batch.held = self._held(told, stamp)
        return batch

    def finish(self) -> list[Batch]:
        """What is still held back by swinging doors; to be sent before the memory of this reporter is let go."""
        return self._doors.finish()

    def _heartbeat_due(self, stamp: Stamp) -> bool:
        return self._next_heartbeat_ns is None or stamp.monotonic >= self._next_heartbeat_ns

    def _begin_heartbeat(self, stamp: Stamp) -> None:
        self._next_heartbeat_ns = stamp.monotonic + self._heartbeat_ns

    def _held(self, positions: Iterable[int], stamp: Stamp) -> dict[int, Held] | None:
        """The last values of these tags; those that are too old are marked, and their next value will be sent."""
        wall_less_monotonic = stamp.time - stamp.monotonic
        self._note_stale(self._newly_stale(stamp))
        return {
            position: Held(
                self._seen_values[position],  # type: ignore[arg-type]  # none is absent
                Quality.STALE if position in self._stale else self._seen_quality[position],
                wall_less_monotonic + self._seen_monotonic[position],
            )
            for position in positions
            if self._seen_values[position] is not ABSENT
        } or None

    def _newly_stale(self, stamp: Stamp) -> list[int]:
        return [
            position
            for position, limit in self._stale_after_ns.items()
            if position not in self._stale
            and stamp.monotonic - self._seen_monotonic[position] >= limit
            and self._seen_values[position] is not ABSENT
            and self._seen_quality[position].level is not Level.BAD
        ]

    def _note_stale(self, positions: Iterable[int]) -> None:
        stale = set(positions)
        self._stale |= stale
        self._deadbands.forget(stale)
        self._doors.forget(stale)

    def _note_seen(self, batch: Batch, fresh: Sequence[int]) -> None:
        if self._stale:
            self._stale.difference_update(fresh)
        values, quality = batch.values, batch.quality
        if batch.whole and batch.offsets is None:
            holds_back = self._deadbands.positions or self._doors.positions
            self._seen_values = values.copy() if holds_back else values
            self._seen_quality = quality.copy() if holds_back else quality
            self._are_lent = not holds_back
            self._seen_monotonic = [batch.stamp.monotonic] * len(values)
            return
        if self._are_lent:
            self._seen_values, self._seen_quality = self._seen_values.copy(), self._seen_quality.copy()
            self._are_lent = False
        times = times_of(batch)
        for position in fresh:
            self._seen_values[position] = values[position]
            self._seen_quality[position] = quality[position]
            self._seen_monotonic[position] = times[position]


def _fresh(values: Sequence[Cell]) -> Sequence[int]:
    return [position for position, value in enumerate(values) if value is not ABSENT]
