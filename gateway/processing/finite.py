"""NaN and infinities of a driver: no value can be told from them."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Final

from gateway.processing.columns import Column, all_numbers, reject

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.model import Batch, Plan, Tag

_NEVER_FLOATING: Final = ("bool", "text", "string", "bytes", "int", "uint", "bcd")
"""How the names of data types begin that hold no floating point number."""


class Finite:
    """A floating point reading that is no number is BAD, not available."""

    def __init__(self, plan: Plan) -> None:
        self.positions = [position for position, tag in enumerate(plan.tags) if _may_float(tag)]
        self._column = Column(self.positions, len(plan.tags))

    def apply(self, batch: Batch) -> None:
        """Reject in place."""
        cells = self._column.of(batch.values)
        if all_numbers(cells) and _sum_is_finite(cells):
            return
        for position in self.positions:
            value = batch.values[position]
            if isinstance(value, float) and not isfinite(value):
                reject(batch, position, value)


def _may_float(tag: Tag) -> bool:
    return not tag.type.startswith(_NEVER_FLOATING)


def _sum_is_finite(cells: Sequence[float]) -> bool:
    """False also where the sum alone is too large: then each cell is looked at."""
    try:
        return isfinite(sum(cells))
    except OverflowError:
        return False
