"""A driver that carries several requests at a time, and one whose device has to be left alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.collect.polling import PollingConnection
from gateway.driver import LinkError, NoReply, ParallelDriver, Reply
from gateway.model import ABSENT, Level, Tag
from gateway.testing import Collected, ScriptedDriver, sample_device
from tests.time_lapse import LapseClock, run_in_time_lapse

if TYPE_CHECKING:
    from gateway.driver import Request

READING_S = 0.1


class SeveralAtATime(ScriptedDriver):
    """Three requests at a time, each takes 100 ms."""

    parallel = 3

    def __init__(self) -> None:
        super().__init__()
        self.under_way = 0
        self.most = 0
        self.closed = 0

    async def close(self) -> None:
        """Count it."""
        self.closed += self.is_open
        await super().close()

    async def read(self, request: Request) -> Reply:
        """As its base, after a while."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(READING_S)
            return await super().read(request)
        finally:
            self.under_way -= 1


def polled(driver: ScriptedDriver, for_s: float, tags: int = 7, **timing: float) -> Collected:
    """One device of so many requests, polled each second in time lapse."""
    device = sample_device("plc", *(Tag(f"t{n}", f"{n}", "int") for n in range(tags)), timeout_s=5.0, **timing)

    async def poll() -> Collected:
        collected = Collected()
        task = asyncio.create_task(PollingConnection(driver, [device], LapseClock(), collected).run())
        await asyncio.sleep(for_s)
        task.cancel()
        await asyncio.wait([task])
        return collected

    return run_in_time_lapse(poll())


def test_requests_of_a_device_are_under_way_together() -> None:
    """Seven requests in three rounds, in one batch; never more at a time than the driver carries."""
    driver = SeveralAtATime()
    assert isinstance(driver, ParallelDriver)
    collected = polled(driver, 3.5)
    assert driver.most == 3
    assert driver.opened == 1
    assert len(collected.batches) >= 3
    assert all(ABSENT not in batch.values for batch in collected.batches)


def test_a_link_that_breaks_under_several_is_closed_once() -> None:
    """Three requests fail with it at a time; that is one loss, and one back-off."""
    driver = SeveralAtATime()
    driver.link_error = None
    broken = LinkError("the link broke")
    calls = 0

    async def read(request: Request) -> Reply:
        nonlocal calls
        calls += 1
        await asyncio.sleep(READING_S)
        if calls <= 3:
            raise broken if calls == 1 else LinkError("it is closed")
        return Reply([calls])

    driver.read = read  # type: ignore[method-assign]  # a driver that loses its link once
    collected = polled(driver, 5.0)
    assert driver.opened == 2
    assert collected.batches[-1].quality[0].level is Level.GOOD


class SilentForNow(ScriptedDriver):
    """Wants to be left alone for three seconds after its first silence."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    async def read(self, request: Request) -> Reply:
        """Silence at first."""
        now = asyncio.get_running_loop().time()
        self.times.append(now)
        if len(self.times) == 1:
            raise NoReply("silent", again_s=3.0)
        return await super().read(request)


def test_a_device_that_must_be_left_alone_is_not_asked_meanwhile() -> None:
    """No repetition and no other request before its time is over; then all of it at once, and nothing was BAD."""
    driver = SilentForNow()
    collected = polled(driver, 6.0, tags=3, retries=2)
    first, second = driver.times[:2]
    assert 3.0 <= second - first < 3.1
    assert all(batch.quality[0].level is Level.GOOD for batch in collected.batches)
    assert ABSENT not in collected.batches[0].values
