"""The durable part of the outbox: append-only segments, a cursor, a bound. Used by one thread at a time.

It starts whatever lies in its folder. Where the disk fails, the file that failed is closed and kept, and the next try
goes to a new one, half a minute later; meanwhile `failure` says what is the matter, and what was written before is
still drained.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from typing import TYPE_CHECKING, Final

import structlog

from gateway.outbox import cursor as cursors
from gateway.outbox.catalog import made_at, oldest, outdated
from gateway.outbox.codec import Codec
from gateway.outbox.cursor import Cursor
from gateway.outbox.evict import Eviction, eviction
from gateway.outbox.files import Folder
from gateway.outbox.plans import Plans
from gateway.outbox.reader import RETRY_S, Reader
from gateway.outbox.room import MB, ROOM_FOR_NAMES, Room
from gateway.outbox.survey import RUNNING_FILE, mark_running, survey
from gateway.outbox.writer import Writer, size_of
from gateway.vocabulary import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gateway.clock import Clock
    from gateway.model import Gap
    from gateway.outbox.catalog import Segment
    from gateway.outbox.codec import EncodedGroup
    from gateway.outbox.entry import Entry
    from gateway.outbox.evict import Fates
    from gateway.outbox.files import Files
    from gateway.outbox.reader import Loaded

_NO_ROOM_RETRY_S: Final = 1.0
_NO_ROOM: Final = (ENOSPC, EDQUOT)

_log = structlog.get_logger()


class SpoolError(Exception):
    """The disk did not take what was to be written. The text is for a technician."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is the matter with the disk, and since when."""

    cause: str
    since: int
    """UTC, ns since 1970."""


