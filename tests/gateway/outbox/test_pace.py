"""How fast history goes out."""

from __future__ import annotations

import pytest

from gateway.outbox.pace import Pace


def sent_within(pace: Pace, seconds: float, step_s: float, start: float = 0.0) -> int:
    """How many messages go out in some time, if there is always one waiting and the loop wakes every `step_s`."""
    count = 0
    for step in range(round(seconds / step_s)):
        now = start + step * step_s
        while pace.wait_s(now) == 0:
            pace.sent(now)
            count += 1
    return count


@pytest.mark.parametrize("step_s", [0.001, 0.02, 0.09])
def test_the_rate_is_kept(step_s: float) -> None:
    """On average, however late the loop wakes."""
    assert sent_within(Pace(50), 20, step_s) == pytest.approx(1000, abs=10)


def test_what_was_not_used_is_not_kept_for_ever() -> None:
    """After a long silence history does not come in a flood."""
    pace = Pace(50)
    assert sent_within(pace, 1, 0.02, start=1000.0) <= 50 + 6


def test_a_message_waits_until_its_time() -> None:
    """The wait is what is left of the interval."""
    pace = Pace(10)
    pace.sent(100.0)
    pace.sent(100.0)
    assert pace.wait_s(100.0) == pytest.approx(0.1)
    assert pace.wait_s(100.06) == pytest.approx(0.04)
    assert pace.wait_s(100.2) == 0


def test_without_live_data_history_goes_at_its_least_rate() -> None:
    """600 messages a second drain an hour of one a second in six seconds."""
    assert Pace(None).rate == 600


def test_history_goes_at_twenty_times_the_live_rate() -> None:
    """A gateway with much live data drains much; the rate follows within half a minute."""
    pace = Pace(None)
    for second in range(60):
        pace.measure(60 * second, float(second))
    assert pace.rate == pytest.approx(1200, rel=0.01)
    for second in range(60, 120):
        pace.measure(60 * 60, float(second))
    assert pace.rate == 600


def test_measuring_twice_at_one_time_changes_nothing() -> None:
    """A clock that stands still divides nothing by nothing."""
    pace = Pace(None)
    pace.measure(0, 1.0)
    pace.measure(100, 1.0)
    assert pace.rate == 600


def test_a_rate_that_is_given_is_kept() -> None:
    """Whatever the live rate is."""
    pace = Pace(7)
    pace.measure(0, 0.0)
    pace.measure(100_000, 1.0)
    assert pace.rate == 7
