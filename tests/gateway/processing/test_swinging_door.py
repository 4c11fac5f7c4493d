"""Swinging doors: few points, none of the others further off than allowed, all in their order and with their times."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Cell, Quality, Tag
from gateway.processing.swinging_door import SwingingDoors
from gateway.testing import SAMPLE_TIME
from tests.gateway.processing.stages import ANY_CELL, Feed

if TYPE_CHECKING:
    from collections.abc import Sequence


def door(error: float = 0.5, max_interval_s: float | None = None) -> Tag:
    return Tag("t", "a", "float64", swinging_door=error, max_interval_s=max_interval_s)


class Signal:
    """Tags whose batches pass their doors; each batch is a second after the last."""

    def __init__(self, *tags: Tag) -> None:
        self.feed = Feed(*(tags or (door(),)))
        self.doors = SwingingDoors(self.feed.plan)
        self.sent: list[Batch] = []

    def reads(self, *cells: Cell, after_s: float = 1.0, quality: Quality = Quality.GOOD) -> list[Batch]:
        return self.passes(self.feed.batch(*cells, after_s=after_s, quality=quality))

    def passes(self, batch: Batch, *, send_all: bool = False) -> list[Batch]:
        now = self.doors.compress(batch, send_all=send_all)
        now += [] if batch.is_empty else [batch]
        self.sent += now
        return now

    def points(self, position: int = 0) -> list[tuple[float, Cell]]:
        """Second and value of all that was sent of one tag."""
        return [
            ((batch.stamp.time - SAMPLE_TIME) / 1e9, batch.values[position])
            for batch in self.sent
            if batch.values[position] is not ABSENT
        ]


def drawn(points: Sequence[tuple[float, float]], second: float) -> Fraction:
    """What a consumer that draws straight lines shows, without an error of its own."""
    for (t0, v0), (t1, v1) in pairwise(points):
        if t0 <= second <= t1:
            share = (Fraction(second) - Fraction(t0)) / (Fraction(t1) - Fraction(t0))
            return Fraction(v0) + (Fraction(v1) - Fraction(v0)) * share
    return Fraction(points[-1][1])


@given(
    st.lists(st.floats(-1000, 1000) | st.integers(-5, 5), min_size=1, max_size=60),
    st.floats(0.001, 500),
    st.none() | st.integers(1, 10),
)
def test_no_reading_is_further_from_the_lines_than_the_error(
    readings: list[float], error: float, max_interval_s: int | None
) -> None:
    """The promise of the key, for any signal. The slack is what floats lose in a slope."""
    signal = Signal(door(error, max_interval_s))
    for reading in readings:
        signal.reads(reading)
    signal.sent += signal.doors.finish()
    points = [(second, float(value)) for second, value in signal.points()]  # type: ignore[arg-type]  # all are numbers
    for second, reading in enumerate(readings, start=1):
        assert abs(drawn(points, second) - Fraction(reading)) <= error + 1e-9


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=40), st.floats(0.001, 500))
def test_every_point_sent_was_measured_at_its_time(readings: list[float], error: float) -> None:
    """Nothing is invented and nothing comes twice, in the order of the times."""
    signal = Signal(door(error))
    for reading in readings:
        signal.reads(reading)
    signal.sent += signal.doors.finish()
    points = signal.points()
    assert all(value == readings[round(second) - 1] for second, value in points)
    assert [second for second, _ in points] == sorted({second for second, _ in points})
    assert points[0][0] == 1.0
    assert points[-1][0] == len(readings)


def test_a_straight_line_costs_two_points() -> None:
    """However many readings lie on it."""
    signal = Signal(door(0.001))
    for at in range(1000):
        signal.reads(at * 0.25)
    signal.sent += signal.doors.finish()
    assert signal.points() == [(1.0, 0.0), (1000.0, 249.75)]


def test_the_error_is_a_bound_and_not_half_of_one() -> None:
    """Doors that only must not cross would go on to the fourth of these, and be 0.67 off at the third."""
    signal = Signal(door(0.5))
    for reading in (0.0, 0.5, 1.0, 0.5, -0.5):
        signal.reads(reading)
    assert signal.points() == [(1.0, 0.0), (3.0, 1.0)]


def test_a_point_held_back_keeps_all_that_was_said_of_it() -> None:
    """Its time to the nanosecond, on both clocks, its offset, the source's time and status."""
    signal = Signal(door(), Tag("u", "a", "float64", swinging_door=0.5))
    signal.reads(0.0, 0.0)
    held = signal.feed.batch(1.0, 1.0)
    held.offsets, held.source_times, held.source_status = [-3, 0], [77, None], {0: "Good", 1: "Good"}
    signal.passes(held)
    (released,) = signal.reads(9.0, 2.0)
    assert released.values == [1.0, ABSENT]
    assert released.stamp == held.stamp
    assert (released.offsets, released.source_times) == ([-3, 0], [77, None])
    assert released.source_status == {0: "Good"}
    assert released.held is None


