"""Raw values beyond the two points of a scaling, where they are not to go on along the line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.model import Outside, Quality
from gateway.processing.columns import Column, all_numbers, is_number, reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Batch, Plan, TwoPoint

_ACT: Final = frozenset({Outside.CLAMP, Outside.REJECT})


class RawEnds:
    """A raw value beyond its ends is set to the nearer one and marked UNCERTAIN, or is BAD."""

    def __init__(self, plan: Plan) -> None:
        with_ends = [(p, tag.scaling) for p, tag in enumerate(plan.tags) if tag.scaling and tag.scaling.outside in _ACT]
        self.positions = [position for position, _ in with_ends]
        self._scalings = dict(with_ends)
        self._column = Column(self.positions, len(plan.tags))
        self._lows = [min(scaling.raw) for _, scaling in with_ends]
        self._highs = [max(scaling.raw) for _, scaling in with_ends]

    def apply(self, batch: Batch) -> None:
        """Clamp or reject in place."""
        for position in self._beyond(batch):
            raw = batch.values[position]
            assert isinstance(raw, int | float)
            self._act(batch, position, raw, self._scalings[position])

    def _beyond(self, batch: Batch) -> Sequence[int]:
        raw = self._column.of(batch.values)
        columns = zip(self.positions, self._lows, raw, self._highs, strict=True)
        if all_numbers(raw):
            return [p for p, low, value, high in columns if not low <= value <= high]  # type: ignore[operator]  # all are numbers
        return [p for p, low, value, high in columns if is_number(value) and not low <= value <= high]

    def _act(self, batch: Batch, position: int, raw: float, scaling: TwoPoint) -> None:
        if scaling.outside is Outside.REJECT:
            reject(batch, position, raw)
            return
        low, high = min(scaling.raw), max(scaling.raw)
        batch.values[position] = low if raw < low else high
        if batch.quality[position] is Quality.GOOD:
            batch.quality[position] = Quality.OUT_OF_RANGE
