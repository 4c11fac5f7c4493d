"""Tags that are multiplied by another tag of their device, as the scale factors of SunSpec want it."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Final

from gateway.model import ABSENT, Level, Quality
from gateway.processing.columns import Column, all_numbers, is_number, reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Batch, Cell, Plan

_LARGEST_EXPONENT: Final = 10
"""A scale factor is from -10 to 10, and -32768 where the point is not implemented (SunSpec Device Information Model
Specification, type sunssf)."""

Factor = tuple[float, int]
"""What a value is multiplied and divided by."""


class ScaleFrom:
    """Value = value * another tag. Where a batch has no fresh factor, the last one is used."""

    def __init__(self, plan: Plan) -> None:
        by_factor: dict[tuple[str, bool], list[int]] = {}
        for position, tag in enumerate(plan.tags):
            if tag.scale_from is not None:
                by_factor.setdefault((tag.scale_from.tag, tag.scale_from.power_of_ten), []).append(position)
        self.positions = [position for positions in by_factor.values() for position in positions]
        self._groups = [
            _Group(plan.positions[name], Column(positions, len(plan.tags)), power_of_ten=power_of_ten)
            for (name, power_of_ten), positions in by_factor.items()
        ]

    def apply(self, batch: Batch) -> None:
        """Multiply in place. Without a factor the tag is BAD; a doubtful factor makes it as doubtful."""
        for group in self._groups:
            group.apply(batch)


class _Group:
    """The tags that have their factor from one tag."""

    def __init__(self, source: int, column: Column, *, power_of_ten: bool) -> None:
        self._source = source
        self._column = column
        self._power_of_ten = power_of_ten
        self._factor: Factor | None = None
        self._quality = Quality.NOT_AVAILABLE

    def apply(self, batch: Batch) -> None:
        if batch.values[self._source] is not ABSENT:
            self._learn(batch.values[self._source], batch.quality[self._source])
        if self._factor is None:
            self._reject_all(batch)
            return
        scaled = _all(self._column.of(batch.values), *self._factor)
        if scaled is None:
            self._one_by_one(batch, *self._factor)
        else:
            self._column.put(batch.values, scaled)
        if self._quality is not Quality.GOOD:
            self._pass_on_quality(batch)

    def _learn(self, cell: Cell, quality: Quality) -> None:
        self._factor = _factor(cell, power_of_ten=self._power_of_ten)
        is_bad = self._factor is None and quality.level is not Level.BAD
        self._quality = Quality.NOT_AVAILABLE if is_bad else quality

    def _reject_all(self, batch: Batch) -> None:
        for position in self._column.positions:
            value = batch.values[position]
            if is_number(value):
                reject(batch, position, value, self._quality)

    def _one_by_one(self, batch: Batch, factor: float, divisor: int) -> None:
        for position in self._column.positions:
            value = batch.values[position]
            if not is_number(value):
                continue
            scaled = _product(value, factor, divisor)
            if isfinite(scaled):
                batch.values[position] = scaled
            else:
                reject(batch, position, value)

    def _pass_on_quality(self, batch: Batch) -> None:
        for position in self._column.positions:
            if batch.values[position] is not ABSENT and batch.quality[position] is Quality.GOOD:
                batch.quality[position] = self._quality


def _factor(cell: Cell, *, power_of_ten: bool) -> Factor | None:
    if not is_number(cell):
        return None
    if not power_of_ten:
        return (cell, 1)
    if cell != int(cell) or abs(cell) > _LARGEST_EXPONENT:
        return None
    exponent = int(cell)
    return (10**exponent, 1) if exponent >= 0 else (1, 10**-exponent)


def _all(values: Sequence[Cell], factor: float, divisor: int) -> list[float] | None:
    if not all_numbers(values):
        return None
    try:
        scaled = [value * factor / divisor for value in values]
    except OverflowError:
        return None
    return scaled if isfinite(sum(scaled)) else None


def _product(value: float, factor: float, divisor: int) -> float:
    try:
        return value * factor / divisor
    except OverflowError:
        return inf