def test_points_of_different_times_leave_in_batches_of_their_own_the_earliest_first() -> None:
    """One tag was absent in the last batch."""
    signal = Signal(door(), Tag("u", "a", "float64", swinging_door=0.5))
    signal.reads(0.0, 0.0)
    signal.reads(1.0, 1.0)
    signal.reads(ABSENT, 2.0)
    first, second = signal.reads(9.0, 9.0)
    assert first.values == [1.0, ABSENT]
    assert second.values == [ABSENT, 2.0]
    assert first.stamp.time < second.stamp.time


@pytest.mark.parametrize(
    ("cells", "points"),
    [
        ((0.0, 1.0, None, None, 1.0), [(1.0, 0.0), (2.0, 1.0), (3.0, None), (5.0, 1.0)]),
        (("a", "a", "b"), [(1.0, "a"), (3.0, "b")]),
        ((True, True, False), [(1.0, True), (3.0, False)]),
        ((1.0, "a", 1.0), [(1.0, 1.0), (2.0, "a"), (3.0, 1.0)]),
        ((0, 10**400, 0), [(1.0, 0), (2.0, 10**400), (3.0, 0)]),
        ((1e308, -1e308, 1e308), [(1.0, 1e308), (2.0, -1e308)]),
    ],
)
def test_what_no_line_can_be_drawn_to_is_sent_at_once(cells: Sequence[Cell], points: list[tuple[float, Cell]]) -> None:
    """BAD once, text and states on change, numbers beyond all floats as they are."""
    signal = Signal()
    for cell in cells:
        signal.reads(cell)
    assert signal.points() == points


def test_two_readings_at_one_instant_are_both_sent() -> None:
    """No line leads from one to the other, and nothing is divided by zero."""
    signal = Signal()
    signal.reads(0.0)
    assert signal.reads(1.0, after_s=0.0)[0].values == [1.0]


def test_a_time_that_runs_back_is_no_line_either() -> None:
    """A source that tells its notifications out of order."""
    signal = Signal()
    signal.reads(0.0)
    batch = signal.feed.batch(0.0)
    batch.offsets = [-5000]
    assert signal.passes(batch) == [batch]


def test_a_step_of_the_wall_clock_bends_no_line() -> None:
    """Slopes are measured on the clock that never steps."""
    signal = Signal(door(0.001))
    signal.reads(0.0)
    signal.feed.clock.step(3600.0)
    assert [signal.reads(float(at)) for at in (1, 2, 3)] == [[], [], []]


def test_a_quality_that_changes_ends_the_line() -> None:
    """The last point of the old quality, then the first of the new one."""
    signal = Signal()
    signal.reads(0.0)
    signal.reads(1.0)
    held, now = signal.reads(2.0, quality=Quality.OUT_OF_RANGE)
    assert (held.values, held.quality) == ([1.0], [Quality.GOOD])
    assert (now.values, now.quality) == ([2.0], [Quality.OUT_OF_RANGE])


def test_what_is_sent_in_any_case_goes_behind_the_point_it_needs() -> None:
    """At a heartbeat; where the line fits, the point itself is enough."""
    signal = Signal()
    signal.reads(0.0)
    signal.reads(1.0)
    assert [batch.values for batch in signal.passes(signal.feed.batch(2.0), send_all=True)] == [[2.0]]
    signal.reads(3.0)
    assert [batch.values for batch in signal.passes(signal.feed.batch(9.0), send_all=True)] == [[3.0], [9.0]]
    assert signal.doors.finish() == []


def test_at_an_end_what_is_held_back_is_sent_once() -> None:
    """A reload or a stop loses no point."""
    signal = Signal()
    signal.reads(0.0)
    signal.reads(1.0)
    assert [batch.values for batch in signal.doors.finish()] == [[1.0]]
    assert signal.doors.finish() == []


@given(st.lists(ANY_CELL, min_size=1, max_size=20), st.floats(min_value=0, exclude_min=True, allow_infinity=False))
def test_whatever_comes_nothing_is_raised_and_the_last_word_is_sent(cells: list[Cell], error: float) -> None:
    """The consumer ends with what the tag ended with."""
    signal = Signal(door(error))
    for cell in cells:
        signal.reads(cell)
    signal.sent += signal.doors.finish()
    heard = [cell for cell in cells if cell is not ABSENT]
    if heard:
        last = signal.points()[-1][1]
        assert last is heard[-1] or last == heard[-1]
