"""Whether a value is plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Quality

if TYPE_CHECKING:
    from gateway.model import Batch, Plan


class Limits:
    """A value outside its tag's range is kept and marked UNCERTAIN, out of range."""

    def __init__(self, plan: Plan) -> None:
        limits = [(position, tag.range) for position, tag in enumerate(plan.tags)]
        self._limits = [(position, *limit) for position, limit in limits if limit is not None]
        self.positions = [position for position, _, _ in self._limits]

    def apply(self, batch: Batch) -> None:
        """Mark in place; a quality that is worse already stays."""
        values, quality = batch.values, batch.quality
        for position, low, high in self._limits:
            value = values[position]
            if isinstance(value, int | float) and not low <= value <= high and quality[position] is Quality.GOOD:
                quality[position] = Quality.OUT_OF_RANGE
