"""Adds groups to the newest segment: one write and one fdatasync a spill."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from gateway.outbox.catalog import Segment
from gateway.outbox.segment import FRAME_BYTES, Kind, SegmentName, frame, header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.outbox.catalog import Tail
    from gateway.outbox.codec import EncodedGroup
    from gateway.outbox.files import Files, OpenFile
    from gateway.outbox.plans import Plans


class WriterStart(NamedTuple):
    """Where to go on writing."""

    number: int
    """Of the next segment."""
    ordinal: int
    """Of the next entry."""


class Writer:
    """The writing end of a spool. A file that failed once is never written again."""

    def __init__(self, files: Files, segments: list[Segment], plans: Plans, start: WriterStart) -> None:
        """Write behind what is there. New segments are added to `segments`."""
        self._files = files
        self._segments = segments
        self._plans = plans
        self._number, self._next = start
        self.kept = start.ordinal
        """One more than the ordinal of the last entry that was written and synced."""
        self._file: OpenFile | None = None
        self._held: set[bytes] = set()
        self.bytes_written = 0

    @property
    def is_open(self) -> bool:
        """Whether the newest segment is still written to."""
        return self._file is not None

    @property
    def next_ordinal(self) -> int:
        """The ordinal of the next entry; it is never used again, also where writing that entry fails."""
        return self._next

    def continue_with(self, tail: Tail) -> None:
        """Write behind what an earlier process wrote.

        Raises:
            OSError: the file cannot be opened.
        """
        self._file = self._files.append(tail.segment.file)
        self._held = tail.plans

    def write(self, groups: Sequence[EncodedGroup], segment_bytes: int, time_ns: int) -> int:
        """Add groups; they are on the disk when this returns. Returns the ordinal of their first entry.

        Args:
            groups: at least one.
            segment_bytes: a segment that would grow beyond this is closed, and a new one begun.
            time_ns: now, UTC.

        Raises:
            OSError: nobody knows what of it is on the disk; none of it counts as written.
        """
        if self._file is not None and self._segments[-1].size + size_of(groups) > segment_bytes:
            self.seal()
        first = self._next
        try:
            if self._file is None:
                self._begin(groups, time_ns)
            else:
                self._add(self._file, groups)
        except BaseException:
            self.seal()
            raise
        self.kept = self._next
        return first

    def seal(self) -> None:
        """Write no more to the newest segment."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _begin(self, groups: Sequence[EncodedGroup], time_ns: int) -> None:
        name = SegmentName(self._number, self._next, self._next - self.kept)
        self._number += 1
        self._held = set()
        try:
            self._file = self._files.create(str(name))
            data = header(name, time_ns)
            size = self._append(self._file, data + self._frames(name, len(data), groups))
            self._files.sync_folder()
        except OSError:
            self._abandon(name)
            raise
        self._segments.append(Segment(name, size, time_ns))

    def _abandon(self, name: SegmentName) -> None:
        """Leave nothing of a segment that could not be begun; what stays is deleted when its turn comes."""
        try:
            self._files.unlink(str(name))
        except FileNotFoundError:
            return
        except OSError:
            self._segments.append(Segment(name, 0))

    def _add(self, file: OpenFile, groups: Sequence[EncodedGroup]) -> None:
        segment = self._segments[-1]
        try:
            segment.size += self._append(file, self._frames(segment.name, segment.size, groups))
        except OSError:
            # What is half written takes room, and what is whole would be sent twice after the next start.
            with suppress(OSError):
                self._files.truncate(segment.file, segment.size)
            raise

    def _append(self, file: OpenFile, data: bytes) -> int:
        file.write(data)
        file.sync()
        self.bytes_written += len(data)
        return len(data)

    def _frames(self, name: SegmentName, offset: int, groups: Sequence[EncodedGroup]) -> bytes:
        """The groups as they stand at `offset`, each plan before the first group that needs it."""
        frames = bytearray()
        for group in groups:
            for plan in [plan for key, plan in group.plans.items() if key not in self._held]:
                payload = self._plans.payload_of(plan)
                frames += frame(name, offset + len(frames), (Kind.PLAN, self._next, 0, payload))
            self._held.update(group.plans)
            frames += frame(name, offset + len(frames), (Kind.GROUP, self._next, group.count, group.payload))
            self._next += group.count
        return bytes(frames)


def size_of(groups: Sequence[EncodedGroup]) -> int:
    """How much the groups take on disk, in bytes, without the plans that a segment may hold already."""
    return sum(len(group.payload) + FRAME_BYTES for group in groups)
