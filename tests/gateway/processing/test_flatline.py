"""Sensors that do not move any more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Cell, Quality, Tag
from gateway.processing.flatline import FlatLine
from tests.gateway.processing.stages import ANY_CELL, Feed, told


class Sensor:
    """One tag that is stuck after 3 s."""

    def __init__(self) -> None:
        self.feed = Feed(Tag("t", "a", "float64", stuck_after_s=3.0))
        self.stage = FlatLine(self.feed.plan)

    def reads(self, cell: Cell, quality: Quality = Quality.GOOD) -> str:
        batch = self.feed.batch(cell, quality=quality)
        self.stage.apply(batch)
        return told(batch)[0][1]


@pytest.mark.parametrize(
    ("cells", "last"),
    [
        ((20.1, 20.1, 20.1), "good"),
        ((20.1, 20.1, 20.1, 20.1), "uncertain:stuck"),
        ((20.1, 20.1, 20.1, 20.1, 20.2), "good"),
        ((20.1, 20.2, 20.1, 20.1, 20.1), "good"),
        ((20.1, ABSENT, ABSENT, 20.1), "uncertain:stuck"),
        ((20.1, 20.1, None, 20.1), "good"),
        (("a", "a", "a", "a"), "uncertain:stuck"),
        ((0, 0, 0, 0), "uncertain:stuck"),
    ],
)
def test_a_value_is_stuck_when_it_stood_still_for_that_time(cells: tuple[Cell, ...], last: str) -> None:
    """To the last digit; BAD in between begins anew, a cell that is absent does not."""
    sensor = Sensor()
    assert [sensor.reads(cell) for cell in cells][-1] == last


def test_a_step_of_the_wall_clock_makes_nothing_stuck() -> None:
    """Ages are measured on the clock that never steps."""
    sensor = Sensor()
    sensor.reads(20.1)
    sensor.feed.clock.step(86_400.0)
    assert sensor.reads(20.1) == "good"


def test_a_worse_quality_stays() -> None:
    """Out of range is told rather than stuck."""
    sensor = Sensor()
    told_of = [sensor.reads(20.1, Quality.OUT_OF_RANGE) for _ in range(5)]
    assert set(told_of) == {"uncertain:out_of_range"}


@given(st.lists(ANY_CELL, min_size=1))
def test_no_value_is_changed(cells: list[Cell]) -> None:
    """Only its quality says what is thought of it."""
    sensor = Sensor()
    for cell in cells:
        batch = sensor.feed.batch(cell)
        sensor.stage.apply(batch)
        assert batch.values[0] is cell
