"""A set of numbers that mostly come in order: kept as ranges, so that a million in a row take the room of one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Ranges:
    """Whole numbers, as disjoint ranges in order. A range is its first number and one more than its last."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in pairs:
            self.add(start, end)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number < self._ends[at]

    def __len__(self) -> int:
        return sum(self._ends) - sum(self._starts)

    def pairs(self) -> list[tuple[int, int]]:
        """The ranges, ascending."""
        return list(zip(self._starts, self._ends, strict=True))

    @property
    def pieces(self) -> int:
        """How many ranges there are: the memory that they take."""
        return len(self._starts)

    def add(self, start: int, end: int) -> None:
        """Add the numbers from `start` to before `end`; those that are there already stay."""
        if start >= end:
            return
        first = bisect_left(self._ends, start)
        last = bisect_right(self._starts, end)
        if first < last:
            start = min(start, self._starts[first])
            end = max(end, self._ends[last - 1])
        self._starts[first:last] = [start]
        self._ends[first:last] = [end]

    def discard_below(self, number: int) -> None:
        """Forget all numbers that are smaller than this one."""
        at = bisect_right(self._ends, number)
        del self._starts[:at], self._ends[:at]
        if self._starts:
            self._starts[0] = max(self._starts[0], number)
