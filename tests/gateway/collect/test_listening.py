"""One listening connection: restarted when it fails, never silent about it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from gateway.clock import SystemClock
from gateway.collect.listening import ListeningConnection
from gateway.driver import LinkError
from gateway.model import DeviceState, Quality, Tag
from gateway.testing import Collected, eventually, sample_batch, sample_device

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from gateway.driver import Device
    from gateway.model import Batch

CELL = sample_device("cell", Tag("pressure", "s=P", "float"))


class ScriptedListener:
    """Emits one batch of each device when it begins to listen, then waits for an error to raise."""

    def __init__(self) -> None:
        self.opened = 0
        self.closed = 0
        self.refuse: LinkError | None = None
        self.heard: list[list[str]] = []
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()

    async def open(self) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1

    async def listen(self, devices: Sequence[Device], emit: Callable[[Batch], None]) -> None:
        self.heard.append([device.name for device in devices])
        for device in devices:
            emit(sample_batch(device.plan, [1.0] * len(device.plan.tags), SystemClock().now()))
        raise await self.errors.get()


class Bench:
    def __init__(self, *devices: Device) -> None:
        self.driver = ScriptedListener()
        self.collected = Collected()
        self.connection = ListeningConnection("bench", self.driver, devices, SystemClock(), self.collected)

    def qualities(self) -> list[Quality]:
        return [batch.quality[0] for batch in self.collected.batches]


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
        assert bench.driver.closed >= 1


async def test_what_the_driver_emits_passes_and_the_device_is_online() -> None:
    """The first batch is the sign that all is well."""
    async with running(CELL) as bench:
        await eventually(lambda: bench.collected.batches)
    assert [status.state for status in bench.collected.statuses] == [DeviceState.ONLINE]


async def test_a_short_break_is_healed_without_bad() -> None:
    """One lost session that opens again at once is counted and sends fresh values, no BAD."""
    async with running(CELL) as bench:
        await eventually(lambda: bench.collected.batches)
        bench.driver.errors.put_nowait(LinkError("session closed"))
        await eventually(lambda: len(bench.collected.batches) == 2)
    assert bench.qualities() == [Quality.GOOD, Quality.GOOD]
    assert bench.collected.failures == ["cell"]
    assert (bench.driver.opened, bench.driver.closed) == (2, 2)


async def test_a_server_that_stays_away_makes_its_devices_bad_once() -> None:
    """BAD after `bad_after` failed attempts, with the reason; GOOD when it is back."""
    async with running(CELL) as bench:
        await eventually(lambda: bench.collected.batches)
        bench.driver.refuse = LinkError("opc.tcp://10.0.0.7:4840 refused the connection")
        bench.driver.errors.put_nowait(LinkError("session closed"))
        await eventually(lambda: bench.qualities()[-1] is Quality.NO_REPLY)
        await eventually(lambda: len(bench.collected.failures) >= 4)
        assert bench.qualities().count(Quality.NO_REPLY) == 1
        assert bench.collected.statuses[-1].reason == "opc.tcp://10.0.0.7:4840 refused the connection [E-FLD-001]"
        bench.driver.refuse = None
        await eventually(lambda: bench.qualities()[-1] is Quality.GOOD, within_s=15)
    assert bench.collected.statuses[-1].state is DeviceState.ONLINE


async def test_a_cause_is_logged_once_however_often_it_is_tried() -> None:
    """A server that is down for a week does not fill the log."""
    with capture_logs() as lines:
        async with running(CELL) as bench:
            bench.driver.refuse = LinkError("refused")
            bench.driver.errors.put_nowait(LinkError("session closed"))
            await eventually(lambda: len(bench.collected.failures) >= 4, within_s=15)
    told = [line["reason"] for line in lines if line["log_level"] == "warning"]
    assert told[-1] == "refused [E-FLD-001]"
    assert told.count("refused [E-FLD-001]") == 1


async def test_a_defect_of_the_driver_is_treated_as_a_lost_link() -> None:
    """An exception outside the contract restarts the session; the task lives on."""
    async with running(CELL) as bench:
        await eventually(lambda: bench.collected.batches)
        bench.driver.errors.put_nowait(KeyError("wordOrder"))
        await eventually(lambda: bench.driver.opened == 2)


async def test_apply_listens_anew_on_the_open_link() -> None:
    """A reload that changes tags costs no session."""
    async with running(CELL) as bench:
        await eventually(lambda: bench.collected.batches)
        bench.connection.apply([CELL, sample_device("other", Tag("speed", "s=S", "float"))])
        await eventually(lambda: len(bench.driver.heard) == 2)
        assert bench.driver.heard == [["cell"], ["cell", "other"]]
        assert (bench.driver.opened, bench.driver.closed) == (1, 0)


async def test_cancelling_ends_the_listening_task_before_the_link_is_closed() -> None:
    """Nothing of the driver runs on after the end."""
    async with running(CELL) as bench:
        await eventually(lambda: bench.collected.batches)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
