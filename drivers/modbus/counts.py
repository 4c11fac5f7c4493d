"""What a connection counts of its traffic, for the status and for whoever searches a fault in the wiring."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class LinkCounts:
    """Counted since the connection was configured; opening it anew resets nothing."""

    connects: int = 0
    requests: int = 0
    silences: int = 0
    """Requests that ran into their time-out."""
    garbled_replies: int = 0
    """Answers with a wrong CRC or cut short; bytes that are no frame."""
    wrong_replies: int = 0
    """Whole answers of another unit, function, size or transaction than asked for."""
    stray_frames: int = 0
    """Whole frames that nobody waited for: late, doubled, or of another unit."""
    garbage_bytes: int = 0
    """Bytes on a serial line that belong to no frame."""
    disagreements: int = 0
    """Readings that were done twice after a silence and differed."""
