"""Whether a sensor still moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import ABSENT, Quality
from gateway.processing.columns import Column
from gateway.processing.times import times_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Batch, Cell, Plan

_NS: Final = 1_000_000_000


class FlatLine:
    """A value that stood still for `stuck_after_s`, to its last digit, is kept and marked UNCERTAIN, stuck."""

    def __init__(self, plan: Plan) -> None:
        limits = [(position, tag.stuck_after_s) for position, tag in enumerate(plan.tags)]
        limited = [(position, round(limit * _NS)) for position, limit in limits if limit is not None]
        self.positions = [position for position, _ in limited]
        self._column = Column(self.positions, len(plan.tags))
        self._limits = [limit for _, limit in limited]
        self._before: list[Cell] = [ABSENT] * len(limited)
        self._since = [0] * len(limited)

    def apply(self, batch: Batch) -> None:
        """Mark in place; a quality that is worse already stays."""
        values, times = self._column.of(batch.values), self._column.of(times_of(batch))
        self._remember(values, times)
        rows = zip(self.positions, values, times, self._since, self._limits, strict=True)
        for position in [p for p, value, time, since, limit in rows if value is not ABSENT and time - since >= limit]:
            if batch.quality[position] is Quality.GOOD:
                batch.quality[position] = Quality.STUCK

    def _remember(self, values: Sequence[Cell], times: Sequence[int]) -> None:
        rows = zip(values, self._before, times, self._since, strict=True)
        self._since = [since if v is ABSENT or v == before else time for v, before, time, since in rows]
        rows_of_values = zip(values, self._before, strict=True)
        self._before = [before if value is ABSENT else value for value, before in rows_of_values]
