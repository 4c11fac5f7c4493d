"""What happens while the disk takes its time: the loop goes on, and nothing comes twice or is lost."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.model import Batch, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.outbox.entry import Entry

NewRig = Any


def numbers(entries: list[Entry]) -> list[Any]:
    """The values of the batches."""
    return [entry.item.values[0] for entry in entries if isinstance(entry.item, Batch)]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens in other tasks."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the outbox tells nobody of what it did
            await asyncio.sleep(0.005)


class Stall:
    """A disk that takes its time: one operation does not end before it is told to."""

    def __init__(self, moment: str) -> None:
        self.moment = moment
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self, operation: str, _name: str) -> None:
        """Wait at the operation."""
        if operation == self.moment:
            self.begun.set()
            assert self.go_on.wait(20)

    async def reached(self) -> None:
        """The operation has begun."""
        await asyncio.to_thread(self.begun.wait, 20)


async def test_a_slow_disk_does_not_hold_up_the_loop(rig: Any) -> None:
    """While a sync takes its time, readings are put, taken and acknowledged; the status says that the disk is slow."""
    stall = rig.disk.fault = Stall("sync")
    rig.put(2)
    rig.clock.advance(1.1)
    tending = asyncio.create_task(rig.outbox.tend())
    await stall.reached()
    rig.put(3)
    taken = await rig.outbox.take()
    rig.outbox.acknowledge(taken)
    assert numbers([taken]) == [3]
    assert rig.outbox.durability.on_disk
    rig.clock.advance(1.0)
    assert rig.outbox.durability.cause == "the disk of the spool is slow"
    assert not rig.outbox.durability.on_disk
    rig.acknowledge([await rig.outbox.take(), await rig.outbox.take()])
    stall.go_on.set()
    await tending
    assert rig.outbox.durability.on_disk
    assert numbers(await rig.take()) == [1, 2]


async def test_what_is_acknowledged_while_it_is_written_is_not_sent_again(rig: Any) -> None:
    """It was under way when the spill began; the PUBACK came before the sync ended."""
    stall = rig.disk.fault = Stall("sync")
    rig.put(3)
    taken = await rig.take()
    rig.clock.advance(1.1)
    tending = asyncio.create_task(rig.outbox.tend())
    await stall.reached()
    rig.acknowledge(taken[:2])
    stall.go_on.set()
    await tending
    rig.outbox.give_back()
    assert numbers(await rig.take()) == [3]
    await rig.tend(1.1)
    rig.killed()
    assert numbers(await rig.take()) == [3]


async def test_what_is_given_back_while_it_is_written_comes_from_disk(rig: Any) -> None:
    """Once, as history."""
    stall = rig.disk.fault = Stall("sync")
    rig.put(3)
    await rig.take()
    rig.clock.advance(1.1)
    tending = asyncio.create_task(rig.outbox.tend())
    await stall.reached()
    rig.outbox.give_back()
    assert await rig.take_next() is None
    stall.go_on.set()
    await tending
    taken = await rig.take()
    assert numbers(taken) == [1, 2, 3]
    assert all(entry.history for entry in taken)


async def test_batches_that_are_given_back_while_their_segment_is_dropped_are_counted(new_rig: NewRig) -> None:
    """The link is lost in the middle of making room: the count stays exact."""
    rig = new_rig(max_bytes=4_000, segment_bytes=500)
    while rig.outbox.counters.spool_bytes < 3_500:
        rig.put(4)
        await rig.tend(1.1)
    await rig.take(6)
    stall = rig.disk.fault = Stall("rename")
    rig.put(400)
    rig.clock.advance(1.1)
    tending = asyncio.create_task(rig.outbox.tend())
    await stall.reached()
    rig.outbox.give_back()
    assert await rig.take_next() is None
    stall.go_on.set()
    await tending
    drained = await rig.drain()
    told = sum(entry.item.body["count"] for entry in drained if isinstance(entry.item, Notice))
    assert told + len(numbers(drained)) == rig.outbox.counters.put


async def test_a_run_waits_while_the_disk_is_left_alone(rig: Any) -> None:
    """What is overdue does not make it spin for the half minute until the disk is tried again."""

    def fault(operation: str, _name: str) -> None:
        if operation == "sync":
            raise OSError(5, "Input/output error")

    rig.put(1)
    assert rig.outbox._idle_s() == 1.0
    rig.clock.advance(0.7)
    assert rig.outbox._idle_s() == pytest.approx(0.3)
    rig.disk.fault = fault
    await rig.tend(1.1)
    assert rig.outbox._idle_s() == 1.0


async def test_a_run_keeps_everything_safe(new_rig: NewRig) -> None:
    """The task that the app starts spills by itself, within the time that is promised."""
    rig = new_rig(settings={"spill_after_s": 0.05})
    running = asyncio.create_task(rig.outbox.run())
    rig.put(3)
    assert len(await rig.take()) == 3
    rig.clock.advance(0.06)
    await until(lambda: rig.outbox.counters.spilled == 3)
    rig.outbox.give_back()
    async with asyncio.timeout(20):
        taken = [await rig.outbox.take() for _ in range(3)]
    assert numbers(taken) == [1, 2, 3]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await rig.outbox.close()


async def test_a_run_outlives_a_fault_of_its_own(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody thought of is logged; live data flows on and the next round is made."""
    monkeypatch.setattr("gateway.outbox.outbox._IDLE_S", 0.02)
    broken = [True]

    def fault(operation: str, _name: str) -> None:
        if operation == "write" and broken[0]:
            broken[0] = False
            raise RuntimeError("nobody thought of this")

    rig.disk.fault = fault
    running = asyncio.create_task(rig.outbox.run())
    rig.put(2)
    rig.clock.advance(5)
    with capture_logs() as logs:
        await until(lambda: rig.clock.advance(0.1) or rig.outbox.counters.spilled == 2)
    assert "outbox_fault" in [line["event"] for line in logs]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await rig.outbox.close()


async def test_closing_waits_for_what_the_thread_has_begun(rig: Any) -> None:
    """The run is cancelled in the middle of a sync: nothing is written twice, nothing is lost."""
    stall = rig.disk.fault = Stall("sync")
    rig.put(2)
    rig.clock.advance(5)
    running = asyncio.create_task(rig.outbox.run())
    rig.outbox._something_to_do.set()
    await stall.reached()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    rig.put(1)
    closing = asyncio.create_task(rig.outbox.close())
    await asyncio.sleep(0)
    stall.go_on.set()
    await closing
    rig.killed()
    assert numbers(await rig.take()) == [1, 2, 3]
    assert rig.outbox.counters.waiting_on_disk == 3


async def test_closing_gives_a_stuck_disk_up(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process ends in time; the next start tells a gap."""
    monkeypatch.setattr("gateway.outbox.outbox._CLOSE_S", 0.05)
    stall = rig.disk.fault = Stall("sync")
    rig.put(2)
    with capture_logs() as logs:
        await rig.outbox.close()
    assert [(line["event"], line["in_memory"]) for line in logs if line["event"] == "outbox_not_saved"] == [
        ("outbox_not_saved", 2)
    ]
    stall.go_on.set()
    assert "running" in rig.disk.names
