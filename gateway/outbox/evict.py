"""What is lost when a segment is dropped to make room: exact counts by device, and the notices that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gateway.model import Notice
from gateway.outbox.gaps import gap_of, joined

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Gap
    from gateway.outbox.entry import Entry
    from gateway.outbox.reader import Loaded, Loss, Reader

    IsWaiting = Callable[[int], bool]


class Eviction(NamedTuple):
    """What a segment still held."""

    gaps: list[Gap]
    notices: list[Entry]


def eviction(reader: Reader, end: int, is_waiting: IsWaiting) -> Eviction:
    """Go through a segment that is to be dropped.

    Args:
        reader: over this segment alone, from the first ordinal that is not settled.
        end: one more than the ordinal of its last entry.
        is_waiting: whether the entry of an ordinal still waits in the segment, and for nothing else.
    """
    gaps: dict[str, Gap] = {}
    notices: list[Entry] = []
    losses: list[Loss] = []
    while loaded := _next(reader):
        waiting = [entry for ordinal, entry in loaded.entries if is_waiting(ordinal)]
        notices += [entry for entry in waiting if isinstance(entry.item, Notice)]
        for entry in waiting:
            if not isinstance(entry.item, Notice):
                gaps[entry.device] = _longer(gaps.get(entry.device), entry)
        losses += loaded.losses
    losses += reader.missing_before(end)
    counted = [(loss, sum(map(is_waiting, loss.ordinals))) for loss in losses]
    return Eviction([*gaps.values(), *(loss.gap(count) for loss, count in counted if count)], notices)


def _next(reader: Reader) -> Loaded | None:
    try:
        return reader.read()
    except OSError:
        return None


def _longer(gap: Gap | None, entry: Entry) -> Gap:
    one = gap_of(entry, "spool_full")
    return one if gap is None else joined(gap, one)
