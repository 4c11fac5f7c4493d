"""Changes of one device, gathered into as few batches as the rule allows that a tag stands once in a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.model import Batch, Quality

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Cell, Plan, Stamp


class _Change(NamedTuple):
    cell: Cell
    quality: Quality
    stamp: Stamp
    status: str | None


class Changes:
    """Gathers what changed at one wake-up of the loop and emits it."""

    def __init__(self, plan: Plan, emit: Callable[[Batch], None]) -> None:
        self._plan = plan
        self._emit = emit
        self._gathered: dict[int, _Change] = {}

    def value(self, position: int, value: bool, stamp: Stamp) -> None:  # noqa: FBT001 - a contact is open or closed
        """A tag has a new value since `stamp`."""
        self._add(position, _Change(value, Quality.GOOD, stamp, None))

    def bad(self, position: int, quality: Quality, status: str, stamp: Stamp) -> None:
        """A tag cannot be read; `status` is the cause in the source's words."""
        self._add(position, _Change(None, quality, stamp, status))

    def flush(self) -> None:
        """Emit what was gathered, if anything, as one batch at the time of the latest change."""
        if not self._gathered:
            return
        latest = max((change.stamp for change in self._gathered.values()), key=lambda stamp: stamp.monotonic)
        batch = Batch.empty(self._plan, latest)
        offsets = [0] * len(batch.values)
        status: dict[int, str] = {}
        for position, change in self._gathered.items():
            batch.values[position] = change.cell
            batch.quality[position] = change.quality
            offsets[position] = (change.stamp.monotonic - latest.monotonic) // 1_000_000
            if change.status is not None:
                status[position] = change.status
        batch.offsets = offsets if any(offsets) else None
        batch.source_status = status or None
        self._gathered.clear()
        self._emit(batch)

    def _add(self, position: int, change: _Change) -> None:
        if position in self._gathered:
            self.flush()
        self._gathered[position] = change
