"""What lies in the folder of a spool, for tools: read beside a running gateway, emptied only without one."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.outbox import cursor as cursors
from gateway.outbox.catalog import look_at_tail, made_at, segments_in
from gateway.outbox.codec import Codec
from gateway.outbox.cursor import Cursor
from gateway.outbox.files import Folder, lock
from gateway.outbox.gaps import GapLedger, gap_of
from gateway.outbox.plans import Plans
from gateway.outbox.ranges import Ranges
from gateway.outbox.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.outbox.catalog import Segment, Tail
    from gateway.outbox.entry import Entry
    from gateway.outbox.reader import Loaded

_PURGED: Final = "purged"


@dataclass(frozen=True, slots=True)
class Shelf:
    """One segment."""

    file: str
    made: int
    """UTC in ns; 0 where its header does not tell."""
    size: int
    """Bytes."""
    entries: int
    """Batches and records of the gateway, as many as were written to it."""
    waiting: int
    """Those of them that are not settled, as far as the cursor says."""


class Stock:
    """A look at the folder at one moment. What a running gateway does afterwards is not seen."""

    def __init__(self, folder: Path) -> None:
        """Look into a folder, and change nothing.

        Raises:
            OSError: there is no such folder, or it cannot be read.
        """
        self.folder: Final = folder
        self._files = Folder(folder)
        self._plans = Plans()
        self._codec = Codec(self._plans)
        sizes = self._files.sizes()
        self._segments, aside = segments_in(sizes)
        self.aside: Final = [str(name) for name in aside]
        """Files of another major format."""
        oldest = self._segments[0].name.base if self._segments else 0
        self._cursor = cursors.load(self._files) or Cursor(oldest, oldest)
        self._settled = Ranges(self._cursor.settled)
        self._tail: Tail | None = None
        if self._segments:
            self._tail = look_at_tail(self._files, self._segments[-1], self._codec, self._plans)

    @property
    def size(self) -> int:
        """What the segments take together, bytes."""
        return sum(segment.size for segment in self._segments)

    @property
    def waiting(self) -> int:
        """Batches and records of the gateway that are not settled."""
        return sum(shelf.waiting for shelf in self.shelves())

    @property
    def gaps(self) -> int:
        """Gap records that are still to be told."""
        return len(self._cursor.gaps)

    @property
    def newest(self) -> int | None:
        """The time of the newest batch, UTC in ns; None where there is none."""
        return self._tail.newest or None if self._tail else None

    @property
    def oldest(self) -> int | None:
        """The time of the oldest batch that waits, UTC in ns; None where there is none."""
        return next((entry.item.stamp.time for entry in self.entries()), None)

    @property
    def is_in_use(self) -> bool:
        """Whether a gateway works on it at this moment."""
        try:
            os.close(lock(self.folder))
        except OSError:
            return True
        return False

    def shelves(self) -> list[Shelf]:
        """The segments, oldest first."""
        return [self._shelf(segment, end) for segment, end in zip(self._segments, self._ends(), strict=True)]

    def entries(self) -> Iterator[Entry]:
        """What waits, oldest first. What is damaged is passed over."""
        reader = Reader(self._files, self._segments, self._codec, self._plans, self._cursor.ordinal)
        while loaded := _next(reader):
            for ordinal, entry in loaded.entries:
                if ordinal not in self._settled:
                    yield entry

    def empty(self) -> int:
        """Delete what waits, and note it as gaps to be told. Returns how many there were. See `purge`.

        Raises:
            OSError: the disk failed.
        """
        ledger = GapLedger()
        ledger.add_all(self._cursor.gaps)
        purged = self.waiting
        for entry in self.entries():
            ledger.add(gap_of(entry, _PURGED))
        end = max([self._cursor.ordinal, self._cursor.kept, *self._ends()])
        cursors.save(self._files, Cursor(end, end, ledger.all()))
        for segment in self._segments:
            with suppress(FileNotFoundError):
                self._files.unlink(segment.file)
        self._files.sync_folder()
        return purged

    def _ends(self) -> list[int]:
        """One more than the ordinal of the last entry of each segment."""
        following = [segment.name.follows for segment in self._segments[1:]]
        return [*following, self._tail.end] if self._tail else []

    def _shelf(self, segment: Segment, end: int) -> Shelf:
        begin = max(segment.name.base, min(self._cursor.ordinal, end))
        written, waiting = end - segment.name.base, end - begin - self._settled_between(begin, end)
        return Shelf(segment.file, made_at(self._files, segment), segment.size, written, waiting)

    def _settled_between(self, begin: int, end: int) -> int:
        overlaps = (min(last, end) - max(first, begin) for first, last in self._settled.pairs())
        return sum(overlap for overlap in overlaps if overlap > 0)


def purge(folder: Path) -> int:
    """Delete what waits; the next start of the gateway tells in gap records what that was. Returns how many.

    Raises:
        OSError: EBUSY while a gateway works on the folder; or the disk failed.
    """
    held = lock(folder)
    try:
        return Stock(folder).empty()
    finally:
        os.close(held)


def _next(reader: Reader) -> Loaded | None:
    """The next stretch; a segment that cannot be read is passed over."""
    while True:
        try:
            return reader.read()
        except OSError:
            reader.pass_over()
