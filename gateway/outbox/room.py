"""How much the spool may take of its disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MB: Final = 1_000_000

ROOM_FOR_NAMES: Final = 64 * 1024
"""Kept free beyond a group for the cursor, new names and the blocks that a file system rounds up to, in bytes."""

_LEAST_SEGMENT: Final = 64 * 1024
_SEGMENTS_IN_ROOM: Final = 8
"""The bound is kept by dropping whole segments, so there must be several of them however small the disk."""


@dataclass(frozen=True, slots=True)
class Room:
    """The bounds of a spool, in bytes."""

    max_bytes: int
    keep_free_bytes: int = 0
    """Left to others on the same disk."""
    segment_bytes: int = 4 * 1024 * 1024
    """A segment that would grow beyond this is closed; less where there is little room."""

    def short_of(self, size: int, free: int) -> int:
        """How much of `size` would have to be taken from what others are promised; below 0 where there is enough."""
        return self.keep_free_bytes + ROOM_FOR_NAMES + size - free

    def over(self, size: int, used: int) -> int:
        """How much the spool would be too large with `size` more; below 0 where it is not."""
        return used + size - self.max_bytes

    def segment_limit(self, used: int, free: int) -> int:
        """At which size a segment is closed."""
        room = min(self.max_bytes, used + max(free - self.keep_free_bytes, 0))
        return min(self.segment_bytes, max(_LEAST_SEGMENT, room // _SEGMENTS_IN_ROOM))