class Spool:
    """Groups of entries on disk. Each entry has an ordinal, counted over the life of the spool."""

    def __init__(self, files: Files, clock: Clock, room: Room, boot: str = "") -> None:
        self._files = files
        self._clock = clock
        self._boot = boot
        self.room = room
        """Its bounds; they may be exchanged at any time."""
        self._plans = Plans()
        self._codec = Codec(self._plans)
        self._segments: list[Segment] = []
        self._ends: tuple[Reader, Writer] | None = None
        self._cursor = Cursor()
        self._retry_at = 0.0
        self._shortage = 0
        self._cursor_bytes = 0
        self._found: Cursor | None = None
        self._mark_is_old = False
        self.unclean_end: Gap | None = None
        """The gap of a run before this one that did not close the spool; whoever tells of it resets this."""
        self.failure: Failure | None = None
        self.segments_aside = 0
        """Segments that another major format wrote; they are left as they are."""

    @classmethod
    def open(cls, folder: Path, clock: Clock, room: Room, boot: str = "") -> Spool:
        """The spool of a folder, which is made where it is missing.

        Never fails: where the folder cannot be used, `failure` says why, and later writes try it again.

        Args:
            folder: for this spool alone.
            clock: for back-off and the times of gaps.
            room: how much of the disk it may take, and for how long.
            boot: the kernel's id of this boot, which tells a power cut from a crash; empty where nobody knows.
        """
        spool = cls(Folder(folder), clock, room, boot)
        spool.start()
        return spool

    @property
    def bytes_on_disk(self) -> int:
        """What the segments take together."""
        return sum(segment.size for segment in self._segments)

    @property
    def bytes_written(self) -> int:
        """All that this process wrote, segments and cursors."""
        return self._cursor_bytes + (self._ends[1].bytes_written if self._ends else 0)

    @property
    def first_ordinal(self) -> int:
        """The first ordinal that is not known, on disk, to be settled."""
        return self._cursor.ordinal

    @property
    def next_ordinal(self) -> int:
        """The ordinal of the next entry to be written."""
        return self._ends[1].next_ordinal if self._ends else self._cursor.ordinal

    @property
    def is_blocked(self) -> bool:
        """Whether the disk failed so short a time ago that it is not tried again yet."""
        return self.failure is not None and self._clock.monotonic_s() < self._retry_at

    def try_now(self) -> None:
        """Try a disk that failed without waiting any longer."""
        self._retry_at = 0.0

    def take_found(self) -> Cursor | None:
        """Where an earlier run left off, with the gap of its unclean end. Given once, after the folder was opened."""
        found, self._found = self._found, None
        return found

    def start(self) -> None:
        """Look what lies in the folder."""
        try:
            self._prepare()
        except OSError as error:
            self._fail("be opened", error)

    def encode(self, entries: Sequence[Entry]) -> EncodedGroup:
        """One group of these entries, to be written.

        Raises:
            TypeError, ValueError: an entry holds what no tag can hold.
        """
        return self._codec.encode(entries)

    def crowded_out(self, groups: Sequence[EncodedGroup]) -> list[Segment]:
        """The segments to be dropped before these groups are written, oldest first; none where there is room.

        Raises:
            SpoolError: dropping all of them would not make room.
        """
        self._writer()
        try:
            free = self._files.free_bytes()
        except OSError as error:
            raise self._fail("be measured", error) from error
        size, used = size_of(groups), self.bytes_on_disk
        short = self.room.short_of(size, free)
        if short > used:
            floor = self.room.keep_free_bytes // MB
            raise self._fail("be written", OSError(ENOSPC, f"its disk is full ({floor} MB are to stay free)"))
        return oldest(self._segments, max(short, self.room.over(size, used), self._shortage))

    def outdated(self) -> list[Segment]:
        """The segments that are to be dropped for their age, oldest first.

        Raises:
            SpoolError: they cannot be read.
        """
        writer, now = self._writer(), self._clock.now().time
        try:
            if writer.is_open and self.room.is_long_enough(made_at(self._files, self._segments[-1]), now):
                writer.seal()
            return outdated(self._files, self._segments, self.room, now)
        except OSError as error:
            raise self._fail("be read", error) from error

    def end_of(self, segment: Segment) -> int:
        """One more than the ordinal of its last entry; 0 for one that is deleted."""
        if segment not in self._segments:
            return 0
        following = self._following(segment)
        return self.next_ordinal if following is None else following.name.base

    def drop(self, segment: Segment, fates: Fates, cursor: Cursor, reason: str) -> Eviction:
        """Drop the oldest segment: count what is lost with it, keep its notices, delete it.

        The gaps are on disk, in the cursor, before the segment is deleted, where there is room for that. Returns the
        gaps, and the notices that could not be kept on disk.

        Args:
            segment: of those that `crowded_out` or `outdated` named.
            fates: of its entries.
            cursor: as for `save`.
            reason: why; of the gaps.

        Raises:
            SpoolError: the disk failed; the segment may be there or not.
        """
        writer = self._writer()
        if segment not in self._segments:
            return Eviction([], [])
        if segment is self._segments[-1]:
            writer.seal()
        end = self.end_of(segment)
        reader = Reader(self._files, [segment], self._codec, self._plans, max(self._cursor.ordinal, segment.name.base))
        lost = eviction(reader, self._kept_end_of(segment), fates, reason)
        _log.warning(reason, segment=segment.file, dropped=sum(gap.count or 0 for gap in lost.gaps))
        beyond = cursor._replace(ordinal=max(cursor.ordinal, end), gaps=(*cursor.gaps, *lost.gaps))
        moved = self._with_room(beyond.ordinal, lambda: self._keep_and_move(lost.notices, beyond))
        return Eviction(lost.gaps, [] if moved else lost.notices)

    def write(self, groups: Sequence[EncodedGroup]) -> int:
        """Write groups, at least one; they are on the disk when this returns. Returns the ordinal of the first entry.

        Raises:
            SpoolError: none of it counts as written.
        """
        writer = self._writer()
        try:
            first = writer.write(groups, self._segment_limit(), self._clock.now().time)
        except OSError as error:
            self._shortage = size_of(groups) + ROOM_FOR_NAMES if error.errno in _NO_ROOM else 0
            raise self._fail("be written", error) from error
        self._shortage = 0
        self._succeed()
        return first

    def read(self) -> Loaded | None:
        """The next stretch of the spool; None where there is none for now. What cannot be read is passed over."""
        return None if self._ends is None else self._ends[0].read_patiently(self._clock.monotonic_s())

    def save(self, cursor: Cursor) -> None:
        """Note what is settled, and delete the segments before it.

        Args:
            cursor: never goes back; `kept` is filled in here.

        Raises:
            SpoolError: the disk failed; the old cursor holds or the new one.
        """
        self._writer()
        self._with_room(cursor.ordinal, lambda: self._move(cursor))
        if self._mark_is_old and self._found is None:
            self._mark_is_old = False
            with suppress(OSError):
                mark_running(self._files, self._clock.now().time, self._boot)

    def touch(self) -> None:
        """Note on disk that the gateway runs: after a crash this is the last time that is known of it."""
        with suppress(OSError):
            self._files.touch(RUNNING_FILE, self._clock.now().time)

    def close(self, *, clean: bool) -> None:
        """Close the files. Never raises.

        Args:
            clean: nothing that waits is left in memory: the next start has no gap to tell.
        """
        if self._ends is None:
            return
        self._ends[1].seal()
        try:
            self._delete_before(self._cursor.ordinal)
            if clean:
                with suppress(FileNotFoundError):
                    self._files.unlink(RUNNING_FILE)
            self._files.sync_folder()
        except OSError as error:
            _log.warning("spool_not_closed", place=self._files.place, error=str(error))
        self._files.release()

    def _prepare(self) -> None:
        found = survey(self._files, self._codec, self._plans, self._clock.now().time, self._boot)
        writer = Writer(self._files, found.segments, self._plans, found.start)
        if found.tail is not None and found.tail.whole:
            writer.continue_with(found.tail)
        self._segments = found.segments
        self._ends = (Reader(self._files, found.segments, self._codec, self._plans, found.cursor.ordinal), writer)
        self._cursor = found.cursor
        self._found = found.cursor._replace(gaps=(*found.cursor.gaps, *found.crash))
        self._mark_is_old = bool(found.crash)
        self.unclean_end = next(iter(found.crash), None)
        self.segments_aside = found.aside
        self._delete_before(found.cursor.ordinal)

    def _writer(self) -> Writer:
        """The writing end, where the disk is worth a try."""
        if self._ends is None and not self.is_blocked:
            self.start()
        if self.failure is not None and self.is_blocked:
            raise SpoolError(self.failure.cause)
        assert self._ends is not None
        return self._ends[1]

    def _fail(self, what: str, error: OSError) -> SpoolError:
        cause = f"the spool in {self._files.place} cannot {what}: {error.strerror or error}"
        if self.failure is None or self.failure.cause != cause:
            _log.warning("spool_failed", cause=cause, code=Code.DISK)
        self.failure = Failure(cause, self.failure.since if self.failure else self._clock.now().time)
        room_can_be_made = error.errno in _NO_ROOM and bool(self._segments)
        self._retry_at = self._clock.monotonic_s() + (_NO_ROOM_RETRY_S if room_can_be_made else RETRY_S)
        return SpoolError(cause)

    def _succeed(self) -> None:
        if self.failure is not None:
            _log.info("spool_recovered", place=self._files.place)
        self.failure = None

    def _segment_limit(self) -> int:
        return self.room.segment_limit(self.bytes_on_disk, self._files.free_bytes())

    def _kept_end_of(self, segment: Segment) -> int:
        """As `end_of`, without the ordinals at its end that were given to a write that failed."""
        following = self._following(segment)
        return self._writer().kept if following is None else following.name.follows

    def _following(self, segment: Segment) -> Segment | None:
        at = self._segments.index(segment) + 1
        return self._segments[at] if at < len(self._segments) else None

    def _with_room(self, ordinal: int, move: Callable[[], None]) -> bool:
        """Move the cursor to `ordinal`, sync, then delete; on a disk without room for a new cursor, delete first.

        Returns whether the cursor was moved. False: what is before `ordinal` is deleted, and only memory knows why.
        """
        try:
            move()
        except OSError as error:
            if error.errno not in _NO_ROOM or not self._delete_first(ordinal):
                raise self._fail("be written", error) from error
            try:
                move()
            except OSError as again:
                self._fail("be written", again)
                return False
        try:
            self._delete_before(ordinal)
        except OSError as error:
            self._fail("be cleared", error)
        else:
            self._succeed()
        return True

    def _delete_first(self, ordinal: int) -> bool:
        """Delete what is before `ordinal` although the cursor does not say so yet. Returns whether anything went."""
        there = len(self._segments)
        with suppress(OSError):
            self._delete_before(ordinal)
        if len(self._segments) == there:
            return False
        self._stand_at(self._cursor._replace(ordinal=max(self._cursor.ordinal, ordinal)))
        return True

    def _keep_and_move(self, notices: Sequence[Entry], cursor: Cursor) -> None:
        if notices:
            self._writer().write([self.encode(notices)], self._segment_limit(), self._clock.now().time)
        self._move(cursor)

    def _move(self, cursor: Cursor) -> None:
        moved = cursor._replace(ordinal=max(cursor.ordinal, self._cursor.ordinal), kept=self._writer().kept)
        self._cursor_bytes += cursors.save(self._files, moved)
        self._stand_at(moved)

    def _stand_at(self, cursor: Cursor) -> None:
        self._cursor = cursor
        if self._ends is not None:
            self._ends[0].skip_to(cursor.ordinal)

    def _delete_before(self, ordinal: int) -> None:
        """Delete the segments that are drained or dropped; the one that is written to stays."""
        while self._segments and self.end_of(self._segments[0]) <= ordinal:
            if len(self._segments) == 1 and self._ends is not None and self._ends[1].is_open:
                return
            with suppress(FileNotFoundError):
                self._files.unlink(self._segments[0].file)
            del self._segments[0]
