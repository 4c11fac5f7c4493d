"""The file format of the spool, byte by byte: the name of a segment, its header, and the frames of its records.

Every entry in a spool has an ordinal, counted over the life of the spool. The name of a segment holds the ordinal of
its first entry, and each record says which ordinals it holds: what is missing between two intact records is counted
exactly. A frame's CRC also covers its segment and offset, so that bytes of another place or another file never pass for
a record. All numbers are big-endian. `README.md` beside this file shows the layout.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator

MAJOR: Final = 1
"""A release reads and writes one major number. It leaves files of another major number alone."""
MINOR: Final = 0
"""Moves on where an older release can still read what matters: kinds of records it skips, fields it does not know."""

_FILE_NAME: Final = re.compile(r"(\d{8,})-(\d{12,})-(\d+)\.v(\d+)\.spool")
_HEADER: Final = struct.Struct(">8sHHQQQqI")
_HEADER_MAGIC: Final = b"\x89EDGESP\n"
_FRAME: Final = struct.Struct(">4sB3xIQII")
_FRAME_MAGIC: Final = b"\xf5\x9aR\x1e"
_PLACE: Final = struct.Struct(">QQ")
_CRC_BYTES: Final = 4

HEADER_BYTES: Final = _HEADER.size
FRAME_BYTES: Final = _FRAME.size
MOST_RECORD_BYTES: Final = 64 * 1024 * 1024
"""A length beyond this is not believed."""


class Kind(IntEnum):
    """What a record holds. A kind that a release does not know is passed over."""

    PLAN = 1
    GROUP = 2


class SegmentName(NamedTuple):
    """What the name of a segment file says."""

    number: int
    """Counts the segments of a spool; later ones are larger."""
    base: int
    """The ordinal of its first entry."""
    unused: int = 0
    """How many ordinals before that one were given to a write that failed: nothing was lost with them."""
    major: int = MAJOR

    def __str__(self) -> str:
        return f"{self.number:08d}-{self.base:012d}-{self.unused}.v{self.major}.spool"

    @property
    def follows(self) -> int:
        """One more than the ordinal of the last entry that was kept before it."""
        return self.base - self.unused

    @classmethod
    def parse(cls, file_name: str) -> SegmentName | None:
        """What a file name says; None where it is not a segment's."""
        match = _FILE_NAME.fullmatch(file_name)
        name = None if match is None else cls(*map(int, match.groups()))
        return name if str(name) == file_name else None


@dataclass(frozen=True, slots=True)
class Record:
    """One intact record."""

    kind: int
    first: int
    """The ordinal of its first entry; for a plan that of the next entry."""
    count: int
    """How many entries it holds; none for a plan."""
    payload: bytes
    end: int
    """Where it ends in the file."""

    @property
    def start(self) -> int:
        """Where it begins in the file."""
        return self.end - len(self.payload) - FRAME_BYTES


def header(name: SegmentName, time_ns: int) -> bytes:
    """The first bytes of a segment.

    Args:
        name: of the segment.
        time_ns: when it is made, UTC in ns.
    """
    return _sealed(_HEADER.pack(_HEADER_MAGIC, MAJOR, MINOR, name.number, name.base, name.unused, time_ns, 0))


def header_is_intact(data: bytes, name: SegmentName) -> bool:
    """Whether a segment begins with the header that was written for it."""
    start = data[:HEADER_BYTES]
    if len(start) < HEADER_BYTES or start != _sealed(start):
        return False
    magic, major, _, number, base, unused, _, _ = _HEADER.unpack(start)
    return bool((magic, number, base, unused, major) == (_HEADER_MAGIC, *name))


def time_of(data: bytes, name: SegmentName) -> int:
    """When a segment was made, by its first bytes, UTC in ns; 0 where its header is damaged."""
    return int(_HEADER.unpack(data[:HEADER_BYTES])[-2]) if header_is_intact(data, name) else 0


def frame(name: SegmentName, offset: int, record: tuple[Kind, int, int, bytes]) -> bytes:
    """A record of (kind, first, count, payload) as it stands at `offset` of the segment."""
    kind, first, count, payload = record
    unsigned = _FRAME.pack(_FRAME_MAGIC, kind, len(payload), first, count, 0)
    return unsigned[:-_CRC_BYTES] + _crc(name, offset, unsigned, payload).to_bytes(_CRC_BYTES, "big") + payload


def records(data: bytes, name: SegmentName, offset: int = 0) -> Iterator[Record]:
    """The intact records of a piece of a segment. What is damaged is passed over, up to the next intact record.

    Args:
        data: the segment from `offset` on.
        name: of the segment.
        offset: where `data` begins in the file.
    """
    view = memoryview(data)
    position = max(HEADER_BYTES - offset, 0)
    while position >= 0:
        record = _record_at(view, name, offset, position)
        if record is None:
            position = data.find(_FRAME_MAGIC, position + 1)
        else:
            yield record
            position = record.end - offset


def _record_at(data: memoryview, name: SegmentName, offset: int, position: int) -> Record | None:
    start = position + FRAME_BYTES
    if start > len(data):
        return None
    magic, kind, length, first, count, crc = _FRAME.unpack_from(data, position)
    if magic != _FRAME_MAGIC or length > min(MOST_RECORD_BYTES, len(data) - start):
        return None
    payload = data[start : start + length]
    if crc != _crc(name, offset + position, data[position:start], payload):
        return None
    return Record(kind, first, count, bytes(payload), offset + start + length)


def _crc(name: SegmentName, offset: int, frame_head: bytes | memoryview, payload: bytes | memoryview) -> int:
    place = _PLACE.pack(name.number, offset)
    return crc32(payload, crc32(frame_head[:-_CRC_BYTES], crc32(place)))


def _sealed(packed_header: bytes) -> bytes:
    """The header with the CRC of what stands before it."""
    unsealed = packed_header[:-_CRC_BYTES]
    return unsealed + crc32(unsealed).to_bytes(_CRC_BYTES, "big")
