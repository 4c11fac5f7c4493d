"""Whether a value is plausible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Quality
from gateway.processing.columns import Column

if TYPE_CHECKING:
    from gateway.model import Batch, Cell, Plan


class Limits:
    """A value outside its tag's range is kept and marked UNCERTAIN, out of range."""

    def __init__(self, plan: Plan) -> None:
        limits = [(position, tag.range) for position, tag in enumerate(plan.tags) if tag.range is not None]
        self.positions = [position for position, _ in limits]
        self._column = Column(self.positions, len(plan.tags))
        self._lows = [low for _, (low, _) in limits]
        self._highs = [high for _, (_, high) in limits]

    def apply(self, batch: Batch) -> None:
        """Mark in place; a quality that is worse already stays."""
        quality = batch.quality
        for position in self._outside(batch.values):
            if quality[position] is Quality.GOOD:
                quality[position] = Quality.OUT_OF_RANGE

    def _outside(self, values: list[Cell]) -> list[int]:
        cells = self._column.of(values)
        columns = zip(self.positions, self._lows, cells, self._highs, strict=True)
        try:
            return [p for p, low, value, high in columns if not low <= value <= high]  # type: ignore[operator]  # see below
        except TypeError:  # one of them is no number
            columns = zip(self.positions, self._lows, cells, self._highs, strict=True)
            return [p for p, low, v, high in columns if isinstance(v, int | float) and not low <= v <= high]
