"""What every polling driver does when it is told to read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.collect.plan import devices_of
from gateway.model import Quality
from tests.contract.conftest import assert_cell, of_first_tags

if TYPE_CHECKING:
    from gateway.driver import Device, PollingDriver, Reply, Request
    from tests.contract.conftest import Subject


def check(reply: Reply, request: Request, devices: list[Device]) -> None:
    """Hold one reply to what the core relies on."""
    (device,) = [device for device in devices if device.name == request.device]
    assert len(reply.values) == len(request.positions)
    qualities = reply.quality or [Quality.GOOD] * len(reply.values)
    assert len(qualities) == len(reply.values)
    for position, value, quality in zip(request.positions, reply.values, qualities, strict=True):
        assert_cell(device.plan.tags[position], value, quality)


def test_requests_cover_each_tag_exactly_once(polling: Subject) -> None:
    """No tag is forgotten, none is read twice, and each is read at its own period."""
    devices = devices_of(polling.config)
    requests = polling.build(polling.config).requests(devices)
    covered = [(request.device, position) for request in requests for position in request.positions]
    assert sorted(covered) == [
        (device.name, n) for device in sorted_by_name(devices) for n in range(len(device.plan.tags))
    ]
    periods = {device.name: [tag.period_s for tag in device.plan.tags] for device in devices}
    for request in requests:
        assert {periods[request.device][position] for position in request.positions} == {request.period_s}


def sorted_by_name(devices: list[Device]) -> list[Device]:
    return sorted(devices, key=lambda device: device.name)


def test_requests_of_some_devices_read_only_those(polling: Subject) -> None:
    """After a reload the driver is asked again, with other devices."""
    devices = devices_of(polling.config)
    driver = polling.build(polling.config)
    for device in devices:
        assert {request.device for request in driver.requests([device])} == {device.name}
    assert list(driver.requests([])) == []


async def test_every_reading_fits_its_request(polling: Subject) -> None:
    """Ten times: as many values as positions, each of its tag's type or BAD and None, every float a number."""
    async with polling.spec.simulate(polling.config) as config, polling.opened(config) as driver:
        devices = devices_of(config)
        requests = driver.requests(devices)
        for _ in range(10):
            for request in requests:
                check(await driver.read(request), request, devices)


async def test_the_simulator_plays_every_tag_of_the_example(polling: Subject) -> None:
    """All values are GOOD, so that a rehearsal from one's own configuration shows no fault that is not there."""
    async with polling.spec.simulate(polling.config) as config, polling.opened(config) as driver:
        for request in driver.requests(devices_of(config)):
            reply = await driver.read(request)
            assert set(reply.quality or [Quality.GOOD]) == {Quality.GOOD}
            assert None not in reply.values


async def test_unchanged_means_equal_values(polling: Subject) -> None:
    """The mark stands only on a reply that is the same as the one before; the core skips work for it."""
    async with polling.spec.simulate(polling.config) as config, polling.opened(config) as driver:
        for request in driver.requests(devices_of(config)):
            last = await driver.read(request)
            for _ in range(5):
                reply = await driver.read(request)
                assert not reply.unchanged or reply.values == last.values
                last = reply


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
async def test_a_cancelled_reading_stops_within_a_second_and_poisons_nothing(polling: Subject, steps: int) -> None:
    """Wherever it is cancelled, the next readings on the same link are whole and belong to their requests."""
    async with polling.spec.simulate(polling.config) as config, polling.opened(config) as driver:
        devices = devices_of(config)
        for request in driver.requests(devices):
            reading = asyncio.create_task(driver.read(request))
            for _ in range(steps):
                await asyncio.sleep(0)
            reading.cancel()
            _, late = await asyncio.wait([reading], timeout=1.0)
            assert not late
        await _read_all(driver, devices)


async def test_requests_change_while_the_link_stays_open(polling: Subject) -> None:
    """One device alone, then all, then one tag of each: the driver reads what it was last asked for."""
    async with polling.spec.simulate(polling.config) as config, polling.opened(config) as driver:
        for devices in (devices_of(config)[:1], devices_of(config), devices_of(of_first_tags(config))):
            await _read_all(driver, devices)


async def _read_all(driver: PollingDriver, devices: list[Device]) -> None:
    for request in driver.requests(devices):
        check(await driver.read(request), request, devices)
