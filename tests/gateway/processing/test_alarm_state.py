"""One alarm through its life."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import Cell, Level, Quality
from gateway.processing.alarm_state import AlarmState, Turn
from gateway.processing.states import Alarm

S = 1_000_000_000
BEGIN, END, ACKNOWLEDGED = Turn.BEGIN, Turn.END, Turn.ACKNOWLEDGED


def alarm(**settings: Any) -> AlarmState:
    """An alarm of these settings."""
    return AlarmState(Alarm("oil.high", "oil", **settings))


def turns(state: AlarmState, *values: Cell, quality: Quality = Quality.GOOD) -> list[Turn | None]:
    """What becomes of an alarm with a value a second."""
    return [state.see(value, quality, at * S) for at, value in enumerate(values)]


@pytest.mark.parametrize(
    ("settings", "values", "expected"),
    [
        ({"above": 80.0}, (80.0, 80.1, 90, 80.0), [None, BEGIN, None, END]),
        ({"below": 5.0}, (5, 4.9, 5.0), [None, BEGIN, END]),
        ({"equals": True}, (False, True, True, False), [None, BEGIN, None, END]),
        ({"equals": 2}, (0, 2, 3), [None, BEGIN, END]),
        ({"equals": "jammed"}, ("idle", "jammed", "idle"), [None, BEGIN, END]),
        ({"bit": 3}, (0b0111, 0b1000, 0b0000), [None, BEGIN, END]),
        ({"bit": 63}, (0, 1 << 63, 0), [None, BEGIN, END]),
        ({"bit": 0}, (-2, -1, 0), [None, BEGIN, END]),
        ({"bit": 1}, (0.0, 2.0, 0.0), [None, BEGIN, END]),
    ],
)
def test_each_condition_begins_and_ends_an_alarm(
    settings: dict[str, Any], values: tuple[Cell, ...], expected: list[Turn | None]
) -> None:
    """A limit itself is no alarm; what lasts is told once."""
    assert turns(alarm(**settings), *values) == expected


def test_hysteresis_keeps_an_alarm_until_the_value_is_well_back() -> None:
    """Above 80 with 2 of hysteresis: it ends at 78 and below, and needs more than 80 to begin anew."""
    state = alarm(above=80.0, hysteresis=2.0)
    assert turns(state, 81, 79, 78.1, 78.0, 79, 80, 80.5) == [BEGIN, None, None, END, None, None, BEGIN]
    state = alarm(below=5.0, hysteresis=1.0)
    assert turns(state, 4, 5.9, 6.0, 5.5, 4.9) == [BEGIN, None, END, None, BEGIN]


def test_a_delay_lets_short_excursions_pass() -> None:
    """Three seconds above begin it, two do not; the count begins anew each time."""
    state = alarm(above=80.0, delay_ns=3 * S)
    assert turns(state, 81, 81, 79, 81, 81, 81, 81) == [None, None, None, None, None, None, BEGIN]
    assert state.since == 6 * S


def test_a_delay_runs_out_without_a_new_value() -> None:
    """A tag that is told on change only says nothing while it stays above."""
    state = alarm(above=80.0, delay_ns=3 * S)
    state.see(81, Quality.GOOD, 0)
    assert [state.tick(2 * S), state.tick(3 * S), state.tick(4 * S)] == [None, BEGIN, None]


def test_an_off_delay_keeps_a_flickering_alarm_in_one_piece() -> None:
    """It ends only when its cause has been gone for the whole delay."""
    state = alarm(equals=True, off_delay_ns=2 * S)
    assert turns(state, True, False, True, False, False, False) == [BEGIN, None, None, None, None, END]


def test_a_latched_alarm_waits_for_somebody() -> None:
    """Its cause is gone, and it is still there; the acknowledgement ends it at once."""
    state = alarm(above=80.0, latching=True)
    assert turns(state, 81, 70, 70) == [BEGIN, None, None]
    assert (state.is_active, state.is_over) == (True, True)
    assert state.acknowledge(3 * S) is END
    assert not state.is_active


def test_an_alarm_acknowledged_early_ends_with_its_cause() -> None:
    """Latched or not, it is told that somebody saw it, once."""
    for latching in (True, False):
        state = alarm(above=80.0, latching=latching)
        turns(state, 81)
        assert [state.acknowledge(S), state.acknowledge(S)] == [ACKNOWLEDGED, None]
        assert state.see(70, Quality.GOOD, 2 * S) is END


def test_the_next_alarm_needs_an_acknowledgement_of_its_own() -> None:
    """What was acknowledged is this occurrence, not the alarm for ever."""
    state = alarm(above=80.0, latching=True)
    turns(state, 81)
    state.acknowledge(S)
    assert [state.see(value, Quality.GOOD, at * S) for at, value in ((2, 70), (3, 81), (4, 70))] == [END, BEGIN, None]


def test_an_acknowledgement_without_alarm_is_nothing() -> None:
    """It does not wait for the next one either."""
    state = alarm(above=80.0, latching=True)
    assert state.acknowledge(0) is None
    assert turns(state, 81, 70) == [BEGIN, None]


@pytest.mark.parametrize("quality", [q for q in Quality if q.level is Level.BAD])
def test_bad_quality_neither_begins_nor_ends_an_alarm(quality: Quality) -> None:
    """Nobody knows the value: what was active stays, what was not does not begin."""
    state = alarm(above=80.0)
    turns(state, 81)
    assert state.see(None, quality, S) is None
    assert state.is_active
    assert alarm(equals=False).see(None, quality, 0) is None


def test_a_delay_begins_anew_after_bad_quality() -> None:
    """Three seconds are three seconds in which the value was known."""
    state = alarm(above=80.0, delay_ns=3 * S)
    state.see(81, Quality.GOOD, 0)
    state.see(None, Quality.NO_REPLY, 2 * S)
    assert [state.tick(4 * S), state.see(81, Quality.GOOD, 5 * S), state.tick(7 * S)] == [None, None, None]
    assert state.tick(8 * S) is BEGIN


def test_an_uncertain_value_counts() -> None:
    """A value out of its range is just what an alarm is for."""
    assert turns(alarm(above=80.0), 500, quality=Quality.OUT_OF_RANGE) == [BEGIN]


def test_out_of_service_is_quiet() -> None:
    """Nothing begins, nothing ends; back in service the next value decides."""
    state = alarm(above=80.0)
    assert turns(state, 81, quality=Quality.OUT_OF_SERVICE) == [None]
    assert state.out_of_service
    assert state.see(81, Quality.GOOD, 5 * S) is BEGIN
    assert not state.out_of_service


def test_a_resumed_alarm_goes_on() -> None:
    """After a restart a value within the hysteresis keeps it, and one well back ends it."""
    state = alarm(above=80.0, hysteresis=2.0)
    state.resume(None, 17, acknowledged=False)
    assert [state.see(79, Quality.GOOD, 0), state.see(70, Quality.GOOD, S)] == [None, END]


def is_nan(value: Cell) -> bool:
    """Whether it is a float that says nothing."""
    return isinstance(value, float) and math.isnan(value)


CELLS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
SETTINGS = st.one_of(
    st.fixed_dictionaries({"above": st.floats(allow_nan=False, allow_infinity=False)}),
    st.fixed_dictionaries({"below": st.floats(allow_nan=False, allow_infinity=False)}),
    st.fixed_dictionaries({"bit": st.integers(0, 63)}),
    st.fixed_dictionaries({"equals": st.one_of(st.booleans(), st.integers(), st.text(max_size=5))}),
)


@given(
    settings=SETTINGS,
    seen=st.lists(st.tuples(CELLS, st.sampled_from(Quality), st.integers(0, 5 * S)), max_size=30),
    hysteresis=st.floats(0, 1e9),
    delays=st.tuples(st.integers(0, 4 * S), st.integers(0, 4 * S)),
    latching=st.booleans(),
)
def test_begin_and_end_alternate_whatever_comes(
    settings: dict[str, Any],
    seen: list[tuple[Cell, Quality, int]],
    hysteresis: float,
    delays: tuple[int, int],
    latching: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    """Any value of any type and quality: no exception, never two begins in a row, no turn by a value without trust."""
    state = alarm(**settings, hysteresis=hysteresis, delay_ns=delays[0], off_delay_ns=delays[1], latching=latching)
    at, active = 0, False
    for value, quality, step in seen:
        at += step
        turn = state.see(value, quality, at)
        if quality.level is Level.BAD or quality is Quality.OUT_OF_SERVICE or value is None or is_nan(value):
            assert turn is None
        if turn is not None:
            assert turn is (END if active else BEGIN)
            active = not active
        assert state.is_active is active
        assert not (latching and turn is END)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 5e-324, -0.0, 10**400, "text", True])
def test_no_value_can_break_an_alarm(value: Cell) -> None:
    """What cannot be compared says nothing."""
    for settings in ({"above": 1e308}, {"below": -1e308}, {"bit": 5}, {"equals": 7}):
        assert alarm(**settings).see(value, Quality.GOOD, 0) in {None, BEGIN}
