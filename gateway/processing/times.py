"""When the values of a batch were measured, on the clock that never steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.model import Batch

_NS_PER_MS: Final = 1_000_000


def times_of(batch: Batch) -> list[int]:
    """The monotonic time of each tag, ns."""
    monotonic = batch.stamp.monotonic
    if batch.offsets is None:
        return [monotonic] * len(batch.values)
    return [monotonic + offset * _NS_PER_MS for offset in batch.offsets]
