"""What the outbox costs the card that it writes to: bytes a day, and how long the card lasts at that rate."""

from __future__ import annotations

from collections import deque
from typing import Final

LONGEST_LIFE_YEARS: Final = 100.0
"""Told of a card to which next to nothing is written."""

_HOUR_S: Final = 3600.0
_DAY_S: Final = 24 * _HOUR_S
_YEAR_S: Final = 365.25 * _DAY_S
_AMPLIFICATION: Final = 4.0
"""Assumed: a card programs four bytes for each that it is given. A synced write of a few KB takes whole flash pages of
16 KB, and the file system's own pages go with it. Not measured on any card."""


class Wear:
    """A count of bytes, looked at now and then. Times are of the monotonic clock, in s."""

    def __init__(self, endurance_tb: float, now: float) -> None:
        """Begin at no bytes; `endurance_tb` is what the card may be written in its life, in TB of 10^12 bytes."""
        self.endurance_tb = endurance_tb
        self._marks: deque[tuple[float, int]] = deque([(now, 0)])
        self._newest = now, 0

    def note(self, written: int, now: float) -> None:
        """Take note of how many bytes were written since the start."""
        self._newest = now, written
        if now - self._marks[-1][0] >= _HOUR_S:
            self._marks.append(self._newest)
        while len(self._marks) > 1 and self._marks[1][0] <= now - _DAY_S:
            self._marks.popleft()

    @property
    def bytes_a_day(self) -> int:
        """By the last 24 hours, or what there is of them; a first hour counts as a whole one."""
        (begun, before), (now, written) = self._marks[0], self._newest
        return round((written - before) * _DAY_S / max(now - begun, _HOUR_S))

    @property
    def card_life_years(self) -> float:
        """How long a new card would last at that rate, 100 years at most."""
        if self.bytes_a_day == 0:
            return LONGEST_LIFE_YEARS
        days = self.endurance_tb * 1e12 / (self.bytes_a_day * _AMPLIFICATION)
        return min(days * _DAY_S / _YEAR_S, LONGEST_LIFE_YEARS)
