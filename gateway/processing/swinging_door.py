"""Swinging door: as few points as draw the signal by straight lines, none of them further off than the error allowed.

The door hangs at the last point sent. Each point that comes narrows it to the slopes that pass all points so far within
the error. A point whose own line lies inside is held back in case the next one still fits; where the next one does not,
the held-back point is sent with its own time, and the door hangs there. The line is drawn to points that were measured,
so the error allowed is a bound, and not half of one as where doors only must not cross.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.model import ABSENT, Batch, Level, Quality
from gateway.processing.columns import is_number
from gateway.processing.times import times_of

if TYPE_CHECKING:
    from gateway.model import Cell, Plan, Tag

_NS: Final = 1_000_000_000
_NO_SLOPE: Final = float("nan")
"""Fits nowhere: NaN compares as false with every slope."""


class Point(NamedTuple):
    """One reading of one tag."""

    value: Cell
    quality: Quality
    time: int
    """Monotonic, ns."""
    batch: Batch
    """In which it came."""


class SwingingDoors:
    """The doors of one device."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._doors = {p: _Door(tag) for p, tag in enumerate(plan.tags) if tag.swinging_door is not None}
        self.positions = list(self._doors)

    def compress(self, batch: Batch, *, send_all: bool = False) -> list[Batch]:
        """Make absent what is held back, or nothing at all; return the earlier points that are sent first."""
        times, released = times_of(batch), dict[int, Point]()
        for position, door in self._doors.items():
            cell = batch.values[position]
            if cell is ABSENT:
                continue
            point = Point(cell, batch.quality[position], times[position], batch)
            earlier, is_sent = door.offer(point, send_now=send_all)
            if earlier is not None:
                released[position] = earlier
            if not is_sent:
                batch.values[position] = ABSENT
                batch.whole = False
        return self._batches(released)

    def finish(self) -> list[Batch]:
        """The points that are held back; they would be lost at an end."""
        held = {position: door.take_held() for position, door in self._doors.items()}
        return self._batches({position: point for position, point in held.items() if point is not None})

    def forget(self, positions: set[int]) -> None:
        """Send the next value of these tags, whatever it is."""
        for position in positions & self._doors.keys():
            self._doors[position].forget()

    def _batches(self, released: dict[int, Point]) -> list[Batch]:
        """The points in batches of the times at which they came, the earliest first."""
        by_batch: dict[int, dict[int, Point]] = {}
        for position, point in released.items():
            by_batch.setdefault(id(point.batch), {})[position] = point
        batches = [self._batch(points) for points in by_batch.values()]
        return sorted(batches, key=lambda batch: batch.stamp.monotonic)

    def _batch(self, points: dict[int, Point]) -> Batch:
        source = next(iter(points.values())).batch
        batch = Batch.empty(self._plan, source.stamp)
        for position, point in points.items():
            batch.values[position], batch.quality[position] = point.value, point.quality
        batch.offsets, batch.source_times = source.offsets, source.source_times
        said = {position: text for position, text in (source.source_status or {}).items() if position in points}
        batch.source_status = said or None
        return batch


class _Door:
    """One tag: the last point sent, the slopes that are still open, the point held back."""

    def __init__(self, tag: Tag) -> None:
        assert tag.swinging_door is not None
        self._error = tag.swinging_door
        self._most_ns = inf if tag.max_interval_s is None else tag.max_interval_s * _NS
        self._sent: Point | None = None
        self._held: Point | None = None
        self._lowest, self._highest = -inf, inf

    def offer(self, point: Point, *, send_now: bool) -> tuple[Point | None, bool]:
        """A point comes: the earlier one that is sent before it, and whether it is sent itself at once."""
        if self._is_news(point):
            return self._send(point, earlier=self.take_held())
        if not is_number(point.value):
            return (None, True) if send_now else (None, False)
        earlier = None if self._fits(point) else self.take_held()
        if earlier is not None:
            self._hang_at(earlier)
        if send_now or self._is_overdue(point) or not self._fits(point):
            return self._send(point, earlier=earlier)
        self._narrow(point)
        return earlier, False

    def take_held(self) -> Point | None:
        """The point held back, which is held no longer."""
        held, self._held = self._held, None
        return held

    def forget(self) -> None:
        """Take the next point for news."""
        self._sent = None

    def _is_news(self, point: Point) -> bool:
        """Whether it is to be sent whatever the line says: the first one, another quality, another text."""
        if self._sent is None or point.quality is not self._sent.quality:
            return True
        if point.quality.level is Level.BAD:
            return False
        both_numbers = is_number(point.value) and is_number(self._sent.value)
        return not both_numbers and point.value != self._sent.value

    def _is_overdue(self, point: Point) -> bool:
        assert self._sent is not None
        return point.time - self._sent.time >= self._most_ns

    def _send(self, point: Point, *, earlier: Point | None) -> tuple[Point | None, bool]:
        self._held = None
        self._hang_at(point)
        return earlier, True

    def _hang_at(self, point: Point) -> None:
        self._sent = point
        self._lowest, self._highest = -inf, inf

    def _fits(self, point: Point) -> bool:
        """Whether the line from the last point sent to this one passes all between within the error."""
        return self._lowest <= self._slope(point, 0.0) <= self._highest

    def _narrow(self, point: Point) -> None:
        self._lowest = max(self._lowest, self._slope(point, -self._error))
        self._highest = min(self._highest, self._slope(point, self._error))
        self._held = point

    def _slope(self, point: Point, error: float) -> float:
        """In units per ns; NaN, which fits nowhere, where no line can be told."""
        sent = self._sent
        assert sent is not None
        assert is_number(sent.value)
        assert is_number(point.value)
        if point.time <= sent.time:
            return _NO_SLOPE
        try:
            return (point.value - sent.value + error) / (point.time - sent.time)
        except OverflowError:
            return _NO_SLOPE
