"""Readings of one device, collected into batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.model import Batch

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.opcua.convert import Reading
    from gateway.model import Plan, Stamp

SAME_TIME_MS: Final = 50
"""Tags that differ by no more are taken as read at one instant."""

_NS_A_MS: Final = 1_000_000


class _Entry(NamedTuple):
    reading: Reading
    at: int
    """Monotonic clock, ns."""


class Feed:
    """Holds the readings of one device until they are flushed, a batch of all tags first."""

    def __init__(self, plan: Plan, emit: Callable[[Batch], None]) -> None:
        self.plan = plan
        self.missing = set(range(len(plan.tags)))
        """Positions of tags of which nothing is known yet. While there are any, nothing is emitted."""
        self._emit = emit
        self._pages: list[dict[int, _Entry]] = []

    def put(self, position: int, reading: Reading, at: int) -> None:
        """Note what is known of one tag since `at`, on the monotonic clock, ns.

        A second reading of a tag before a flush goes into a batch of its own, behind the first.
        """
        entry = _Entry(reading, at)
        self.missing.discard(position)
        for page in self._pages:
            if position not in page:
                page[position] = entry
                return
        self._pages.append({position: entry})

    def flush(self, stamp: Stamp) -> None:
        """Emit what was put, once every tag has been heard of; the batches carry this stamp."""
        if self.missing:
            return
        pages, self._pages = self._pages, []
        for page in pages:
            self._emit(self._batch(page, stamp))

    def _batch(self, page: dict[int, _Entry], stamp: Stamp) -> Batch:
        batch = Batch.empty(self.plan, stamp)
        offsets = [0] * len(batch.values)
        times: list[int | None] = [None] * len(batch.values)
        for position, (reading, at) in page.items():
            batch.values[position] = reading.value
            batch.quality[position] = reading.quality
            offsets[position] = round((at - stamp.monotonic) / _NS_A_MS)
            times[position] = reading.source_time
        batch.offsets = offsets if max(map(abs, offsets)) > SAME_TIME_MS else None
        batch.source_times = times if any(times) else None
        batch.source_status = {n: e.reading.status for n, e in page.items() if e.reading.status is not None} or None
        return batch
