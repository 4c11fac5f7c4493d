"""Bytes a day, and what they leave of a card's life."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.config.schema import OutboxConfig
from gateway.outbox.wear import LONGEST_LIFE_YEARS, Wear

HOUR_S = 3600.0


def test_a_day_is_counted_by_the_last_24_hours() -> None:
    """A night without a broker is forgotten a day later."""
    wear = Wear(16.0, 0.0)
    written = 0
    for hour in range(1, 100):
        written += 1_000_000 if hour <= 12 else 10
        wear.note(written, hour * HOUR_S)
        if hour == 12:
            assert wear.bytes_a_day == pytest.approx(24_000_000)
        if hour == 24:
            assert wear.bytes_a_day == pytest.approx(12_000_120)
    assert wear.bytes_a_day == 240


def test_a_first_hour_counts_as_a_whole_one() -> None:
    """The first spill after a start is not taken for a day's pace."""
    wear = Wear(16.0, 100.0)
    wear.note(1000, 101.0)
    assert wear.bytes_a_day == 24_000


def test_the_life_of_a_card_follows_from_what_it_may_be_written() -> None:
    """16 TB at 1 GB a day, each byte four times: eleven years; twice the card, twice the years."""
    wear = Wear(16.0, 0.0)
    wear.note(1_000_000_000, 24 * HOUR_S)
    assert wear.card_life_years == pytest.approx(10.95, abs=0.01)
    wear.endurance_tb = 32.0
    assert wear.card_life_years == pytest.approx(21.9, abs=0.01)


def test_a_card_that_nobody_writes_to_outlives_the_gateway() -> None:
    """No division by nothing, and no thousand years either."""
    wear = Wear(16.0, 0.0)
    assert wear.card_life_years == LONGEST_LIFE_YEARS
    wear.note(1, 10 * HOUR_S)
    assert wear.card_life_years == LONGEST_LIFE_YEARS


async def test_the_counters_tell_it(rig: Any) -> None:
    """By what the spool wrote, and by the card of the configuration."""
    rig.outbox.apply(OutboxConfig(card_endurance_tb=0.001, keep_free_mb=0))
    for _ in range(10):
        rig.put(50)
        await rig.tend(1.1)
    counters = rig.outbox.counters
    assert counters.bytes_a_day == pytest.approx(counters.bytes_written * 24, rel=0.01)
    assert counters.card_life_years == pytest.approx(1e9 / 4 / counters.bytes_a_day / 365.25, rel=0.01)


def test_the_status_line_tells_it(rig: Any) -> None:
    """In MB and years, with as many digits as anybody reads."""
    counters = replace(rig.outbox.counters, bytes_a_day=1_440_000_000, card_life_years=7.604)
    assert counters.wear == "disk 1440 MB a day, card lasts 7.6 years"
    assert rig.outbox.counters.wear == "disk 0 MB a day, card lasts 100 years"


def test_what_is_remembered_is_bounded() -> None:
    """A mark an hour, for a day."""
    wear = Wear(16.0, 0.0)
    for minute in range(100_000):
        wear.note(minute, minute * 60.0)
    assert len(wear._marks) <= 26
