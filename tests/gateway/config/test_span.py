"""How time is cut into windows, summer time and calendar included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config import span as span_module
from gateway.config.span import Span

S = 1_000_000_000
ZONES = ["Europe/Amsterdam", "America/New_York", "America/Havana", "Africa/Cairo", "Asia/Kolkata", "Pacific/Apia"]


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * S


def hours(window: str, zone: str, at: str) -> float:
    start, end = Span.of(window, zone).around(ns(at))
    return (end - start) / 3600 / S


@pytest.mark.parametrize(("window", "start"), [("30s", 0), ("1min", 0), ("15min", 0), ("1h", 0), ("12h", 0)])
def test_short_windows_are_counted_from_midnight_utc(window: str, start: int) -> None:
    """Every gateway cuts at the same instants, whenever it started."""
    first, end = Span.of(window).around(ns("2026-11-24T00:00:00+00:00"))
    assert first == ns("2026-11-24T00:00:00+00:00") + start
    assert Span.of(window).around(end) == (end, end + (end - first))


@pytest.mark.parametrize(
    ("window", "zone", "at", "expected"),
    [
        ("1d", "Europe/Amsterdam", "2026-03-29T12:00:00+00:00", 23),
        ("1d", "Europe/Amsterdam", "2026-10-25T12:00:00+00:00", 25),
        ("1d", "Europe/Amsterdam", "2026-07-01T12:00:00+00:00", 24),
        ("1d", "America/Havana", "2026-11-01T06:30:00+00:00", 25),
        ("1d", "Africa/Cairo", "2026-04-24T12:00:00+00:00", 23),
        ("1w", "Europe/Amsterdam", "2026-03-29T12:00:00+00:00", 167),
        ("1month", "Europe/Amsterdam", "2026-02-10T12:00:00+00:00", 672),
        ("1month", "Europe/Amsterdam", "2026-03-10T12:00:00+00:00", 743),
    ],
)
def test_windows_by_the_calendar_follow_summer_time(window: str, zone: str, at: str, expected: float) -> None:
    """A day has 23 or 25 hours when the clock changes, at midnight too (Havana, Cairo)."""
    assert hours(window, zone, at) == expected


@pytest.mark.parametrize("window", ["1d", "1w", "1month"])
@pytest.mark.parametrize("zone", ZONES)
@given(seconds=st.integers(-(10**9), 4 * 10**9))
def test_windows_cover_all_time_without_gap_or_overlap(window: str, zone: str, seconds: int) -> None:
    """Each instant lies in its window, and the next window begins where this one ends, at a local midnight."""
    span = Span.of(window, zone)
    start, end = span.around(seconds * S)
    assert start <= seconds * S < end
    assert span.around(end)[0] == end
    assert span.around(start) == (start, end)
    assert span.around(end - 1) == (start, end)


@given(st.integers(0, 4 * 10**9), st.sampled_from(ZONES))
def test_days_begin_on_the_date_of_the_timezone(seconds: int, zone: str) -> None:
    """The window of an instant is that of its local date."""
    start, _ = Span.of("1d", zone).around(seconds * S)
    local = datetime.fromtimestamp(seconds, UTC).astimezone(ZoneInfo(zone)).date()
    assert datetime.fromtimestamp(start // S, UTC).astimezone(ZoneInfo(zone)).date() == local


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """ISO 8601."""
    start, end = Span.of("1w", "Europe/Amsterdam").around(ns("2026-11-24T10:00:00+00:00"))
    assert datetime.fromtimestamp(start // S, ZoneInfo("Europe/Amsterdam")) == datetime(
        2026, 11, 23, tzinfo=ZoneInfo("Europe/Amsterdam")
    )
    assert timedelta(seconds=(end - start) / S) == timedelta(days=7)
    start, _ = Span.of("1month", "Europe/Amsterdam").around(ns("2026-11-30T23:30:00+00:00"))
    assert start == ns("2026-12-01T00:00:00+01:00")


@pytest.mark.parametrize(
    "window", ["7min", "7s", "5h", "48h", "100min", "24h", "1440min", "86400s", "0min", "15", "1 h", "1y", ""]
)
def test_windows_that_do_not_repeat_each_day_are_refused(window: str) -> None:
    """They would begin at another time each day, so two days could not be compared."""
    with pytest.raises(ValueError, match=r"window|1d"):
        Span.of(window)


@pytest.mark.parametrize(
    "zone", ["Europe/Amsterdm", "", "../../etc/passwd", "/etc/localtime", "Europe", "\0", "EUROPE/é"]
)
def test_a_timezone_that_is_none_is_refused(zone: str) -> None:
    """Whatever the text, the answer is an error for a technician."""
    with pytest.raises(ValueError, match="no timezone is called"):
        Span.of("1d", zone)


def test_a_machine_without_timezones_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no list of timezones exists at all, the name is not the mistake."""
    monkeypatch.setattr(span_module, "available_timezones", set)
    with pytest.raises(ValueError, match="install Debian's tzdata"):
        Span.of("1d", "Mars/Olympus")


def test_the_length_of_a_window_by_the_calendar_is_its_shortest() -> None:
    """What is compared with the period of its source holds on every day."""
    assert Span.of("1d", "Europe/Amsterdam").length_s == 23 * 3600
    assert Span.of("15min").length_s == 900
