"""Raw value to engineering value, exact to the last digit that the configuration gives."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import inf, isfinite, lcm
from operator import truediv
from typing import TYPE_CHECKING, Final

from gateway.processing.columns import Column, all_numbers, is_number, reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Batch, Cell, Plan, Tag

_SIMPLEST: Final = 10_000
"""Largest denominator of a fraction that is taken for what a float means: 5/9, or 25/128."""


class Scaling:
    """Engineering value = raw value * scale + offset, or the line through two points, for the tags that have either."""

    def __init__(self, plan: Plan) -> None:
        self.positions = [position for position, tag in enumerate(plan.tags) if _has_line(tag)]
        self._column = Column(self.positions, len(plan.tags))
        self._lines = [Line.of(plan.tags[position]) for position in self.positions]
        self._factors = [line.factor for line in self._lines]
        self._shifts = [line.shift for line in self._lines]
        self._divisors = [line.divisor for line in self._lines]
        self._only_divides = all(line.factor == 1 and line.shift == 0 for line in self._lines)

    def apply(self, batch: Batch) -> None:
        """Scale in place. A number that leaves what a float can hold is BAD; the raw one is kept for the engineer."""
        scaled = self._all(self._column.of(batch.values))
        if scaled is None:
            self._one_by_one(batch)
        else:
            self._column.put(batch.values, scaled)

    def _all(self, raw: Sequence[Cell]) -> list[float] | None:
        """All of them in one go; None where one needs a look of its own."""
        if not all_numbers(raw):
            return None
        try:
            scaled = self._scaled(raw)
        except OverflowError:
            return None
        return scaled if isfinite(sum(scaled)) else None

    def _scaled(self, raw: Sequence[float]) -> list[float]:
        if self._only_divides:
            return list(map(truediv, raw, self._divisors))
        lines = zip(raw, self._factors, self._shifts, self._divisors, strict=True)
        return [(value * factor + shift) / divisor for value, factor, shift, divisor in lines]

    def _one_by_one(self, batch: Batch) -> None:
        for position, line in zip(self.positions, self._lines, strict=True):
            raw = batch.values[position]
            if not is_number(raw):
                continue
            value = line.engineering(raw)
            if isfinite(value):
                batch.values[position] = value
            else:
                reject(batch, position, raw)


class Line:
    """Engineering value = (raw value * factor + shift) / divisor, three whole numbers.

    So a whole number is rounded once, by the division: a raw 1472 at a scale of 0.1 gives 147.2 and not
    147.20000000000002, and 12 mA of 4 to 20 gives the middle of the range.
    """

    def __init__(self, slope: Fraction, intercept: Fraction) -> None:
        self.divisor = lcm(slope.denominator, intercept.denominator)
        self.factor = int(slope * self.divisor)
        self.shift = int(intercept * self.divisor)
        self._slope = _float(slope)
        self._intercept = _float(intercept)

    @classmethod
    def of(cls, tag: Tag) -> Line:
        """The line of a tag: through its two points, or of its scale and offset."""
        if tag.scaling is None:
            return cls(meant(tag.scale), meant(tag.offset))
        (raw_low, raw_high), (low, high) = map(_both, (tag.scaling.raw, tag.scaling.engineering))
        slope = (high - low) / (raw_high - raw_low)
        return cls(slope, low - raw_low * slope)

    def engineering(self, raw: float) -> float:
        """The engineering value; infinite or NaN where a float cannot hold it."""
        try:
            return (raw * self.factor + self.shift) / self.divisor
        except OverflowError:
            return self._by_floats(raw)

    def _by_floats(self, raw: float) -> float:
        try:
            return raw * self._slope + self._intercept
        except OverflowError:
            return inf


def meant(number: float) -> Fraction:
    """The fraction that a float stands for: the simplest one where it is simple, else its shortest decimals.

    Args:
        number: finite; 0.1 means 1/10, and 0.5555555555555556 means 5/9.
    """
    simple = Fraction(number).limit_denominator(_SIMPLEST)
    return simple if float(simple) == number else Fraction(Decimal(repr(number)))


def _float(number: Fraction) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf


def _both(ends: tuple[float, float]) -> tuple[Fraction, Fraction]:
    return meant(ends[0]), meant(ends[1])


def _has_line(tag: Tag) -> bool:
    return tag.scale != 1.0 or tag.offset != 0.0 or tag.scaling is not None
