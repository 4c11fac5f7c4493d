"""Changes that are too fast to be true."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Cell, Quality, Tag
from gateway.processing.rate import RateLimits
from tests.gateway.processing.stages import ANY_CELL, Feed, told

RATE = "uncertain:rate"


class Sensor:
    """One tag that may change by 10 a second."""

    def __init__(self) -> None:
        self.feed = Feed(Tag("t", "a", "float64", max_rate_per_s=10.0))
        self.stage = RateLimits(self.feed.plan)

    def reads(self, cell: Cell, after_s: float = 1.0, offset_ms: int | None = None) -> str:
        batch = self.feed.batch(cell, after_s=after_s)
        batch.offsets = None if offset_ms is None else [offset_ms]
        self.stage.apply(batch)
        return told(batch)[0][1]


@pytest.mark.parametrize(
    ("cells", "last"),
    [
        ((0.0, 10.0), "good"),
        ((0.0, 10.1), "uncertain:rate"),
        ((0.0, -10.1), "uncertain:rate"),
        ((0.0, None, 500.0), "good"),
        ((0.0, ABSENT, 20.0), "good"),
        ((0.0, ABSENT, 20.1), "uncertain:rate"),
        ((0.0, "text", 500.0), "good"),
        ((0, 10**400), "uncertain:rate"),
        ((10**400, 10**400), "good"),
        ((500.0,), "good"),
    ],
)
def test_the_change_is_held_against_the_time_that_passed(cells: tuple[Cell, ...], last: str) -> None:
    """Absent cells let time pass; BAD and text leave nothing to compare with."""
    sensor = Sensor()
    assert [sensor.reads(cell) for cell in cells][-1] == last


def test_a_spike_marks_the_way_there_and_the_way_back() -> None:
    """Nobody can know which of the two levels is the true one."""
    sensor = Sensor()
    assert [sensor.reads(cell) for cell in (0.0, 50.0, 0.0, 0.0)] == [
        "good",
        "uncertain:rate",
        "uncertain:rate",
        "good",
    ]


def test_the_times_of_the_tag_count_and_not_those_of_the_batch() -> None:
    """A notification that was measured half a second before its batch."""
    sensor = Sensor()
    sensor.reads(0.0)
    assert sensor.reads(10.0, offset_ms=-500) == "uncertain:rate"


def test_two_values_at_one_instant_must_be_the_same() -> None:
    """No time passed, so no change is plausible; and nothing is divided by zero."""
    sensor = Sensor()
    sensor.reads(0.0)
    assert sensor.reads(0.0, after_s=0.0) == "good"
    assert sensor.reads(1.0, after_s=0.0) == "uncertain:rate"


def test_a_step_of_the_wall_clock_is_no_change_of_rate() -> None:
    """Periods are measured on the clock that never steps."""
    sensor = Sensor()
    sensor.reads(0.0)
    sensor.feed.clock.step(-3600.0)
    assert sensor.reads(9.0) == "good"
    sensor.feed.clock.step(3600.0)
    assert sensor.reads(25.0) == "uncertain:rate"


def test_a_worse_quality_stays() -> None:
    """Out of range is told rather than too fast."""
    sensor = Sensor()
    sensor.reads(0.0)
    batch = sensor.feed.batch(500.0, quality=Quality.OUT_OF_RANGE)
    sensor.stage.apply(batch)
    assert told(batch) == [(500.0, "uncertain:out_of_range")]


@given(st.lists(ANY_CELL, min_size=1))
def test_no_value_is_changed(cells: list[Cell]) -> None:
    """Only its quality says what is thought of it."""
    sensor = Sensor()
    for cell in cells:
        batch = sensor.feed.batch(cell)
        sensor.stage.apply(batch)
        assert batch.values[0] is cell
