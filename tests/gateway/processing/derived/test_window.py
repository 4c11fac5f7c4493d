"""Windows whatever the samples and the wall clock do: nothing twice, nothing lost, nothing from the future."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.span import Span
from gateway.model import ClockState, Quality, Stamp
from gateway.processing.derived.published import MOST_ERAS, Published
from gateway.processing.derived.window import WindowOverTime

if TYPE_CHECKING:
    from gateway.processing.derived.window import Closed

S = 1_000_000_000
START = 1_795_514_400 * S
"""2026-11-24T10:00:00Z."""

MINUTE = Span.of("1min")


def stamp(second: float, *, set_by_s: float = 0.0) -> Stamp:
    """An instant, s after the start, of a wall clock that was set by so much."""
    return Stamp(START + round((second + set_by_s) * S), round((second + 1000) * S), ClockState.SYNCED)


def at(closed: Closed) -> float:
    return (closed.stamp.time - START) / S


def test_a_window_closes_at_the_first_sample_behind_it() -> None:
    """The sample at the very end belongs to the next one."""
    window = WindowOverTime(MINUTE)
    assert window.sample(1.0, Quality.GOOD, stamp(0)) == []
    assert window.sample(1.0, Quality.GOOD, stamp(59.999)) == []
    (closed,) = window.sample(1.0, Quality.GOOD, stamp(60))
    assert (at(closed), closed.sums.count, closed.sums.good_ns) == (60.0, 2, 60 * S)


def test_the_stamp_of_a_window_is_one_instant_on_both_clocks() -> None:
    """So that it can be re-stamped when the true time is known later."""
    window = WindowOverTime(MINUTE)
    window.sample(1.0, Quality.GOOD, stamp(0))
    (closed,) = window.tick(stamp(75))
    assert closed.stamp.time - closed.stamp.monotonic == stamp(75).time - stamp(75).monotonic


def test_several_windows_may_be_over_at_once() -> None:
    """After a stall of the process each window of the stall is told, with the value that held."""
    window = WindowOverTime(MINUTE)
    window.sample(1.0, Quality.GOOD, stamp(0))
    closed = window.sample(2.0, Quality.GOOD, stamp(185))
    assert [(at(one), one.sums.count, one.sums.good_ns) for one in closed] == [
        (60.0, 1, 60 * S),
        (120.0, 0, 60 * S),
        (180.0, 0, 60 * S),
    ]


def test_a_clock_that_is_steered_is_not_set() -> None:
    """NTP moves a clock by 0.5 ms a second; that is no step, however much it adds up to."""
    window = WindowOverTime(MINUTE)
    closed = [one for n in range(3601) for one in window.sample(1.0, Quality.GOOD, stamp(n, set_by_s=n * 0.0005))]
    assert len(closed) == 60
    assert not any(one.stepped for one in closed)
    assert all(one.sums.good_percent == 100.0 for one in closed)


def test_a_bad_clock_of_years_ago_or_ahead_does_not_stop_the_windows() -> None:
    """A clock that stood in 2036 is set right: the windows of now are published at once."""
    window = WindowOverTime(MINUTE)
    ten_years_s = 10 * 365 * 86_400
    told = [one for n in range(120) for one in window.sample(1.0, Quality.GOOD, stamp(n, set_by_s=ten_years_s))]
    told += [one for n in range(120, 300) for one in window.sample(1.0, Quality.GOOD, stamp(n))]
    assert [at(one) - (ten_years_s if at(one) > ten_years_s / 2 else 0) for one in told] == [60.0, 120.0, 180.0, 240.0]


def test_a_window_that_was_over_before_the_clock_was_set_is_a_good_one() -> None:
    """The step is noticed at the next sample, and the end of the window lay before it."""
    window = WindowOverTime(MINUTE)
    window.sample(1.0, Quality.GOOD, stamp(0))
    closed = window.sample(1.0, Quality.GOOD, stamp(70, set_by_s=3600))
    assert [(at(one), one.stepped, one.sums.good_percent) for one in closed] == [
        (60.0, False, 100.0),
        (70.0, True, pytest.approx(100 * 10 / 60)),
    ]


def test_all_that_was_published_without_a_break_is_remembered() -> None:
    """However many windows that were: set back by half an hour of them, nothing is told for half an hour."""
    window = WindowOverTime(MINUTE)
    told = [one for n in range(2430) for one in window.sample(1.0, Quality.GOOD, stamp(n))]
    assert len(told) == 40
    told = [one for n in range(2430, 4300) for one in window.sample(1.0, Quality.GOOD, stamp(n, set_by_s=-1800))]
    assert [at(one) for one in told] == [2460.0]


def test_time_that_is_lived_again_makes_one_long_window() -> None:
    """The clock is set back to before the first window: what was not published yet is, what was is not again."""
    window = WindowOverTime(MINUTE)
    told = [one for n in range(190) for one in window.sample(1.0, Quality.GOOD, stamp(n))]
    told += [one for n in range(190, 700) for one in window.sample(1.0, Quality.GOOD, stamp(n, set_by_s=-300))]
    assert [(at(one), one.sums.count, one.stepped) for one in told] == [
        (60.0, 60, False),
        (120.0, 60, False),
        (180.0, 60, False),
        (190.0, 10, True),
        (-60.0, 50, True),
        (0.0, 60, False),
        (300.0, 300, False),
        (360.0, 60, False),
    ]


class Move(NamedTuple):
    after_s: int
    set_by_s: int
    sampled: bool


MOVES = st.lists(
    st.builds(Move, st.integers(0, 90), st.sampled_from([0, 0, 0, 0, 30, -30, 3600, -3600, 86_400]), st.booleans()),
    max_size=60,
)


def played(moves: list[Move]) -> tuple[list[Closed], list[int], WindowOverTime, float]:
    """All windows that closed, and for each the wall clock at which it was told."""
    window, second, set_by_s = WindowOverTime(MINUTE), 0.0, 0.0
    closed, told_at = [], []
    for move in moves:
        second += move.after_s
        set_by_s += move.set_by_s
        now = stamp(second, set_by_s=set_by_s)
        news = window.sample(1.0, Quality.GOOD, now) if move.sampled else window.tick(now)
        closed += news
        told_at += [now.time] * len(news)
    return closed, told_at, window, second


@given(MOVES)
def test_no_window_is_published_twice(moves: list[Move]) -> None:
    """Whatever the wall clock does, two windows that ran to their end never have the same end."""
    closed, _, _, _ = played(moves)
    ends = [one.stamp.time for one in closed if one.stamp.time % (60 * S) == 0]
    assert len(ends) == len(set(ends))


@given(MOVES)
def test_no_sample_is_lost_or_counted_twice(moves: list[Move]) -> None:
    """Each sample is in one window; what is not published yet is in the one that is open."""
    closed, _, window, _ = played(moves)
    counted = sum(one.sums.count for one in closed) + window._sums.count
    assert counted == sum(move.sampled for move in moves)


@given(MOVES)
def test_time_is_summed_up_by_the_monotonic_clock(moves: list[Move]) -> None:
    """All that the value held adds up to the time that really passed, whatever the wall clock says."""
    closed, _, window, second = played([Move(0, 0, sampled=True), *moves])
    closed += window.sample(1.0, Quality.GOOD, stamp(second, set_by_s=sum(move.set_by_s for move in moves)))
    assert sum(one.sums.good_ns for one in closed) + window._sums.good_ns == second * S
    assert sum(one.sums.weighted for one in closed) + window._sums.weighted == pytest.approx(second)


@given(MOVES)
def test_a_window_in_which_the_clock_was_set_says_so(moves: list[Move]) -> None:
    """Without a step there is none that says so; with one that leaves the window, the one that was cut does."""
    closed, _, _, _ = played([move._replace(set_by_s=0) for move in moves])
    assert not any(one.stepped for one in closed)
    stepped, _, _, _ = played([Move(0, 0, sampled=True), Move(1, 3600, sampled=True), *moves])
    assert stepped[0].stepped


def test_published_time_is_remembered_within_bounds() -> None:
    """A clock that jumps about for ever fills no memory."""
    published = Published()
    for n in range(10 * MOST_ERAS):
        published.add(n * 100, n * 100 + 10)
    assert len(published._eras) == MOST_ERAS
    assert published.holds(10 * MOST_ERAS * 100 - 90)
    assert not published.holds(11)
