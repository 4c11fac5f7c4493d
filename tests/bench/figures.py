"""What a bench yields: figures, each with its unit and, where one is promised, its bound."""

from __future__ import annotations

from typing import NamedTuple


class Figure(NamedTuple):
    """One measured number. Ratios come from one run on one machine; absolute numbers tell of that machine only."""

    name: str
    value: float
    unit: str
    """`ratio`, `us`, `MB/s`, `%` and the like; as it is printed."""
    bound: float | None = None
    """The most (or, with `at_least`, the least) that is promised; None where nothing is."""
    at_least: bool = False
    note: str = ""
    """How it was measured, in a few words."""

    @property
    def holds(self) -> bool | None:
        """Whether the promise holds; None where there is none."""
        if self.bound is None:
            return None
        return self.value >= self.bound if self.at_least else self.value <= self.bound
