"""The guarded total of one meter: what its readings add up to, whatever the meter itself begins anew."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from gateway.state import Json

_LAST_QUARTER: Final = 0.75
_FIRST_QUARTER: Final = 0.25
_RESET_BELOW: Final = 0.01
"""A meter that begins anew shows less than this part of what it showed before."""


class Repair(StrEnum):
    """Why the total went another way than the reading; the value is the name of the event."""

    ROLLOVER = "counter_rollover"
    """From the last quarter of a turn to the first: the turn is added."""
    RESET = "counter_reset"
    """Down to less than a hundredth: the meter began at zero, and its reading is added."""
    EXCHANGED = "counter_exchanged"
    """Down to anything else: another meter, whose reading says nothing of what flowed. The total stands still."""
    ZERO_IGNORED = "counter_zero_ignored"
    """Zero after a pause, then on as before: the meter was not ready. Nothing is added."""


class Meter:
    """Total = base + reading, so nothing adds up but at repairs, and a reading that is lost costs nothing.

    Args:
        turn: counts after which the meter begins again at zero; None where it never does.
    """

    def __init__(self, turn: float | None) -> None:
        self._turn = turn
        self._base: float = 0
        self._last: float | None = None
        self._resumes = False
        self.waits = False
        """It showed zero after a pause, and nobody knows yet what that means."""
        self.total: float = 0
        """In raw counts; it begins with the first reading and never runs backwards."""

    def read(self, raw: float) -> Repair | None:
        """Take a reading; the repair that it needed."""
        last, resumes = self._last, self._resumes
        self._resumes = False
        if last is None:
            self._advance(raw)
            return None
        if raw >= last:
            repair = Repair.ZERO_IGNORED if self.waits else None
            self._advance(raw)
            return repair
        if raw == 0 and (resumes or self.waits):
            self.waits = True
            return None
        return self._begin_anew(last, raw)

    def pause(self) -> None:
        """Nothing is heard of the meter; its next reading may be a zero that means nothing."""
        self._resumes = True

    @property
    def last(self) -> float | None:
        """The last reading that counted, raw."""
        return self._last

    def _begin_anew(self, last: float, raw: float) -> Repair:
        repair = self._repair(last, raw)
        if repair is Repair.ROLLOVER:
            self._base += _whole(self._turn or 0)
        else:
            self._base += last if repair is Repair.RESET else last - raw
        self._advance(raw)
        return repair

    def _repair(self, last: float, raw: float) -> Repair:
        turn = self._turn
        if turn is not None and last >= turn * _LAST_QUARTER and 0 <= raw < turn * _FIRST_QUARTER:
            return Repair.ROLLOVER
        return Repair.RESET if 0 <= raw < last * _RESET_BELOW else Repair.EXCHANGED

    def _advance(self, raw: float) -> None:
        self._last = raw
        self.waits = False
        self.total = max(self.total, self._base + raw)

    def memory(self) -> Json:
        """What outlives the process. Numbers as text: a JSON number may not hold all digits of a count."""
        return [repr(self._base), repr(self._last), repr(self.total)]

    def remember(self, memory: Json) -> None:
        """Go on from what an earlier run left; from anything else begin anew."""
        numbers = _numbers(memory)
        if numbers is not None:
            self._base, self._last, self.total = numbers
            self._resumes = True


def _whole(number: float) -> float:
    """As an int where it is one, so that counts add up exactly however large they are."""
    return int(number) if number == int(number) else number


def _numbers(memory: Json) -> tuple[float, float, float] | None:
    if not isinstance(memory, list) or not all(isinstance(text, str) for text in memory):
        return None
    try:
        base, last, total = (_number(str(text)) for text in memory)
    except ValueError:
        return None
    return (base, last, total) if isfinite(base + last + total) else None


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)
