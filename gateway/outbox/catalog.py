"""The segments of a spool, oldest first, and what the newest of them holds at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.outbox.codec import DamagedGroupError
from gateway.outbox.segment import HEADER_BYTES, MAJOR, Kind, SegmentName, header_is_intact, records, time_of

if TYPE_CHECKING:
    from gateway.model import Plan
    from gateway.outbox.codec import Codec
    from gateway.outbox.files import Files
    from gateway.outbox.plans import Plans
    from gateway.outbox.room import Room
    from gateway.outbox.segment import Record


@dataclass(slots=True, eq=False)
class Segment:
    """One file of the spool."""

    name: SegmentName
    size: int
    """Bytes from its start that were written and synced."""
    made: int | None = None
    """When it was begun, UTC in ns; 0 where its header does not tell, None where it was not looked up."""

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return str(self.name)


@dataclass(slots=True)
class Tail:
    """What the newest segment holds. Only this one is read at the start, however many there are."""

    segment: Segment
    end: int
    """One more than the ordinal of its last entry, or of what it begins with where it holds none."""
    plans: set[bytes] = field(default_factory=set)
    whole: bool = True
    """All of it is intact, but perhaps its end: more may be written behind it."""
    newest: int = 0
    """The latest time in its last record, UTC in ns; 0 where there is none."""
    intact_bytes: int = HEADER_BYTES
    """Where its last intact record ends."""


def segments_in(sizes: dict[str, int]) -> tuple[list[Segment], list[SegmentName]]:
    """The segments of a folder, oldest first, and those that another major format wrote.

    Args:
        sizes: the files of the folder, each with its size in bytes.
    """
    names = sorted(name for name in map(SegmentName.parse, sizes) if name is not None)
    mine = [Segment(name, sizes[str(name)]) for name in names if name.major == MAJOR]
    return mine, [name for name in names if name.major != MAJOR]


def read_tail(files: Files, segment: Segment, codec: Codec, plans: Plans) -> Tail:
    """Read the newest segment, and cut what a crash left unfinished at its end.

    Raises:
        OSError: it cannot be read, or not be cut.
    """
    tail = look_at_tail(files, segment, codec, plans)
    if tail.whole and segment.size > tail.intact_bytes:
        files.truncate(segment.file, tail.intact_bytes)
        segment.size = tail.intact_bytes
    return tail


def look_at_tail(files: Files, segment: Segment, codec: Codec, plans: Plans) -> Tail:
    """Read the newest segment, and leave it as it is.

    Raises:
        OSError: it cannot be read.
    """
    data = files.read(segment.file, 0, segment.size)
    tail = Tail(segment, segment.name.base, whole=header_is_intact(data, segment.name))
    known: dict[bytes, Plan] = {}
    last = None
    for record in records(data, segment.name):
        tail.whole = tail.whole and record.start == tail.intact_bytes
        tail.intact_bytes = record.end
        if record.kind == Kind.PLAN:
            plans.read(record.payload, known)
        elif record.kind == Kind.GROUP:
            last = record
            tail.end = record.first + record.count
    tail.plans = set(known)
    tail.newest = 0 if last is None else _newest(last, known, codec)
    return tail


def _newest(record: Record, known: dict[bytes, Plan], codec: Codec) -> int:
    try:
        group = codec.decode(record.payload, record.count, known)
    except DamagedGroupError:
        return 0
    return max((entry.item.stamp.time for _, entry in group.entries), default=0)


def made_at(files: Files, segment: Segment) -> int:
    """When a segment was begun, UTC in ns; 0 where nobody can tell. It is looked up once.

    Raises:
        OSError: it cannot be read.
    """
    if segment.made is None:
        segment.made = time_of(files.read(segment.file, 0, HEADER_BYTES), segment.name)
    return segment.made


def outdated(files: Files, segments: list[Segment], room: Room, now: int) -> list[Segment]:
    """The segments that hold nothing but what is too old at `now`, oldest first. The newest one is never among them.

    Raises:
        OSError: one of them cannot be read.
    """
    too_old = []
    for segment, following in pairwise(segments):
        if not room.is_too_old(made_at(files, following), now):
            break
        too_old.append(segment)
    return too_old


def oldest(segments: list[Segment], needed: int) -> list[Segment]:
    """The oldest segments that together take `needed` bytes, or all of them where that is not enough."""
    chosen = []
    for segment in segments:
        if needed <= 0:
            break
        chosen.append(segment)
        needed -= segment.size
    return chosen
