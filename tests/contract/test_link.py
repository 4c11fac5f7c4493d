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

pytestmark = pytest.mark.asyncio(loop_scope="session")

ROUNDS = 5


async def test_it_opens_again_after_it_was_closed(subject: Subject, played: ConnectionConfig) -> None:
    """The same driver, three times; closing takes less than three seconds, and closing twice is fine."""
    driver = subject.build(played)
    for _ in range(3):
        await driver.open()
        await subject.use(driver, played)
        assert await _seconds(driver.close()) < 3.0
        await driver.close()


async def test_nothing_is_left_after_closing(
    subject: Subject, played: ConnectionConfig, footprint: type[Footprint]
) -> None:
    """However often it is opened: files, threads and tasks are as after the first time, which loads libraries."""
    await _open_use_close(subject, played)
    before = footprint()
    for _ in range(ROUNDS):
        await _open_use_close(subject, played)
    assert await before.restored(), f"before {before.before}, after {before()}"


async def test_losing_the_end_point_is_told_and_opening_it_names_it(
    subject: Subject, footprint: type[Footprint]
) -> None:
    """When the other end goes, reading or listening ends with an error of the contract; opening then says where it was.

    However often it is tried in vain, nothing is left behind.
    """
    async with subject.spec.simulate(subject.config) as config:
        driver = subject.build(config)
        await driver.open()
        await subject.use(driver, config)
    with pytest.raises(DriverError):
        await asyncio.wait_for(_use_until_it_fails(subject, driver, config), 20)
    await driver.close()
    before = footprint()
    for _ in range(ROUNDS):
        with pytest.raises(LinkError) as error:
            await asyncio.wait_for(driver.open(), 10)
        assert [word for word in _where(subject, config) if word not in str(error.value)] == [], str(error.value)
        await driver.close()
    assert await before.restored(), f"before {before.before}, after {before()}"


async def test_closing_towards_an_end_point_that_is_gone_is_quick_and_quiet(
    subject: Subject, played: ConnectionConfig
) -> None:
    """It takes less than three seconds, raises nothing, and another connection of the same kind works on."""
    async with subject.spec.simulate(subject.config) as config:
        driver = subject.build(config)
        await driver.open()
    assert await _seconds(driver.close()) < 3.0
    await _open_use_close(subject, played)


async def test_two_connections_do_not_meet(subject: Subject, played: ConnectionConfig) -> None:
    """There is no global state: closing one driver leaves another of its kind in the same process as it was."""
    async with subject.spec.simulate(subject.config) as other, subject.opened(played) as stays:
        async with subject.opened(other) as goes:
            await subject.use(goes, other)
        await subject.use(stays, played)


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
    changed = [value for key, value in config.reached_by().items() if value != written[key]]
    end_point = {str(value) for value in changed if not isinstance(value, bool | None)}
    return end_point or {claim.rpartition(" ")[2] for claim in subject.spec.claims(config)}


async def _seconds(call: Any) -> float:
    begin = time.monotonic()
    await call
    return time.monotonic() - begin
