"""Whether a value changes faster than what it measures can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import ABSENT, Quality
from gateway.processing.columns import Column, is_number
from gateway.processing.times import times_of

if TYPE_CHECKING:
    from gateway.model import Batch, Cell, Plan

_NS: Final = 1_000_000_000


class RateLimits:
    """A value that lies too far from the one before is kept and marked UNCERTAIN, rate.

    The one before is the last reading, whatever was said of it: a single spike marks two values, the way there and the
    way back. After BAD there is none before.
    """

    def __init__(self, plan: Plan) -> None:
        limits = [(position, tag.max_rate_per_s) for position, tag in enumerate(plan.tags)]
        limited = [(position, limit / _NS) for position, limit in limits if limit is not None]
        self.positions = [position for position, _ in limited]
        self._column = Column(self.positions, len(plan.tags))
        self._limits = [limit for _, limit in limited]
        self._before: list[Cell] = [None] * len(limited)
        self._times = [0] * len(limited)

    def apply(self, batch: Batch) -> None:
        """Mark in place; a quality that is worse already stays."""
        values, times = self._column.of(batch.values), self._column.of(times_of(batch))
        rows = zip(self.positions, values, self._before, times, self._times, self._limits, strict=True)
        for position in [row[0] for row in rows if _is_too_fast(*row[1:])]:
            if batch.quality[position] is Quality.GOOD:
                batch.quality[position] = Quality.RATE
        fresh = [value is not ABSENT for value in values]
        self._before = [v if new else b for v, b, new in zip(values, self._before, fresh, strict=True)]
        self._times = [t if new else b for t, b, new in zip(times, self._times, fresh, strict=True)]


def _is_too_fast(value: Cell, before: Cell, time: int, time_before: int, most_per_ns: float) -> bool:
    if not is_number(value) or not is_number(before):
        return False
    try:
        return not abs(value - before) <= most_per_ns * abs(time - time_before)
    except OverflowError:  # a whole number too large for a float
        return value != before
