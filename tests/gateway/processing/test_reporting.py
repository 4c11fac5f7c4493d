"""Reporting: deadbands hold back what hardly changed, heartbeats show the whole device."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Cell, Held, Plan, Quality, Tag
from gateway.processing.reporting import Reporter
from gateway.testing import SAMPLE_TIME, ManualClock, sample_batch

PLAN = Plan(
    "press",
    (
        Tag("temperature", "a", "float32", deadband=0.5),
        Tag("running", "b", "bool", deadband=0),
        Tag("count", "c", "int"),
    ),
    heartbeat_s=60.0,
)


class Device:
    """A device whose readings pass one reporter."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self.plan = plan
        self.clock = ManualClock()
        self.reporter = Reporter(plan)

    def reads(self, *values: Cell, quality: Quality = Quality.GOOD) -> Batch | None:
        self.clock.advance(1.0)
        batch = sample_batch(self.plan, list(values), self.clock.now())
        batch.quality = [quality] * len(values)
        sent = self.reporter.report(batch)
        return sent[0] if sent else None


def values_of(batch: Batch | None) -> list[Cell]:
    assert batch is not None
    return batch.values


def test_the_first_value_is_always_sent() -> None:
    """A consumer that starts with the gateway sees every tag at once."""
    assert values_of(Device().reads(20.0, False, 1)) == [20.0, False, 1]


def test_small_changes_are_held_back_and_tags_without_deadband_are_not() -> None:
    """0.5 is within the deadband of 0.5, the unchanged bool within 0; the count sends every sample."""
    device = Device()
    device.reads(20.0, False, 1)
    assert values_of(device.reads(20.5, False, 1)) == [ABSENT, ABSENT, 1]
    assert values_of(device.reads(20.6, True, 1)) == [20.6, True, 1]


def test_slow_drift_is_measured_from_the_last_value_sent() -> None:
    """Many small steps in one direction cannot hide behind the deadband."""
    device = Device()
    device.reads(20.0, False, 1)
    sent = [values_of(device.reads(20.0 + 0.2 * step, False, 1))[0] for step in range(1, 7)]
    assert [value for value in sent if value is not ABSENT] == [pytest.approx(20.6), pytest.approx(21.2)]


def test_a_batch_that_is_held_back_whole_is_not_sent() -> None:
    """Nothing new means no message at all."""
    device = Device(Plan("d", (Tag("t", "a", "float32", deadband=1.0),)))
    device.reads(5.0)
    assert device.reads(5.0) is None


def test_a_change_of_quality_is_sent_whatever_the_value() -> None:
    """GOOD to UNCERTAIN and back is news even where the number stands still."""
    device = Device()
    device.reads(20.0, False, 1)
    assert values_of(device.reads(20.0, False, 1, quality=Quality.OUT_OF_RANGE))[:2] == [20.0, False]
    assert values_of(device.reads(20.0, False, 1))[:2] == [20.0, False]


def test_bad_is_sent_once_and_the_first_value_after_it_always() -> None:
    """BAD does not repeat at each poll; recovery shows at once, even with the old number."""
    device = Device()
    device.reads(20.0, False, 1)
    assert values_of(device.reads(None, None, None, quality=Quality.NO_REPLY)) == [None, None, None]
    assert values_of(device.reads(None, None, None, quality=Quality.NO_REPLY))[:2] == [ABSENT, ABSENT]
    assert values_of(device.reads(20.0, False, 1))[:2] == [20.0, False]


def test_a_heartbeat_sends_fresh_values_whole_and_the_others_with_their_own_time() -> None:
    """A late subscriber sees the whole device; what is not fresh never stands among the fresh values."""
    device = Device()
    device.reads(20.0, False, 1)
    first_time = device.clock.time_ns
    device.clock.advance(60.0)
    batch = device.reads(20.1, ABSENT, 1)
    assert values_of(batch) == [20.1, ABSENT, 1]
    assert batch is not None
    assert batch.held == {1: Held(False, Quality.GOOD, first_time)}


def test_between_heartbeats_nothing_is_held() -> None:
    """Last values are repeated at heartbeats only."""
    device = Device()
    device.reads(20.0, False, 1)
    batch = device.reads(20.0, ABSENT, 1)
    assert batch is not None
    assert batch.held is None


def test_a_silent_device_still_has_heartbeats() -> None:
    """A device that yields no batch shows its last values once a heartbeat, not more often."""
    device = Device()
    device.reads(20.0, False, 1)
    device.clock.advance(50.0)
    assert device.reporter.heartbeat(device.clock.now()) is None
    device.clock.advance(15.0)
    snapshot = device.reporter.heartbeat(device.clock.now())
    assert snapshot is not None
    assert set(snapshot.held or {}) == {0, 1, 2}
    assert snapshot.values == [ABSENT] * 3
    assert device.reporter.heartbeat(device.clock.now()) is None


def test_a_device_never_heard_of_has_no_heartbeat() -> None:
    """Nothing is known, so nothing is said."""
    device = Device()
    device.clock.advance(1000.0)
    assert device.reporter.heartbeat(device.clock.now()) is None


