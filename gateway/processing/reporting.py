"""What is worth sending: deadband by tag, and a snapshot of the whole device at each heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import ABSENT, Batch, Held, Level, Quality

if TYPE_CHECKING:
    from gateway.model import Cell, Plan, Stamp, Value

_NS = 1_000_000_000
_NS_PER_MS = 1_000_000
_GRACE_S = 2.0


class Reporter:
    """Remembers what was last seen and last sent of each tag of one device."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        deadbands = [(position, tag.deadband) for position, tag in enumerate(plan.tags)]
        self._deadbands = [(position, deadband) for position, deadband in deadbands if deadband is not None]
        self._sent: list[tuple[Value | None, Quality] | None] = [None] * len(plan.tags)
        self._seen_values: list[Cell] = [ABSENT] * len(plan.tags)
        self._seen_quality: list[Quality] = [Quality.GOOD] * len(plan.tags)
        self._seen_times: list[int] = [0] * len(plan.tags)
        self._heartbeat_ns = round(plan.heartbeat_s * _NS)
        self._grace_ns = round(max(_GRACE_S, 2 * max(tag.period_s for tag in plan.tags)) * _NS)
        self._next_heartbeat_ns: int | None = None

    def report(self, batch: Batch) -> Batch | None:
        """The batch without what deadbands hold back, or whole with the last values of the others at a heartbeat."""
        fresh = [position for position, value in enumerate(batch.values) if value is not ABSENT]
        self._note_seen(batch, fresh)
        if self._heartbeat_due(batch.stamp):
            self._begin_heartbeat(batch.stamp)
            batch.held = self._held_except(set(fresh))
        else:
            self._hold_back(batch)
        self._note_sent(batch, fresh)
        return None if batch.is_empty else batch

    def heartbeat(self, stamp: Stamp) -> Batch | None:
        """A snapshot of last values alone, where the device yielded no batch that could carry one."""
        if self._next_heartbeat_ns is None or stamp.monotonic < self._next_heartbeat_ns + self._grace_ns:
            return None
        self._begin_heartbeat(stamp)
        batch = Batch.empty(self._plan, stamp)
        batch.held = self._held_except(set())
        return batch

    def _heartbeat_due(self, stamp: Stamp) -> bool:
        return self._next_heartbeat_ns is None or stamp.monotonic >= self._next_heartbeat_ns

    def _begin_heartbeat(self, stamp: Stamp) -> None:
        self._next_heartbeat_ns = stamp.monotonic + self._heartbeat_ns

    def _held_except(self, fresh: set[int]) -> dict[int, Held] | None:
        return {
            position: Held(value, self._seen_quality[position], self._seen_times[position])
            for position, value in enumerate(self._seen_values)
            if value is not ABSENT and position not in fresh
        } or None

    def _note_seen(self, batch: Batch, fresh: list[int]) -> None:
        values, quality, offsets = batch.values, batch.quality, batch.offsets
        for position in fresh:
            self._seen_values[position] = values[position]
            self._seen_quality[position] = quality[position]
            self._seen_times[position] = batch.stamp.time + (offsets[position] * _NS_PER_MS if offsets else 0)

    def _hold_back(self, batch: Batch) -> None:
        values, quality = batch.values, batch.quality
        for position, deadband in self._deadbands:
            value, sent = values[position], self._sent[position]
            if value is ABSENT or sent is None or quality[position] is not sent[1]:
                continue
            if quality[position].level is Level.BAD or not _differs(value, sent[0], deadband):
                values[position] = ABSENT

    def _note_sent(self, batch: Batch, fresh: list[int]) -> None:
        for position in fresh:
            value = batch.values[position]
            if value is not ABSENT:
                self._sent[position] = (value, batch.quality[position])


def _differs(value: Cell, sent: Value | None, deadband: float) -> bool:
    if isinstance(value, int | float) and isinstance(sent, int | float):
        return abs(value - sent) > deadband
    return value != sent
