"""Reporting: deadbands hold back what hardly changed, heartbeats show the whole device."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.model import ABSENT, Batch, Cell, Held, Plan, Quality, Tag
from gateway.processing.reporting import Reporter
from gateway.testing import ManualClock, sample_batch

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
        return self.reporter.report(batch)


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
