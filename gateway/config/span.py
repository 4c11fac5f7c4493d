"""The windows that a day is cut into: their length as people write it, and where each begins and ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, available_timezones

if TYPE_CHECKING:
    from datetime import date, tzinfo

_NS: Final = 1_000_000_000
_DAY_S: Final = 86_400
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600}
_CALENDAR: Final = {"1d": 1, "1w": 7, "1month": 28}
"""Windows that follow the calendar, and the fewest days that each has."""

_FORM: Final = re.compile(r"([1-9][0-9]{0,4})(s|min|h)")


@dataclass(frozen=True, slots=True)
class Span:
    """One length of window, aligned: every gateway cuts the same time at the same instants.

    Windows shorter than a day divide it and are counted from midnight UTC. Days, weeks (from Monday, ISO 8601) and
    months begin at local midnight, so that a day has 23 or 25 hours when summer time begins or ends.
    """

    text: str
    """As it was written, such as `15min`."""
    length_s: int
    """Its length; of a window by the calendar the shortest there is, less an hour for summer time."""
    timezone: str | None = None
    """IANA name; only windows by the calendar have one."""

    @classmethod
    def of(cls, text: str, timezone: str | None = None) -> Span:
        """The span that a technician wrote.

        Raises:
            ValueError: there is no such window, or its timezone is missing or unknown; for a technician.
        """
        if text in _CALENDAR:
            return cls(text, _CALENDAR[text] * _DAY_S - 3600, _known(timezone, text))
        return cls(text, length_s(text))

    def around(self, time_ns: int) -> tuple[int, int]:
        """Begin and end of the window that an instant lies in: UTC in ns, the end no longer in it."""
        if self.timezone is None:
            length = self.length_s * _NS
            start = time_ns // length * length
            return start, start + length
        zone = _zone(self.timezone)
        day = datetime.fromtimestamp(time_ns // _NS, UTC).astimezone(zone).date()
        first = _first_day(self.text, day)
        return _midnight(first, zone), _midnight(
            _first_day(self.text, first + timedelta(days=31 if self.text == "1month" else _CALENDAR[self.text])), zone
        )


def is_by_calendar(text: str) -> bool:
    """Whether a window follows the calendar and so needs a timezone."""
    return text in _CALENDAR


def length_s(text: str) -> int:
    """Length of a window that is shorter than a day, s.

    Raises:
        ValueError: there is no such window; for a technician.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("a window is written 30s, 15min, 1h, 1d, 1w or 1month")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if _DAY_S % seconds:
        raise ValueError(
            f"windows of {text} do not divide a day evenly, so they would not begin at the same times each day"
        )
    if seconds == _DAY_S:
        raise ValueError("write 1d for a day, with its timezone")
    return seconds


def _known(timezone: str | None, text: str) -> str:
    if timezone is None:
        raise ValueError(f"a window of {text} begins at local midnight and needs a timezone, such as Europe/Amsterdam")
    try:
        _zone(timezone)
    except (KeyError, ValueError, OSError):
        missing = "" if available_timezones() else "; this machine has no list of timezones: install Debian's tzdata"
        raise ValueError(f"no timezone is called {timezone!r}{missing}") from None
    return timezone


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return ZoneInfo(name)


def _first_day(text: str, day: date) -> date:
    """The first day of the week or month that a day lies in; the day itself where the window is one day."""
    if text == "1w":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if text == "1month" else day


def _midnight(day: date, zone: tzinfo) -> int:
    """The first instant of a local day; where midnight is skipped, the instant at which it is."""
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * _NS
