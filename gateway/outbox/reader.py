"""From segments to entries, in the order of their ordinals. What is damaged is passed over and counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog

from gateway.model import Gap
from gateway.outbox.codec import DamagedGroupError
from gateway.outbox.segment import Kind, records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gateway.model import Plan
    from gateway.outbox.catalog import Segment
    from gateway.outbox.codec import Codec
    from gateway.outbox.entry import Entry
    from gateway.outbox.files import Files
    from gateway.outbox.plans import Plans
    from gateway.outbox.segment import Record

RETRY_S: Final = 30.0
"""Between two tries of a disk that failed."""

_MOST_ATTEMPTS: Final = 3

_log = structlog.get_logger()

ANY_DEVICE: Final = "*"
"""Stands in a gap for the devices where nobody knows which ones they were."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Entries that were written once and cannot be read."""

    device: str
    start: int
    """Time of the first, or of the last thing known before it, UTC in ns."""
    end: int
    """Time of the last, or of the first thing known behind it, UTC in ns."""
    ordinals: Sequence[int]

    def gap(self, count: int) -> Gap:
        """The gap of `count` of them."""
        return Gap(self.device, self.start, self.end, count, "disk_error")


@dataclass(slots=True)
class Loaded:
    """A stretch of the spool: what could be read of it and what not. The rest was settled before."""

    end: int
    """One more than the last ordinal of the stretch."""
    entries: list[tuple[int, Entry]] = field(default_factory=list)
    """With their ordinals, ascending."""
    losses: list[Loss] = field(default_factory=list)


class Reader:
    """Reads segments one after the other; the one that is still written to, as far as it is synced."""

    def __init__(self, files: Files, segments: list[Segment], codec: Codec, plans: Plans, start: int) -> None:
        """Read from the ordinal `start` on. `segments` may lose its oldest and gain new ones meanwhile."""
        self._files = files
        self._segments = segments
        self._codec = codec
        self._plans = plans
        self._next = start
        self._time = 0
        self._missing: list[range] = []
        self._segment: Segment | None = None
        self._offset = 0
        self._records: Iterator[Record] = iter(())
        self._known: dict[bytes, Plan] = {}
        self._attempts = 0
        self._again_at = 0.0

    def read(self) -> Loaded | None:
        """The next stretch; None where there is none yet.

        Raises:
            OSError: a segment cannot be read; the next call tries it again, unless `pass_over` is called before.
        """
        while True:
            for record in self._records:
                loaded = self._load(record)
                if loaded is not None:
                    return loaded
            segment = self._unread()
            if segment is None:
                return None
            self._open(segment)

    def read_patiently(self, now: float) -> Loaded | None:
        """As `read`; a segment that cannot be read is left alone for a while, and passed over after a few tries.

        Args:
            now: s of the monotonic clock.
        """
        if now < self._again_at:
            return None
        try:
            loaded = self.read()
        except OSError as error:
            self._attempts += 1
            _log.warning("spool_unreadable", place=self._files.place, error=str(error), attempt=self._attempts)
            self._again_at = now + RETRY_S
            if self._attempts < _MOST_ATTEMPTS:
                return None
            self.pass_over()
            loaded, self._again_at = None, now
        self._attempts = 0
        return loaded

    def skip_to(self, ordinal: int) -> None:
        """Read nothing before `ordinal`; it is settled."""
        if ordinal > self._next:
            self._next = ordinal
            self._missing = []

    def pass_over(self) -> None:
        """Give up the segment that cannot be read; its entries are found missing when the next one is read."""
        segment = self._unread()
        if segment is not None:
            self._turn_to(segment, b"")

    def missing_before(self, end: int) -> list[Loss]:
        """What was found missing at last, up to the ordinal `end`, where there is nothing more to read before it."""
        self._expect(end)
        return self._losses(self._time)

    def _unread(self) -> Segment | None:
        """The segment to read on: the present one where it has grown, else the next."""
        segment = self._segment
        if segment is None:
            begun = [one for one in self._segments if one.name.base <= self._next]
            return begun[-1] if begun else next(iter(self._segments), None)
        if segment.size > self._offset:
            return segment
        return next((one for one in self._segments if one.name.number > segment.name.number), None)

    def _open(self, segment: Segment) -> None:
        start = self._offset if segment is self._segment else 0
        try:
            data = self._files.read(segment.file, start, segment.size - start)
        except FileNotFoundError:
            data = b""
        self._turn_to(segment, data)

    def _turn_to(self, segment: Segment, data: bytes) -> None:
        start = self._offset
        if segment is not self._segment:
            start = 0
            self._known = {}
            self._expect(segment.name.follows)
            self._next = max(self._next, segment.name.base)
        self._segment = segment
        self._offset = segment.size
        self._records = records(data, segment.name, start)

    def _load(self, record: Record) -> Loaded | None:
        """The stretch that ends with this record; None where it holds nothing that is still to be read."""
        end = record.first + record.count
        if record.kind == Kind.PLAN:
            self._plans.read(record.payload, self._known)
        if record.kind != Kind.GROUP or end <= self._next:
            return None
        self._expect(record.first)
        entries, lost = self._decode(record, self._next)
        begin = min((entry.item.stamp.time for _, entry in entries), default=self._time)
        loaded = Loaded(end, entries, self._losses(begin) + lost)
        self._next = end
        self._time = max((entry.item.stamp.time for _, entry in entries), default=self._time)
        return loaded

    def _decode(self, record: Record, start: int) -> tuple[list[tuple[int, Entry]], list[Loss]]:
        """The entries of a record from the ordinal `start` on, and what cannot be read of them."""
        first = record.first
        try:
            group = self._codec.decode(record.payload, record.count, self._known)
        except DamagedGroupError:
            ordinals = range(max(first, start), first + record.count)
            return [], [Loss(ANY_DEVICE, self._time, self._time, ordinals)]
        entries = [(first + position, entry) for position, entry in group.entries if first + position >= start]
        lost = [
            Loss(one.device, one.start, one.end, [first + at for at in one.positions if first + at >= start])
            for one in group.lost
        ]
        return entries, lost

    def _expect(self, ordinal: int) -> None:
        """Note what is missing before `ordinal`."""
        if ordinal > self._next:
            self._missing.append(range(self._next, ordinal))
            self._next = ordinal

    def _losses(self, time: int) -> list[Loss]:
        """What was found missing between the time of the entry before it and `time`."""
        losses = [Loss(ANY_DEVICE, self._time or time, time, ordinals) for ordinals in self._missing]
        self._missing = []
        return losses
