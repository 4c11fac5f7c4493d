"""Raw value to engineering value, exact to the last digit that the configuration gives."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import TYPE_CHECKING

from gateway.model import Quality

if TYPE_CHECKING:
    from gateway.model import Batch, Plan, Tag


class Scaling:
    """Engineering value = raw value * scale + offset, for the tags that have either."""

    def __init__(self, plan: Plan) -> None:
        self.positions = [position for position, tag in enumerate(plan.tags) if tag.scaled]
        self._scalers = [(position, Scaler(plan.tags[position])) for position in self.positions]

    def apply(self, batch: Batch) -> None:
        """Scale in place. A number that leaves what a float can hold is BAD; the raw one is kept for the engineer."""
        values = batch.values
        for position, scaler in self._scalers:
            raw = values[position]
            if not isinstance(raw, int | float) or isinstance(raw, bool):
                continue
            value = scaler.engineering(raw)
            if math.isfinite(value):
                values[position] = value
            else:
                _reject(batch, position, raw)


class Scaler:
    """The arithmetic of one tag.

    A whole number scaled by 0.1 gives 147.2 and not 147.20000000000002: a result has no more decimals than scale and
    offset give it, so a whole number is rounded to theirs; and a scale that is one over a whole number divides, which
    rounds once where multiplying rounds twice.
    """

    def __init__(self, tag: Tag) -> None:
        self._scale = tag.scale
        self._offset = tag.offset
        self._divisor = _divisor(tag.scale)
        self._decimals = max(_decimals(tag.scale), _decimals(tag.offset))

    def engineering(self, raw: float) -> float:
        """The engineering value; infinite where a float cannot hold it."""
        try:
            product = raw * self._scale if self._divisor is None else raw / self._divisor
        except OverflowError:
            return math.inf
        value = product + self._offset
        return round(value, self._decimals) if isinstance(raw, int) else value


def _reject(batch: Batch, position: int, raw: float) -> None:
    batch.values[position] = None
    batch.quality[position] = Quality.NOT_AVAILABLE
    batch.raw = {**(batch.raw or {}), position: raw}


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _divisor(scale: float) -> float | None:
    if scale == 0.0 or abs(scale) >= 1.0 or not math.isfinite(1.0 / scale):
        return None
    inverse = round(1.0 / scale)
    return float(inverse) if 1.0 / inverse == scale else None
