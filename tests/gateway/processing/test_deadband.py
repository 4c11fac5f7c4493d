"""Deadbands: what is held back, and that no consumer is further off than promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Cell, Quality, Tag
from gateway.processing.deadband import Deadbands
from tests.gateway.processing.stages import ANY_CELL, Feed


def absolute(deadband: float = 0.5, max_interval_s: float | None = None) -> Tag:
    return Tag("t", "a", "float64", deadband=deadband, max_interval_s=max_interval_s)


def percent(of_value: float) -> Tag:
    return Tag("t", "a", "float64", deadband_percent=of_value)


class Device:
    """Tags whose batches pass their deadbands."""

    def __init__(self, *tags: Tag) -> None:
        self.feed = Feed(*tags)
        self.deadbands = Deadbands(self.feed.plan)

    def reads(self, *cells: Cell, after_s: float = 1.0, quality: Quality = Quality.GOOD) -> list[Cell]:
        return self.passes(self.feed.batch(*cells, after_s=after_s, quality=quality))

    def passes(self, batch: Batch) -> list[Cell]:
        self.deadbands.hold_back(batch)
        assert batch.whole is (ABSENT not in batch.values)
        return batch.values


@pytest.mark.parametrize(
    ("tag", "cells", "last"),
    [
        (absolute(), (20.0, 20.5), ABSENT),
        (absolute(), (20.0, 20.75), 20.75),
        (absolute(), (20.0, 19.5), ABSENT),
        (absolute(), (20.0, 19.25), 19.25),
        (absolute(0), (5, 5), ABSENT),
        (absolute(0), (5, 6), 6),
        (absolute(0), (True, True), ABSENT),
        (absolute(0), (True, False), False),
        (absolute(0), ("a", "a"), ABSENT),
        (absolute(0), ("a", "b"), "b"),
        (absolute(0), ("a", 5), 5),
        (absolute(), (False, 0.5), ABSENT),
        (absolute(0), (0.0, -0.0), ABSENT),
        (absolute(0), (0.0, 5e-324), 5e-324),
        (absolute(1e308), (1e308, -1e308), -1e308),
        (absolute(), (10**400, 10**400), ABSENT),
        (absolute(), (10**400, 10**401), 10**401),
        (absolute(), (1.5, 10**400), 10**400),
        (percent(10), (100.0, 110.0), ABSENT),
        (percent(10), (100.0, 89.0), 89.0),
        (percent(10), (-100.0, -110.0), ABSENT),
        (percent(10), (0.0, 0.0), ABSENT),
        (percent(10), (0.0, 1e-9), 1e-9),
        (percent(10), (10**400, 10**400), ABSENT),
        (percent(10), ("a", "a"), ABSENT),
    ],
)
def test_what_is_within_the_deadband_is_held_back(tag: Tag, cells: tuple[Cell, Cell], last: Cell) -> None:
    """Exactly the deadband is within; what is no number is compared as it is."""
    device = Device(tag)
    device.reads(cells[0])
    assert device.reads(cells[1]) == [last]


def test_the_first_value_is_always_sent() -> None:
    """A consumer that starts with the gateway sees every tag."""
    assert Device(absolute(100.0)).reads(0.0) == [0.0]


def test_the_percentage_is_of_the_last_value_that_was_sent() -> None:
    """Not of the last one that was read."""
    device = Device(percent(10))
    assert [device.reads(cell)[0] for cell in (100.0, 109.0, 112.0, 122.0, 124.0)] == [
        100.0, ABSENT, 112.0, ABSENT, 124.0
    ]  # fmt: skip


def test_a_change_of_quality_is_sent_and_bad_is_sent_once() -> None:
    """Whatever the number; the first value after BAD always."""
    device = Device(absolute())
    device.reads(20.0)
    assert device.reads(20.0, quality=Quality.OUT_OF_RANGE) == [20.0]
    assert device.reads(20.0) == [20.0]
    assert device.reads(None) == [None]
    assert device.reads(None) == [ABSENT]
    assert device.reads(20.0) == [20.0]


def test_after_the_longest_interval_a_sample_is_sent_in_any_case() -> None:
    """Counted from the last one that was sent, on the clock that never steps."""
    device = Device(absolute(5.0, max_interval_s=10.0), absolute(5.0))
    device.reads(20.0, 20.0)
    device.feed.clock.step(3600.0)
    assert device.reads(20.0, 20.0, after_s=9.0) == [ABSENT, ABSENT]
    assert device.reads(20.0, 20.0) == [20.0, ABSENT]
    assert device.reads(20.0, 20.0, after_s=9.0) == [ABSENT, ABSENT]


def test_the_interval_is_longest_for_the_tag_and_not_for_the_device() -> None:
    """A neighbour that was sent does not count."""
    device = Device(absolute(5.0, max_interval_s=10.0), absolute(0))
    for turn in range(9):
        device.reads(20.0, turn)
    assert device.reads(20.0, 99) == [ABSENT, 99]
    assert device.reads(20.0, 99) == [20.0, ABSENT]


def test_a_forgotten_tag_is_sent_at_once() -> None:
    """What was told stale is told when it is fresh again."""
    device = Device(absolute(), absolute())
    device.reads(20.0, 20.0)
    device.deadbands.forget({1})
    assert device.reads(20.0, 20.0) == [ABSENT, 20.0]


def test_tags_without_a_deadband_are_none_of_its_business() -> None:
    """They pass, also beside others, and so do those of a swinging door."""
    device = Device(Tag("every", "a", "float64"), absolute(), Tag("door", "a", "float64", swinging_door=1.0))
    device.reads(1.0, 1.0, 1.0)
    assert device.reads(1.0, 1.0, 1.0) == [1.0, ABSENT, 1.0]


@given(
    readings=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50),
    width=st.floats(0.001, 100),
    in_percent=st.booleans(),
)
def test_no_consumer_is_further_off_than_the_deadband(readings: list[float], width: float, *, in_percent: bool) -> None:
    """Holding the last value sent draws every reading within the deadband."""
    device = Device(percent(width) if in_percent else absolute(width))
    received = readings[0]
    for reading in readings:
        (sent,) = device.reads(reading)
        if isinstance(sent, float):
            received = sent
        allowed = abs(received) * width / 100 if in_percent else width
        assert abs(received - reading) <= allowed


@given(st.lists(st.lists(ANY_CELL, min_size=2, max_size=2), max_size=10))
def test_the_look_at_all_and_the_look_at_each_say_the_same(rows: list[list[Cell]]) -> None:
    """A neighbour that is no number changes nothing."""
    both, first, second = Device(absolute(), percent(5)), Device(absolute()), Device(percent(5))
    for row in rows:
        sent = both.reads(*row)
        assert repr(sent) == repr([*first.reads(row[0]), *second.reads(row[1])])
