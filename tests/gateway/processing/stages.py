"""What the tests of the stages have in common: batches one after the other, and any cell that can come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Cell, Plan, Quality, Tag
from gateway.testing import ManualClock

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY_FLOAT = st.floats() | st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308, float("nan"), float("inf")])
ANY_INT = st.integers() | st.sampled_from([2**53 + 1, 2**64, 10**400, -(10**400)])
ANY_CELL = st.none() | st.booleans() | ANY_FLOAT | ANY_INT | st.text(max_size=5) | st.just(ABSENT)
"""What a driver may give, and more: a cell without a value is BAD."""


class Feed:
    """Batches of one plan, a second apart unless told otherwise."""

    def __init__(self, *tags: Tag, heartbeat_s: float = 1e6) -> None:
        self.plan = Plan("device", tags, heartbeat_s)
        self.clock = ManualClock()

    def batch(self, *cells: Cell, after_s: float = 1.0, quality: Quality = Quality.GOOD) -> Batch:
        """The next batch. A None among the cells is BAD, whatever the quality of the others."""
        self.clock.advance(after_s)
        qualities = [Quality.NO_REPLY if cell is None else quality for cell in cells]
        return Batch(self.plan, list(cells), qualities, self.clock.now(), whole=ABSENT not in cells)


def told(batch: Batch) -> list[tuple[Cell, str]]:
    """Each cell with its quality as it is published."""
    return [(value, quality.value) for value, quality in zip(batch.values, batch.quality, strict=True)]


def values(batches: Sequence[Batch], position: int = 0) -> list[Cell]:
    """What was sent of one tag, in its order."""
    return [batch.values[position] for batch in batches if batch.values[position] is not ABSENT]
