"""How every driver opens, closes and loses its link."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from gateway.collect.plan import devices_of
from gateway.driver import DriverError, LinkError, PollingDriver

if TYPE_CHECKING:
    from gateway.connection import ConnectionConfig
    from tests.contract.conftest import Footprint, Subject

ROUNDS = 5


async def test_it_opens_again_after_it_was_closed(subject: Subject) -> None:
    """The same driver, three times; closing twice is fine."""
    async with subject.spec.simulate(subject.config) as config:
        driver = subject.build(config)
        for _ in range(3):
            await driver.open()
            await subject.use(driver, config)
            await driver.close()
            await driver.close()


async def test_nothing_is_left_after_closing(subject: Subject, footprint: type[Footprint]) -> None:
    """Open files, threads and tasks are as before, however often it was opened; the first time loads libraries."""
    async with subject.spec.simulate(subject.config) as config:
        await _open_use_close(subject, config)
        before = footprint()
        for _ in range(ROUNDS):
            await _open_use_close(subject, config)
        assert await before.restored(), f"before {before.before}, after {before()}"


async def test_a_dead_end_point_is_a_link_error_that_names_it(subject: Subject, footprint: type[Footprint]) -> None:
    """Where nobody listens, opening fails with a text that says where, leaves nothing behind and can be tried again."""
    async with subject.spec.simulate(subject.config) as config:
        await _open_use_close(subject, config)
    driver = subject.build(config)
    before = footprint()
    for _ in range(ROUNDS):
        with pytest.raises(LinkError) as error:
            await asyncio.wait_for(driver.open(), 10)
        assert [word for word in _where(subject, config) if word not in str(error.value)] == [], str(error.value)
        await driver.close()
    assert await before.restored(), f"before {before.before}, after {before()}"


async def test_losing_the_end_point_is_told(subject: Subject) -> None:
    """When the other end goes away while the link is open, reading or listening ends with an error of the contract."""
    async with subject.spec.simulate(subject.config) as config:
        driver = subject.build(config)
        await driver.open()
        await subject.use(driver, config)
    try:
        with pytest.raises(DriverError):
            await asyncio.wait_for(_use_until_it_fails(subject, driver, config), 20)
    finally:
        await driver.close()
    with pytest.raises(LinkError):
        await driver.open()
    await driver.close()


async def test_it_comes_back_when_the_end_point_does(subject: Subject) -> None:
    """A driver of the next simulation works although one of the last was never closed."""
    async with subject.spec.simulate(subject.config) as config:
        orphan = subject.build(config)
        await orphan.open()
    async with subject.spec.simulate(subject.config) as config, subject.opened(config) as driver:
        await subject.use(driver, config)
    await orphan.close()


async def test_two_connections_do_not_meet(subject: Subject) -> None:
    """There is no global state: closing one driver leaves another of its kind, in the same process, as it was."""
    async with (
        subject.spec.simulate(subject.config) as one,
        subject.spec.simulate(subject.config) as other,
        subject.opened(other) as stays,
    ):
        async with subject.opened(one) as goes:
            await subject.use(goes, one)
        await subject.use(stays, other)


async def test_closing_is_quick_and_quiet(subject: Subject) -> None:
    """Closing takes less than a second with the other end alive, and less than three with it gone; it never raises."""
    async with subject.spec.simulate(subject.config) as config:
        driver = subject.build(config)
        await driver.open()
        assert await _seconds(driver.close()) < 1.0
        await driver.open()
    assert await _seconds(driver.close()) < 3.0


async def _open_use_close(subject: Subject, config: ConnectionConfig) -> None:
    async with subject.opened(config) as driver:
        await subject.use(driver, config)


async def _use_until_it_fails(subject: Subject, driver: Any, config: ConnectionConfig) -> None:
    if not isinstance(driver, PollingDriver):
        await driver.listen(devices_of(config), lambda _: None)
    while True:
        await subject.use(driver, config)


def _where(subject: Subject, config: ConnectionConfig) -> set[str]:
    """Words that a text must hold to say where: the end point as the simulator set it, else all that is claimed."""
    written = subject.config.reached_by()
    end_point = {str(value) for key, value in config.reached_by().items() if value != written[key]}
    return end_point or {claim.rpartition(" ")[2] for claim in subject.spec.claims(config)}


async def _seconds(call: Any) -> float:
    begin = time.monotonic()
    await call
    return time.monotonic() - begin
