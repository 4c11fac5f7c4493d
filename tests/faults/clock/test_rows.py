"""A gateway without a clock of its own: started in 1970, stepped about, never synchronised, rebooted before it was."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from gateway.maintenance import Acknowledgement, rewriting
from gateway.model import ClockState
from gateway.testing import eventually
from tests.faults.clock.conftest import EPOCH_1970, SetClock, seconds, without_hole

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Mosquitto, Subscriber
    from tests.faults.clock.conftest import Plant

pytestmark = [pytest.mark.mosquitto, pytest.mark.slow]

WITHIN_S = 1.0
"""How far a corrected time may be from the true one."""

HOUR_S = 3600.0

MISSED_BY_A_BUSY_MACHINE = 1
"""Readings that a machine may miss which also runs all other tests; a step would cost one for each second of it."""


def assert_true_times(batches: list[dict[str, Any]], begun: float, period_s: float) -> None:
    """Each time is true within a second: all lie in the time of the test, evenly, in the order of their numbers."""
    ordered = sorted(batches, key=lambda batch: int(batch["seq"]))
    for batch in ordered:
        assert begun - WITHIN_S <= seconds(batch) <= time.time() + WITHIN_S, batch
    for before, after in pairwise(ordered):
        periods = (after["seq"] - before["seq"]) * period_s
        assert abs(seconds(after) - seconds(before) - periods) <= WITHIN_S


async def test_c1_rows_from_1970_are_held_and_sent_with_their_true_times(
    plant: Plant, mosquitto: Mosquitto, subscriber: Subscriber, *, campaign: bool
) -> None:
    """The clock is set after a while: every row of before arrives corrected, within 1 s of true time, none in 1970."""
    plant.write(mosquitto.url, clock="before_sync: hold, hold_s: 3600")
    clock, begun = SetClock(EPOCH_1970), time.time()
    async with plant.running(clock):
        await asyncio.sleep(600 if campaign else 3)
        assert subscriber.payloads("/data", "/history", "/events") == []
        clock.true()
        set_at = time.time()
        await eventually(lambda: [b for b in subscriber.payloads() if b["clock"] == "synced"], 30)
        await eventually(lambda: without_hole(subscriber.payloads()), 60)
    batches = subscriber.payloads()
    assert {batch["clock"] for batch in batches} == {"corrected", "synced"}
    assert all(seconds(batch) <= set_at + WITHIN_S for batch in batches if batch["clock"] == "corrected")
    assert sum(batch["clock"] == "corrected" for batch in batches) >= 10
    assert_true_times(batches, begun, 0.2)
    events = {event["event"]: event for event in subscriber.payloads("/events")}
    assert events["alarm_begin"]["clock"] == "corrected"
    assert abs(seconds(events["alarm_begin"]) - begun) <= 5
    assert events["clock_synced"]["from"].startswith("1970-01-01T00:")
    (listed,) = subscriber.payloads("/alarms")[-1]["alarms"]
    assert listed["since"] == events["alarm_begin"]["time"]
    status = subscriber.payloads("machine/status")[-1]
    assert status["since"].startswith(time.strftime("%Y-%m-%dT", time.gmtime(begun)))


async def test_c1_rows_that_waited_for_the_broker_are_corrected_too(
    plant: Plant, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    """By default nothing is held for the clock; what a dead network held back comes with its true time."""
    plant.write(mosquitto.url)
    mosquitto.stop()
    clock, begun = SetClock(EPOCH_1970), time.time()
    async with plant.running(clock):
        await asyncio.sleep(2)
        clock.true()
        mosquitto.start()
        await eventually(lambda: subscriber.payloads() and without_hole(subscriber.payloads()), 60)
        await eventually(lambda: subscriber.payloads("/data")[-1]["clock"] == "synced", 30)
        await eventually(lambda: without_hole(subscriber.payloads()), 60)
    assert {batch["clock"] for batch in subscriber.payloads()} == {"corrected", "synced"}
    assert_true_times(subscriber.payloads(), begun, 0.2)


async def test_c2_a_clock_that_jumps_by_hours_disturbs_no_period(
    plant: Plant, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    """Ten steps of an hour, forth and back: no reading is missed, no session lost, the times follow each step once."""
    period_s, steps = 0.5, 10
    plant.write(mosquitto.url, period_s=period_s)
    clock = SetClock(time.time_ns(), ClockState.SYNCED)
    async with plant.running(clock):
        await eventually(subscriber.payloads, 30)
        for number in range(steps):
            clock.step(HOUR_S if number % 2 == 0 else -HOUR_S)
            seen = len(subscriber.payloads())
            # Two steps within a second would cancel each other out before anybody looks.
            await eventually(lambda number=number: len(steps_told(subscriber)) > number, 30)  # type: ignore[misc]  # bound in each turn
            await eventually(lambda seen=seen: len(subscriber.payloads()) > seen, 30)  # type: ignore[misc]  # bound in each turn
    batches = sorted(subscriber.payloads(), key=lambda batch: int(batch["seq"]))
    assert without_hole(batches)
    jumps = [seconds(after) - seconds(before) for before, after in pairwise(batches)]
    big = [jump for jump in jumps if abs(jump) > HOUR_S / 2]
    assert [round(jump / HOUR_S) for jump in big] == [1, -1] * (steps // 2)
    small = [jump for jump in jumps if abs(jump) <= HOUR_S / 2]
    assert all(jump > 0 for jump in small)
    assert sum(small) <= (len(small) + MISSED_BY_A_BUSY_MACHINE) * period_s, "a missed reading leaves a hole"
    assert steps_told(subscriber) == [pytest.approx(step * HOUR_S, abs=0.5) for step in [1, -1] * (steps // 2)]
    states = [status["state"] for status in subscriber.payloads("_gateway/bench-1/status")]
    assert states == ["online", "offline"], "one session from beginning to end"
    assert all("last" not in batch for batch in batches), "no heartbeat came early"


def steps_told(subscriber: Subscriber) -> list[float]:
    """The steps that events told of, s."""
    return [event["step_s"] for event in subscriber.payloads("/events") if event["event"] == "clock_stepped"]


@pytest.mark.parametrize("policy", ["untouched", "uncertain"])
async def test_c3_a_clock_that_nobody_sets_is_told_in_every_row(
    plant: Plant, mosquitto: Mosquitto, subscriber: Subscriber, policy: str
) -> None:
    """Data and audit events are delivered and marked; the quality is lowered by choice only."""
    plant.write(mosquitto.url, clock=f"policy: {policy}")
    async with plant.running(SetClock(EPOCH_1970)) as app:
        folder: Path = app._state.folder
        with rewriting(folder) as orders:
            orders[0] = orders[0].with_acknowledgement(Acknowledgement(id="1", what="machine", by="anna"))
        await eventually(lambda: len(subscriber.payloads()) >= 10, 30)
        await eventually(lambda: len(alarm_events(subscriber)) == 2, 30)
    assert {batch["clock"] for batch in subscriber.payloads()} == {"free_running"}
    qualities = {batch.get("device_quality", "good") for batch in subscriber.payloads()}
    assert qualities == {"good" if policy == "untouched" else "uncertain:clock"}
    assert {event["clock"] for event in subscriber.payloads("/events")} == {"free_running"}
    assert alarm_events(subscriber) == ["alarm_begin", "alarm_acknowledged"]


def alarm_events(subscriber: Subscriber) -> list[str]:
    """The events of alarms, in order of arrival."""
    return [e["event"] for e in subscriber.payloads("/events") if e["event"].startswith("alarm_")]


async def test_c4_rows_of_earlier_boots_come_marked_and_in_order(
    plant: Plant, mosquitto: Mosquitto, subscriber: Subscriber
) -> None:
    """Two reboots before the clock was ever set: their rows cannot be dated, and are ordered by run and seq."""
    plant.write(mosquitto.url)
    mosquitto.stop()
    for boot in ("boot-1", "boot-2"):
        async with plant.running(SetClock(EPOCH_1970), boot):
            await asyncio.sleep(1.5)
    clock = SetClock(EPOCH_1970)
    async with plant.running(clock, "boot-3"):
        await asyncio.sleep(2)
        clock.true()
        mosquitto.start()
        await eventually(lambda: len({batch["run"] for batch in subscriber.payloads()}) == 3, 60)
        await eventually(lambda: without_hole(subscriber.payloads()), 60)
    runs = sorted({batch["run"] for batch in subscriber.payloads()})
    early = [batch for batch in subscriber.payloads("/history") if batch["run"] in runs[:2]]
    assert [(batch["run"], batch["seq"]) for batch in early] == sorted((b["run"], b["seq"]) for b in early)
    assert {batch["run"] for batch in early} == set(runs[:2])
    assert {batch["clock"] for batch in early} == {"free_running"}
    assert all(batch["time"].startswith("1970-01-01T") for batch in early)
    late = {batch["clock"] for batch in subscriber.payloads() if batch["run"] == runs[2]}
    assert late == {"corrected", "synced"}
