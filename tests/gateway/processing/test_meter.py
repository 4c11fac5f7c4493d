"""The total of a meter: exact through rollovers, never backwards, whatever the meter and the process do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.processing.meter import Meter, Repair

TURN_16 = 65536.0


def totals(meter: Meter, *readings: float) -> list[float]:
    told = []
    for reading in readings:
        meter.read(reading)
        told.append(meter.total)
    return told


@pytest.mark.parametrize(
    ("readings", "turn", "repair", "total"),
    [
        ((65000, 100), TURN_16, Repair.ROLLOVER, 65636),
        ((49152, 16383), TURN_16, Repair.ROLLOVER, 81919),
        ((49151, 100), TURN_16, Repair.RESET, 49251),
        ((65000, 16384), TURN_16, Repair.EXCHANGED, 65000),
        ((30000, 299), TURN_16, Repair.RESET, 30299),
        ((30000, 300), TURN_16, Repair.EXCHANGED, 30000),
        ((65000, 100), None, Repair.RESET, 65100),
        ((99.5, 0.25), 100.0, Repair.ROLLOVER, 100.25),
        ((500, 0), None, Repair.RESET, 500),
    ],
)
def test_a_reading_that_falls_is_a_rollover_a_reset_or_another_meter(
    readings: tuple[float, float], turn: float | None, repair: Repair, total: float
) -> None:
    """The borders: last and first quarter of a turn, a hundredth of the last reading."""
    meter = Meter(turn)
    assert meter.read(readings[0]) is None
    assert meter.read(readings[1]) is repair
    assert meter.total == total


@given(
    st.integers(8, 64),
    st.integers(0, 2**64 - 1),
    st.lists(st.floats(0, 0.249), max_size=30),
)
def test_through_any_number_of_rollovers_the_total_is_exact(width: int, start: int, strides: list[float]) -> None:
    """At any width, as long as a meter is read four times a turn."""
    turn = 2**width
    true = start % turn
    meter = Meter(float(turn))
    meter.read(true)
    for stride in strides:
        true += int(stride * turn)
        meter.read(true % turn)
        assert meter.total == true


@given(st.lists(st.integers(0, 100_000) | st.none(), min_size=1), st.none() | st.just(TURN_16))
def test_the_total_never_runs_backwards(readings: list[int | None], turn: float | None) -> None:
    """Whatever the meter shows, with pauses anywhere."""
    meter, before = Meter(turn), 0.0
    for reading in readings:
        if reading is None:
            meter.pause()
            continue
        meter.read(reading)
        assert meter.total >= before
        before = meter.total


@given(st.floats(0, 1e9), st.lists(st.floats(0, 1e6), max_size=20))
def test_without_repairs_the_total_is_the_reading(start: float, steps: list[float]) -> None:
    """To the last bit: nothing is summed up, so nothing is rounded."""
    meter, reading = Meter(None), start
    meter.read(reading)
    for step in steps:
        reading += step
        meter.read(reading)
        assert meter.total == reading


def test_zero_after_a_pause_waits_and_then_means_nothing() -> None:
    """The reading went on where it was."""
    meter = Meter(None)
    meter.read(500)
    meter.pause()
    assert meter.read(0) is None
    assert meter.waits
    assert meter.total == 500
    assert meter.read(0) is None
    assert meter.read(501) is Repair.ZERO_IGNORED
    assert (meter.total, meter.waits) == (501, False)


def test_zero_after_a_pause_is_a_reset_when_the_count_goes_on_from_there() -> None:
    """It was a new beginning after all."""
    meter = Meter(None)
    meter.read(5000)
    meter.pause()
    meter.read(0)
    assert meter.read(3) is Repair.RESET
    assert (meter.total, meter.waits) == (5003, False)


def test_a_start_is_a_pause_too() -> None:
    """The meter may have lost its power together with the gateway."""
    meter = Meter(None)
    meter.remember(["0", "500", "500"])
    assert meter.read(0) is None
    assert (meter.total, meter.waits) == (500, True)


def test_only_the_first_reading_after_a_pause_may_be_such_a_zero() -> None:
    """A zero out of the middle of good readings is a reset at once."""
    meter = Meter(None)
    meter.read(500)
    meter.pause()
    meter.read(501)
    assert meter.read(0) is Repair.RESET


def test_a_new_run_goes_on_from_what_the_last_one_left() -> None:
    """Also with whole numbers beyond what a JSON number holds."""
    meter = Meter(float(2**64))
    totals(meter, 2**63, 2**64 - 1, 5)
    again = Meter(float(2**64))
    again.remember(json.loads(json.dumps(meter.memory())))
    again.read(7)
    assert again.total == 2**64 + 7
    assert isinstance(again.total, int)


@given(st.lists(st.integers(0, 200), min_size=3, max_size=40), st.data())
def test_a_kill_costs_nothing_where_nothing_was_repaired(steps: list[int], data: st.DataObject) -> None:
    """Whatever the age of what was saved: the meter itself remembers."""
    saved_at = data.draw(st.integers(0, len(steps) - 2))
    killed_at = data.draw(st.integers(saved_at, len(steps) - 2))
    readings = [sum(steps[: at + 1]) + 1 for at in range(len(steps))]
    meter = Meter(None)
    totals(meter, *readings[: saved_at + 1])
    memory = meter.memory()
    totals(meter, *readings[saved_at + 1 : killed_at + 1])
    published = meter.total
    again = Meter(None)
    again.remember(memory)
    after = totals(again, *readings[killed_at + 1 :])
    assert after == readings[killed_at + 1 :]
    assert min(after) >= published


@given(st.integers(50_000, 65_535), st.integers(0, 4000))
def test_a_rollover_after_the_last_save_is_found_again(before: int, after: int) -> None:
    """The old reading of the memory and the new one of the meter tell the same story."""
    meter = Meter(TURN_16)
    meter.read(before)
    memory = meter.memory()
    meter.read(after)
    published = meter.total
    again = Meter(TURN_16)
    again.remember(memory)
    again.read(after + 10)
    assert again.total == published + 10


@pytest.mark.parametrize(
    "memory",
    [None, 5, "x", [], ["1", "2"], ["1", "2", "x"], ["1", "None", "1"], ["nan", "1", "1"], [1, 2, 3]],
)
def test_a_memory_that_is_none_is_passed_over(memory: object) -> None:
    """A damaged state file begins a new total; it stops nothing."""
    meter = Meter(None)
    meter.remember(memory)  # type: ignore[arg-type]  # what a damaged file may hold
    assert meter.read(5) is None
    assert meter.total == 5
