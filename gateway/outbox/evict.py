"""What is lost when a segment is dropped to make room: exact counts by device, and the notices that are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from gateway.model import Notice
from gateway.outbox.gaps import gap_of, joined

if TYPE_CHECKING:
    from gateway.model import Gap
    from gateway.outbox.entry import Entry
    from gateway.outbox.reader import Loaded, Loss, Reader


class Fates(Protocol):
    """What became of the entries of a segment so far."""

    def is_settled(self, ordinal: int) -> bool:
        """Whether an entry is acknowledged."""
        ...

    def is_waiting(self, ordinal: int) -> bool:
        """Whether an entry is neither acknowledged nor under way."""
        ...


class Eviction(NamedTuple):
    """What a segment still held."""

    gaps: list[Gap]
    notices: list[Entry]


def eviction(reader: Reader, end: int, fates: Fates, reason: str) -> Eviction:
    """Go through a segment that is to be dropped.

    A batch that is under way is not counted here: its own fate decides. A notice that is under way is kept all the
    same; it may go out twice.

    Args:
        reader: over this segment alone, from the first ordinal that is not settled.
        end: one more than the ordinal of its last entry.
        fates: of its entries.
        reason: why it is dropped.
    """
    gaps: dict[str, Gap] = {}
    notices: list[Entry] = []
    losses: list[Loss] = []
    while loaded := _next(reader):
        for ordinal, entry in loaded.entries:
            if isinstance(entry.item, Notice):
                notices += [] if fates.is_settled(ordinal) else [entry]
            elif fates.is_waiting(ordinal):
                gaps[entry.device] = _longer(gaps.get(entry.device), gap_of(entry, reason))
        losses += loaded.losses
    losses += reader.missing_before(end)
    counted = [(loss, sum(map(fates.is_waiting, loss.ordinals))) for loss in losses]
    return Eviction([*gaps.values(), *(loss.gap(count) for loss, count in counted if count)], notices)


def _next(reader: Reader) -> Loaded | None:
    try:
        return reader.read()
    except OSError:
        return None


def _longer(gap: Gap | None, one: Gap) -> Gap:
    return one if gap is None else joined(gap, one)
