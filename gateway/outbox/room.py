"""How much the spool may take of its disk, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.config.schema import OutboxConfig

MB: Final = 1_000_000

ROOM_FOR_NAMES: Final = 64 * 1024
"""Kept free beyond a group for the cursor, new names and the blocks that a file system rounds up to, in bytes."""

_LEAST_SEGMENT: Final = 64 * 1024
_SEGMENTS_IN_ROOM: Final = 8
"""The bound is kept by dropping whole segments, so there must be several of them however small the disk."""

_HOUR_NS: Final = 3_600_000_000_000
_NO_CLOCK_BEFORE: Final = 1_577_836_800_000_000_000
"""2020-01-01: an earlier time was taken from a clock that had never been set, and tells no age."""


@dataclass(frozen=True, slots=True)
class Room:
    """The bounds of a spool, in bytes and ns."""

    max_bytes: int
    keep_free_bytes: int = 0
    """Left to others on the same disk."""
    segment_bytes: int = 4 * 1024 * 1024
    """A segment that would grow beyond this is closed; less where there is little room."""
    max_age_ns: int | None = None
    """What is older is dropped; None keeps it."""

    @classmethod
    def of(cls, config: OutboxConfig) -> Room:
        """The bounds that a technician wrote."""
        max_age_ns = None if config.max_age_h is None else round(config.max_age_h * _HOUR_NS)
        return cls(config.max_mb * MB, config.keep_free_mb * MB, max_age_ns=max_age_ns)

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

    def is_too_old(self, newest: int, now: int) -> bool:
        """Whether what was written before `newest` is to be dropped at `now`; both UTC in ns."""
        return self.max_age_ns is not None and _NO_CLOCK_BEFORE < newest < now - self.max_age_ns

    def is_long_enough(self, made: int, now: int) -> bool:
        """Whether a segment made at `made` is to be closed at `now`, so that few are kept beyond their time."""
        return self.max_age_ns is not None and now - made > self.max_age_ns // _SEGMENTS_IN_ROOM
