"""What every polling driver does when it is told to read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.collect.plan import devices_of
from gateway.driver import PollingDriver
from gateway.model import Quality

if TYPE_CHECKING:
    from gateway.connection import ConnectionConfig
    from gateway.driver import Device, Reply, Request
    from tests.contract.conftest import Subject

KIND = PollingDriver

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_requests_cover_each_tag_exactly_once(subject: Subject) -> None:
    """No tag is forgotten, none is read twice, and each is read at its own period."""
    devices = devices_of(subject.config)
    requests = subject.build(subject.config).requests(devices)
    covered = [(request.device, position) for request in requests for position in request.positions]
    assert sorted(covered) == sorted((device.name, n) for device in devices for n in range(len(device.plan.tags)))
    periods = {device.name: [tag.period_s for tag in device.plan.tags] for device in devices}
    for request in requests:
        assert {periods[request.device][position] for position in request.positions} == {request.period_s}


async def test_requests_of_some_devices_read_only_those(subject: Subject) -> None:
    """After a reload the driver is asked again, with other devices, or with none."""
    driver = subject.build(subject.config)
    for device in devices_of(subject.config):
        assert {request.device for request in driver.requests([device])} == {device.name}
    assert list(driver.requests([])) == []


async def test_every_reading_fits_its_request(subject: Subject, played: ConnectionConfig) -> None:
    """As many values as positions, each of its tag's type or BAD and None, and never NaN; ten rounds."""
    async with subject.opened(played) as driver:
        for _ in range(10):
            await _read_all(subject, driver, devices_of(played))


async def test_the_simulator_plays_every_tag_of_the_example(subject: Subject, played: ConnectionConfig) -> None:
    """All values are GOOD, so that a rehearsal from one's own configuration shows no fault that is not there."""
    async with subject.opened(played) as driver:
        for request in driver.requests(devices_of(played)):
            reply = await driver.read(request)
            assert set(reply.quality or [Quality.GOOD]) == {Quality.GOOD}
            assert None not in reply.values


async def test_readings_move(subject: Subject, played: ConnectionConfig) -> None:
    """What is read is of now: the simulator's signals move, so a driver that hands out its last reply again is seen."""
    async with subject.opened(played) as driver, asyncio.timeout(20):
        requests = driver.requests(devices_of(played))
        first = [await driver.read(request) for request in requests]
        moved = False
        while not moved:
            again = [await driver.read(request) for request in requests]
            moved = any(new.values != old.values for new, old in zip(again, first, strict=True))
            await asyncio.sleep(0.05)


async def test_unchanged_means_equal_values(subject: Subject, played: ConnectionConfig) -> None:
    """The mark stands only on a reply that is the same as the one before; the core skips work for it."""
    async with subject.opened(played) as driver:
        for request in driver.requests(devices_of(played)):
            last = await driver.read(request)
            for _ in range(5):
                reply = await driver.read(request)
                assert not reply.unchanged or reply.values == last.values
                last = reply


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
async def test_a_cancelled_reading_stops_within_a_second_and_poisons_nothing(
    subject: Subject, played: ConnectionConfig, steps: int
) -> None:
    """Wherever it is cancelled, the next readings on the same link are whole and belong to their requests."""
    async with subject.opened(played) as driver:
        devices = devices_of(played)
        for request in driver.requests(devices):
            reading = asyncio.create_task(driver.read(request))
            for _ in range(steps):
                await asyncio.sleep(0)
            reading.cancel()
            _, late = await asyncio.wait([reading], timeout=1.0)
            assert not late
        await _read_all(subject, driver, devices)


async def test_requests_change_while_the_link_stays_open(subject: Subject, played: ConnectionConfig) -> None:
    """One device alone, then all, then one tag of each: the driver reads what it was last asked for."""
    async with subject.opened(played) as driver:
        for devices in (devices_of(played)[:1], devices_of(played), devices_of(subject.some_tags(played))):
            await _read_all(subject, driver, devices)


async def _read_all(subject: Subject, driver: PollingDriver, devices: list[Device]) -> None:
    for request in driver.requests(devices):
        _check(subject, await driver.read(request), request, devices)


def _check(subject: Subject, reply: Reply, request: Request, devices: list[Device]) -> None:
    (device,) = [device for device in devices if device.name == request.device]
    qualities = reply.quality or [Quality.GOOD] * len(request.positions)
    for position, value, quality in zip(request.positions, reply.values, qualities, strict=True):
        subject.check(device.plan.tags[position], value, quality)
