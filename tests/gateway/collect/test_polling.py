"""One polled connection: what fails is told, and harms only itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from gateway.clock import SystemClock
from gateway.collect.polling import PollingConnection
from gateway.driver import DeviceRefused, LinkError, NoReply
from gateway.model import ABSENT, DeviceState, Level, Quality, Tag
from gateway.testing import Collected, ScriptedDriver, eventually, sample_device

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from gateway.driver import Device, Reply, Request

PERIOD_S = 0.02


class Bench:
    """One connection over a scripted driver."""

    def __init__(self, *devices: Device, driver: ScriptedDriver | None = None) -> None:
        self.driver = driver or ScriptedDriver()
        self.collected = Collected()
        self.connection = PollingConnection(self.driver, devices, SystemClock(), self.collected)

    def values(self, device: str, tag: str) -> list[tuple[object, Quality]]:
        """All that was emitted of one tag."""
        batches = [batch for batch in self.collected.batches if batch.plan.device == device]
        cells = [(b.values[b.plan.positions[tag]], b.quality[b.plan.positions[tag]]) for b in batches]
        return [cell for cell in cells if cell[0] is not ABSENT]

    def last_quality(self, device: str, tag: str) -> Quality | None:
        """The newest quality of one tag."""
        values = self.values(device, tag)
        return values[-1][1] if values else None


@asynccontextmanager
async def running(*devices: Device) -> AsyncIterator[Bench]:
    bench = Bench(*devices)
    task = asyncio.create_task(bench.connection.run())
    try:
        yield bench
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert not bench.driver.is_open


def device(name: str, *tags: str, **timing: float) -> Device:
    return sample_device(name, *(Tag(tag, tag, "int", period_s=PERIOD_S) for tag in tags), **timing)


async def test_one_acquisition_is_one_batch_of_all_tags() -> None:
    """However many requests it takes, the tags of a device travel together."""
    async with running(device("a", "x", "y", "z")) as bench:
        await eventually(lambda: len(bench.collected.batches) >= 3)
    assert all(ABSENT not in batch.values for batch in bench.collected.batches)
    assert bench.driver.opened == 1
    assert [status.state for status in bench.collected.statuses] == [DeviceState.ONLINE]


async def test_a_device_is_bad_after_two_failures_in_a_row_and_told_once() -> None:
    """A single failure is counted; BAD comes on the change and does not repeat."""
    async with running(device("a", "x")) as bench:
        await eventually(lambda: bench.values("a", "x"))
        bench.driver.errors["x"] = NoReply("a: no answer within 0.2 s")
        await eventually(lambda: bench.last_quality("a", "x") is Quality.NO_REPLY)
        await eventually(lambda: len(bench.collected.failures) >= 4)
        bad = [quality for _, quality in bench.values("a", "x") if quality.level is Level.BAD]
        assert bad == [Quality.NO_REPLY]
        assert bench.collected.statuses[-1].state is DeviceState.OFFLINE
        assert bench.collected.statuses[-1].reason == "a: no answer within 0.2 s [E-FLD-002]"
        bench.driver.errors.clear()
        await eventually(lambda: bench.last_quality("a", "x") is Quality.GOOD, within_s=15)
        assert bench.collected.statuses[-1].state is DeviceState.ONLINE


async def test_a_single_failure_shows_only_in_the_count() -> None:
    """One lost packet turns nothing BAD."""
    async with running(device("a", "x", bad_after=1000)) as bench:
        bench.driver.errors["x"] = NoReply("silent")
        await eventually(lambda: bench.collected.failures)
        bench.driver.errors.clear()
        await eventually(lambda: bench.values("a", "x"))
    assert {quality for _, quality in bench.values("a", "x")} == {Quality.GOOD}


async def test_a_refused_request_harms_only_its_own_tags() -> None:
    """An illegal address makes one tag BAD; its neighbours stay GOOD and fresh, and the device is degraded."""
    async with running(device("a", "x", "illegal", "y")) as bench:
        bench.driver.errors["illegal"] = DeviceRefused("exception 02 at holding:100")
        await eventually(lambda: bench.last_quality("a", "illegal") is Quality.DEVICE_ERROR)
        readings = len(bench.values("a", "y"))
        await eventually(lambda: len(bench.values("a", "y")) > readings + 3)
    assert {quality for tag in ("x", "y") for _, quality in bench.values("a", tag)} == {Quality.GOOD}
    assert bench.collected.statuses[-1].state is DeviceState.DEGRADED


@pytest.mark.parametrize("mute", ["x", "y", "z"])
async def test_a_request_that_is_never_answered_hides_no_other(mute: str) -> None:
    """Devices that keep silent on what they do not know must not look dead, wherever the mute request stands."""
    async with running(device("a", "x", "y", "z")) as bench:
        bench.driver.errors[mute] = NoReply("mute")
        await eventually(lambda: bench.last_quality("a", mute) is Quality.NO_REPLY)
        others = {"x", "y", "z"} - {mute}
        for tag in others:
            readings = len(bench.values("a", tag))
            await eventually(lambda tag=tag, readings=readings: len(bench.values("a", tag)) > readings + 2)
            assert bench.last_quality("a", tag) is Quality.GOOD
    assert bench.collected.statuses[-1].state is DeviceState.DEGRADED


async def test_a_dead_device_leaves_the_bus_to_the_others() -> None:
    """After its first back-off the dead one is asked a few times, the living one at every slot."""
    async with running(device("dead", "x"), device("alive", "y")) as bench:
        bench.driver.errors["dead/x"] = NoReply("dead")
        await eventually(lambda: bench.last_quality("dead", "x") is Quality.NO_REPLY)
        before = len(bench.driver.reads)
        await eventually(lambda: len(bench.driver.reads) > before + 40)
        asked = bench.driver.reads[before:]
    assert asked.count("dead/x") < asked.count("alive/y") / 3


async def test_a_link_that_cannot_open_makes_all_its_devices_bad_and_recovers() -> None:
    """Both devices say why, and both come back when the link does."""
    async with running(device("a", "x"), device("b", "y")) as bench:
        bench.driver.link_error = LinkError("10.0.0.5:502 refused the connection")
        await eventually(lambda: bench.last_quality("a", "x") is Quality.NO_REPLY)
        await eventually(lambda: bench.last_quality("b", "y") is Quality.NO_REPLY)
        told = {status.reason for status in bench.collected.statuses}
        assert told == {"10.0.0.5:502 refused the connection [E-FLD-001]"}
        bench.driver.link_error = None
        await eventually(lambda: bench.last_quality("a", "x") is Quality.GOOD, within_s=15)
        await eventually(lambda: bench.last_quality("b", "y") is Quality.GOOD, within_s=15)


async def test_a_broken_link_is_closed_before_it_is_opened_anew() -> None:
    """Never two sockets at the PLC."""
    async with running(device("a", "x")) as bench:
        await eventually(lambda: bench.values("a", "x"))
        bench.driver.link_error = LinkError("reset by peer")
        await eventually(lambda: not bench.driver.is_open)
        bench.driver.link_error = None
        await eventually(lambda: bench.driver.opened == 2, within_s=15)


async def test_silence_is_tried_again_as_often_as_configured() -> None:
    """Two retries make three requests before the reading counts as failed."""
    async with running(device("a", "x", retries=2, bad_after=100)) as bench:
        bench.driver.errors["x"] = NoReply("silent")
        await eventually(lambda: bench.collected.failures)
        assert len(bench.driver.reads) == 3 * len(bench.collected.failures)


async def test_a_defect_of_the_driver_is_a_fault_of_its_link_and_no_more() -> None:
    """An exception outside the contract makes the device BAD with the defect's text; the task lives on."""

    class Broken(ScriptedDriver):
        async def read(self, request: Request) -> Reply:
            raise ZeroDivisionError("division by zero")

    bench = Bench(device("a", "x"), driver=Broken())
    task = asyncio.create_task(bench.connection.run())
    await eventually(lambda: bench.last_quality("a", "x") is Quality.NO_REPLY)
    assert "division by zero" in bench.collected.statuses[-1].reason
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_apply_changes_one_device_while_the_other_misses_no_reading() -> None:
    """The link stays open, the unchanged device keeps its slots, the new tag appears."""
    kept, before, after = device("kept", "x"), device("changed", "y"), device("changed", "y", "new")
    async with running(kept, before) as bench:
        await eventually(lambda: bench.values("changed", "y"))
        schedule = bench.connection._polled["kept"].schedule
        bench.connection.apply([kept, after])
        await eventually(lambda: any(batch.plan is after.plan for batch in bench.collected.batches))
        assert bench.connection._polled["kept"].schedule is schedule
        assert schedule.overruns == 0
        assert bench.driver.opened == 1


async def test_a_removed_device_is_polled_no_more() -> None:
    """Apply without it ends it."""
    a, b = device("a", "x"), device("b", "y")
    async with running(a, b) as bench:
        await eventually(lambda: bench.values("b", "y"))
        bench.connection.apply([a])
        before = len(bench.driver.reads)
        await eventually(lambda: len(bench.driver.reads) > before + 5)
    assert "b/y" not in bench.driver.reads[before + 1 :]