def test_a_held_value_keeps_the_time_of_its_own_notification() -> None:
    """The offset of a tag within its batch counts."""
    device = Device()
    batch = sample_batch(PLAN, [1.0, True, 2], device.clock.now())
    batch.offsets = [0, -250, 0]
    device.reporter.report(batch)
    device.clock.advance(100.0)
    snapshot = device.reporter.heartbeat(device.clock.now())
    assert snapshot is not None
    assert snapshot.held is not None
    assert snapshot.held[1].time == batch.stamp.time - 250_000_000


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(0, 100))
def test_no_receiver_is_ever_further_off_than_the_deadband(readings: list[float], deadband: float) -> None:
    """Holding the last value sent approximates every reading within the deadband: the promise of the word."""
    device = Device(Plan("d", (Tag("t", "a", "float64", deadband=deadband),), heartbeat_s=1e6))
    received: Cell = None
    for reading in readings:
        batch = device.reads(reading)
        if batch is not None:
            received = batch.values[0]
        assert isinstance(received, float)
        assert abs(received - reading) <= deadband


class Silent:
    """Two tags, one of which is stale after 10 s without a word."""

    def __init__(self) -> None:
        tags = (Tag("valve", "a", "auto", deadband=0, stale_after_s=10.0), Tag("pump", "b", "auto", deadband=0))
        self.device = Device(Plan("d", tags, heartbeat_s=60.0))

    def looked_at(self, after_s: float) -> dict[int, Held] | None:
        self.device.clock.advance(after_s)
        snapshot = self.device.reporter.heartbeat(self.device.clock.now())
        return None if snapshot is None else snapshot.held


def test_a_tag_that_fell_silent_is_told_stale_once_with_its_own_time() -> None:
    """And alone: the others are as they were."""
    silent = Silent()
    silent.device.reads(True, True)
    heard = silent.device.clock.time_ns
    assert silent.looked_at(9.0) is None
    assert silent.looked_at(1.0) == {0: Held(True, Quality.STALE, heard)}
    assert silent.looked_at(1.0) is None


def test_a_heartbeat_tells_stale_tags_among_the_others() -> None:
    """A late subscriber sees that the value is old."""
    silent = Silent()
    silent.device.reads(True, True)
    silent.looked_at(10.0)
    held = silent.looked_at(60.0)
    assert held is not None
    assert [(last.value, last.quality) for last in held.values()] == [(True, Quality.STALE), (True, Quality.GOOD)]


def test_a_batch_at_a_heartbeat_tells_them_too() -> None:
    """Also those that nobody has told yet."""
    silent = Silent()
    silent.device.reads(True, True)
    silent.device.clock.advance(60.0)
    batch = silent.device.reads(ABSENT, True)
    assert batch is not None
    assert batch.held is not None
    assert batch.held[0].quality is Quality.STALE


def test_what_is_heard_again_is_sent_though_it_did_not_change() -> None:
    """The deadband forgets what was told stale."""
    silent = Silent()
    silent.device.reads(True, True)
    silent.looked_at(10.0)
    assert values_of(silent.device.reads(True, True)) == [True, ABSENT]
    assert silent.device.reads(True, True) is None


def test_a_value_held_since_before_the_clock_was_set_is_told_on_the_new_clock() -> None:
    """Seen in 1970 and told in 2026, it is still as old as it is, not 56 years older."""
    device = Device(Plan("d", (Tag("t", "a", "float64"), Tag("u", "a", "float64")), heartbeat_s=60))
    device.clock.time_ns = 0
    device.reads(1.0, 2.0)
    device.clock.time_ns = SAMPLE_TIME
    device.clock.advance(59)
    sent = device.reads(1.0, ABSENT)
    assert sent is not None
    assert sent.held is not None
    assert sent.held[1].time == sent.stamp.time - 60 * 10**9


def test_what_was_heard_again_is_good_and_can_fall_silent_again() -> None:
    """Stale is no mark for life, and not told once in a life either."""
    silent = Silent()
    silent.device.reads(True, True)
    silent.looked_at(10.0)
    silent.device.reads(True, True)
    heard = silent.device.clock.time_ns
    assert silent.looked_at(9.0) is None
    assert silent.looked_at(1.0) == {0: Held(True, Quality.STALE, heard)}


def test_a_step_of_the_wall_clock_makes_nothing_stale() -> None:
    """Ages are measured on the clock that never steps."""
    silent = Silent()
    silent.device.reads(True, True)
    silent.device.clock.step(86_400.0)
    assert silent.looked_at(5.0) is None


def test_a_tag_that_comes_once_a_day_does_not_hold_the_heartbeat_back() -> None:
    """The snapshot of a device of long windows comes one heartbeat late at most, not after two days."""
    plan = Plan("d", (Tag("day", "a", "float64", period_s=82_800),), heartbeat_s=60)
    reporter = Reporter(plan)
    clock = ManualClock()
    reporter.report(sample_batch(plan, [1.0], clock.now()))
    clock.advance(119)
    assert reporter.heartbeat(clock.now()) is None
    clock.advance(1)
    assert reporter.heartbeat(clock.now()) is not None


@pytest.mark.parametrize(
    "plan", [PLAN, Plan("press", (Tag("x", "a", "int"), Tag("y", "b", "int"), Tag("z", "c", "int")))]
)
def test_a_whole_batch_on_its_way_is_not_changed_by_the_next_one(plan: Plan) -> None:
    """Its columns may be remembered as they are, and are copied before a part of them is renewed."""
    device = Device(plan)
    device.reads(1, 2, 3)
    device.clock.advance(1.0)
    whole = sample_batch(plan, [10, 20, 30], device.clock.now())
    whole.whole = True
    device.reporter.report(whole)
    sent = list(whole.values), list(whole.quality)
    device.reads(99, ABSENT, ABSENT, quality=Quality.OUT_OF_RANGE)
    assert (whole.values, whole.quality) == sent
    device.clock.advance(plan.heartbeat_s + 1)
    last = device.reads(ABSENT, ABSENT, 31)
    assert last is not None
    assert last.held is not None
    assert (last.held[0].value, last.held[1].value) == (99, 20)
