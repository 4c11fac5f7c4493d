"""A silent device among others: it is asked seldom and cheaply, and the others hardly notice."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from gateway.collect.polling import PollingConnection
from gateway.driver import NoReply, Reply, Request
from gateway.model import ABSENT, Quality, Tag
from gateway.testing import Collected, ScriptedDriver, sample_device
from tests.time_lapse import LapseClock, run_in_time_lapse

if TYPE_CHECKING:
    from gateway.driver import Device

READING_S = 0.03
TIMEOUT_S = 1.0
RUN_S = 400.0


class SlowBus(ScriptedDriver):
    """One request at a time; an answer takes 30 ms, and silence the whole time-out."""

    def __init__(self, *dead: str) -> None:
        super().__init__()
        self.dead = set(dead)
        self.asked: list[tuple[float, str, int]] = []
        """When, which device, how many tags."""

    def requests(self, devices: object) -> list[Request]:
        """Two requests a device: one for a single tag, one for the others."""
        assert isinstance(devices, list)
        made: list[Request] = []
        for device in devices:
            first, *others = range(len(device.plan.tags))
            parts = (tuple(others), (first,))
            made += [Request(device.name, device.timing.period_s, part, len(part)) for part in parts]
        return made

    async def read(self, request: Request) -> Reply:
        """Zeros after 30 ms, or silence."""
        self.asked.append((asyncio.get_running_loop().time(), request.device, request.detail))
        if request.device in self.dead:
            await asyncio.sleep(TIMEOUT_S)
            raise NoReply(f"{request.device}: silent")
        await asyncio.sleep(READING_S)
        return Reply([0] * request.detail)


def devices(period_s: float, count: int = 10) -> list[Device]:
    """Devices of three tags, BAD after two silences, with one repetition."""
    tags = [Tag(f"t{n}", f"{n}", "int", period_s=period_s) for n in range(3)]
    return [sample_device(f"unit-{n}", *tags, period_s=period_s, timeout_s=TIMEOUT_S, retries=1) for n in range(count)]


def run(driver: SlowBus, period_s: float, count: int = 10, revive_at_s: float | None = None) -> Collected:
    """Poll for some minutes, in time lapse."""

    async def poll() -> Collected:
        collected = Collected()
        connection = PollingConnection(driver, devices(period_s, count), LapseClock(), collected)
        task = asyncio.create_task(connection.run())
        if revive_at_s is not None:
            asyncio.get_running_loop().call_later(revive_at_s, driver.dead.clear)
        await asyncio.sleep(RUN_S)
        task.cancel()
        await asyncio.wait([task])
        return collected

    return run_in_time_lapse(poll())


def periods(collected: Collected, device: str, after_s: float) -> list[float]:
    """Times between the readings of one device, sorted, s."""
    times = [batch.stamp.monotonic / 1e9 for batch in collected.batches if batch.plan.device == device]
    begun = times[0]
    late = [time for time in times if time - begun > after_s]
    return sorted(after - before for before, after in pairwise(late))


@pytest.mark.parametrize("period_s", [1.0, 2.0, 5.0])
def test_the_others_keep_their_periods_within_a_fifth(period_s: float) -> None:
    """95 of 100 periods are at most 1.2 times as long as configured, once the dead device is backed off."""
    driver = SlowBus("unit-3")
    collected = run(driver, period_s)
    for device in ("unit-0", "unit-5", "unit-9"):
        measured = periods(collected, device, after_s=15.0)
        assert len(measured) > 0.9 * (RUN_S - 15) / period_s
        assert measured[int(0.95 * len(measured))] <= 1.2 * period_s


def test_a_silent_device_takes_at_most_a_tenth_of_the_time() -> None:
    """Counted from its first back-off on, whatever the back-off draws; and it is asked again and again."""
    driver = SlowBus("unit-3")
    run(driver, 5.0)
    begun = driver.asked[0][0]
    tries = [time for time, device, _ in driver.asked if device == "unit-3" and time - begun > 15]
    assert 10 <= len(tries) * TIMEOUT_S <= 0.1 * RUN_S


def test_two_silent_devices_share_that_tenth() -> None:
    """And both have their turns."""
    driver = SlowBus("unit-3", "unit-7")
    run(driver, 5.0)
    begun = driver.asked[0][0]
    tries = [device for time, device, _ in driver.asked if device in driver.dead and time - begun > 20]
    assert len(tries) * TIMEOUT_S <= 0.1 * RUN_S
    assert min(tries.count("unit-3"), tries.count("unit-7")) >= 10


def test_a_silent_device_is_asked_its_smallest_request_and_once() -> None:
    """No repetition, and not all its requests, though it has two and one retry."""
    driver = SlowBus("unit-3")
    run(driver, 5.0)
    begun = driver.asked[0][0]
    tries = [(time, size) for time, device, size in driver.asked if device == "unit-3" and time - begun > 15]
    assert {size for _, size in tries} == {1}
    assert all(after - before >= 9.9 * TIMEOUT_S for (before, _), (after, _) in pairwise(tries))


def test_where_nobody_answers_nobody_is_spared() -> None:
    """A cut cable: each device is tried by its own back-off, which ends at ten seconds."""
    everybody = [f"unit-{n}" for n in range(3)]
    driver = SlowBus(*everybody)
    run(driver, 5.0, count=3)
    for name in everybody:
        assert len([device for _, device, _ in driver.asked if device == name]) > RUN_S / 15


def test_a_device_that_returns_is_read_whole_at_once() -> None:
    """Its first answer is followed by all its tags, and by its own period from then on."""
    driver = SlowBus("unit-3")
    collected = run(driver, 5.0, revive_at_s=200.0)
    batches = [batch for batch in collected.batches if batch.plan.device == "unit-3"]
    bad, first, *others = batches
    assert set(bad.quality) == {Quality.NO_REPLY}
    assert ABSENT not in first.values
    assert (first.stamp.monotonic - driver.asked[0][0] * 1e9) / 1e9 < 200 + 15
    assert len(others) > 30
