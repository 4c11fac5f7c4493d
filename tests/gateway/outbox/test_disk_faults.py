"""A disk that fails, stalls or is not there: live data flows on, the status tells, and it is taken up again."""

from __future__ import annotations

from errno import EIO, ENOENT, ENOSPC, EROFS
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.model import Batch, Notice
from gateway.outbox.segment import SegmentName

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.outbox.entry import Entry

NewRig = Any


def numbers(entries: list[Entry]) -> list[Any]:
    """The values of the batches."""
    return [entry.item.values[0] for entry in entries if isinstance(entry.item, Batch)]


def failing(*moments: str, error: int = EIO) -> Callable[[str, str], None]:
    """A disk that refuses these operations."""

    def fault(operation: str, name: str) -> None:
        if operation in moments:
            raise OSError(error, "Input/output error", name)

    return fault


def well(_operation: str, _name: str) -> None:
    """A disk that refuses nothing."""


@pytest.mark.parametrize("moment", ["create", "write", "write done", "sync", "sync done", "sync_folder"])
async def test_a_failed_write_is_told_and_loses_nothing(rig: Any, moment: str) -> None:
    """Live data is taken as before; what could not be written waits in memory, and goes to disk when that is well."""
    rig.disk.fault = failing(moment)
    first = rig.clock.time_ns + 1_100_000_000
    values = rig.put(3)
    await rig.tend(1.1)
    durability = rig.outbox.durability
    assert not durability.on_disk
    assert durability.since == first
    assert durability.cause == "the spool in the disk cannot be written: Input/output error"
    assert rig.outbox.counters.waiting_in_memory == 3
    values += rig.put(2)
    taken = await rig.take()
    assert numbers(taken) == values
    assert not any(entry.history for entry in taken)
    rig.outbox.give_back()
    rig.disk.fault = well
    await rig.tend(31)
    assert rig.outbox.durability.on_disk
    assert rig.outbox.counters.waiting_in_memory == 0
    rig.killed()
    assert numbers(await rig.drain()) == values


async def test_a_file_that_failed_is_never_written_again(rig: Any) -> None:
    """After a failed sync nobody knows what is on the disk: what was safe is kept, the rest goes to a new file."""
    rig.put(2)
    await rig.tend(1.1)
    [first] = [name for name in rig.disk.names if name.endswith(".spool")]
    whole = bytes(rig.disk.names[first].content)
    rig.disk.fault = failing("sync")
    rig.put(2)
    await rig.tend(1.1)
    written: list[str] = []
    rig.disk.fault = lambda operation, name: written.append(name) if operation in {"write", "sync"} else None
    await rig.tend(31)
    assert first not in written
    assert bytes(rig.disk.names[first].content) == whole
    assert numbers(await rig.drain()) == [1, 2, 3, 4]


async def test_a_disk_that_failed_is_left_alone_for_half_a_minute(rig: Any) -> None:
    """No storm of tries, and no storm in the log."""
    rig.disk.fault = failing("create", error=EROFS)
    with capture_logs() as logs:
        for _ in range(120):
            rig.put(1)
            await rig.tend(1.0)
    tries = rig.disk.operations.count("create") - 1
    assert 4 <= tries <= 6
    assert len([line for line in logs if line["event"] == "spool_failed"]) == 1


async def test_a_disk_that_is_well_again_is_noticed_without_anything_to_write(rig: Any) -> None:
    """The broker is back and nothing spills any more: the status recovers all the same."""
    rig.disk.fault = failing("sync")
    rig.put(3)
    await rig.tend(1.1)
    rig.acknowledge(await rig.take())
    rig.disk.fault = well
    await rig.tend(10)
    assert not rig.outbox.durability.on_disk
    with capture_logs() as logs:
        await rig.tend(21)
    assert rig.outbox.durability.on_disk
    assert "spool_recovered" in [line["event"] for line in logs]


async def test_a_cursor_that_cannot_be_written_is_told(rig: Any) -> None:
    """What was acknowledged may come again after a crash; nothing is lost, and later it is noted."""
    rig.put(3)
    await rig.tend(1.1)
    rig.disk.fault = failing("rename")
    rig.acknowledge(await rig.take())
    await rig.tend(1.1)
    assert not rig.outbox.durability.on_disk
    rig.disk.fault = well
    await rig.tend(31)
    assert rig.outbox.durability.on_disk
    rig.killed()
    assert numbers(await rig.take()) == []


async def test_what_a_failed_cursor_should_have_noted_is_noted_later(rig: Any) -> None:
    """A gap that was counted while the disk failed is on disk as soon as it is well, whatever is written first."""
    rig.put(1)
    rig.outbox.refuse((await rig.take())[0], "no")
    rig.disk.fault = failing("rename")
    await rig.tend(1.1)
    rig.disk.fault = well
    rig.put(1)
    await rig.tend(31)
    assert rig.outbox.counters.spilled == 1
    rig.killed()
    reasons = [entry.item.body["reason"] for entry in await rig.drain() if isinstance(entry.item, Notice)]
    assert sorted(reasons) == ["crash", "refused"]


@pytest.mark.parametrize(
    ("moment", "error"),
    [("prepare", EROFS), ("create", EROFS), ("read", EIO), ("sync_folder", ENOSPC), ("append", ENOENT)],
)
async def test_a_folder_that_cannot_be_used_at_the_start_is_taken_up_later(rig: Any, moment: str, error: int) -> None:
    """The gateway starts without it; when it is there, what lay in it is drained and what waits goes to it."""
    old = rig.put(2)
    await rig.outbox.close()
    rig.disk.killed()
    rig.disk.fault = failing(moment, error=error)
    rig.start()
    new = rig.put(2)
    await rig.tend(1.1)
    assert not rig.outbox.durability.on_disk
    assert rig.outbox.counters.waiting_in_memory == 2
    rig.disk.fault = well
    await rig.tend(31)
    assert rig.outbox.durability.on_disk
    assert sorted(numbers(await rig.drain())) == old + new


async def test_a_folder_that_comes_back_is_drained_without_anything_new(rig: Any) -> None:
    """The disk was mounted late; nothing is put, and the old readings go out all the same."""
    rig.put(2)
    await rig.outbox.close()
    rig.disk.fault = failing("prepare")
    rig.start()
    await rig.tend(1.1)
    rig.disk.fault = well
    await rig.tend(31)
    assert numbers(await rig.drain()) == [1, 2]


async def test_in_memory_the_bound_holds_while_the_disk_fails(new_rig: NewRig) -> None:
    """For ever: the oldest go, each counted, gap records last."""
    rig = new_rig(settings={"memory_mb": 0.1})
    rig.disk.fault = failing("create", "write")
    rig.notice(7)
    for _ in range(100):
        rig.put(20)
        await rig.tend(1.0)
    assert rig.outbox.counters.waiting_in_memory < 120
    assert rig.outbox._window._bytes <= 100_000
    drained = await rig.drain()
    told = [entry.item.body for entry in drained if isinstance(entry.item, Notice)]
    assert told[0] == {"number": 7}
    assert {body["reason"] for body in told[1:]} == {"memory_full"}
    assert sum(body["count"] for body in told[1:]) + len(numbers(drained)) == 2000


async def test_a_segment_that_cannot_be_read_for_a_while_is_read_later(rig: Any) -> None:
    """A loose plug is no loss: it is tried again, half a minute later."""
    rig.put(3)
    await rig.tend(1.1)
    rig.killed()
    rig.disk.fault = failing("read")
    assert numbers(await rig.take()) == []
    await rig.tend(10)
    rig.disk.fault = well
    assert numbers(await rig.take()) == []
    await rig.tend(21)
    assert numbers(await rig.drain()) == [1, 2, 3]


async def test_a_segment_that_can_never_be_read_is_counted_and_passed_over(new_rig: NewRig) -> None:
    """After three tries; what lies behind it is delivered."""
    rig = new_rig(segment_bytes=200)
    for _ in range(3):
        rig.put(2)
        await rig.tend(1.1)
    await rig.outbox.close()
    rig.killed()
    bad = sorted(name for name in rig.disk.names if name.endswith(".spool"))[1]

    def fault(operation: str, name: str) -> None:
        if operation == "read" and name == bad:
            raise OSError(EIO, "Input/output error")

    rig.disk.fault = fault
    drained = await rig.drain()
    for _ in range(4):
        await rig.tend(31)
        drained += await rig.drain()
    assert numbers(drained) == [1, 2, 5, 6]
    [gap] = [entry.item.body for entry in drained if isinstance(entry.item, Notice)]
    assert (gap["device"], gap["count"], gap["reason"]) == ("*", 2, "disk_error")
    assert rig.outbox.counters.damaged == 2


async def test_closing_on_a_disk_that_fails_tells_the_next_start(rig: Any) -> None:
    """What could not be saved is a gap, and the end is not called clean."""
    rig.put(2)
    rig.disk.fault = failing("write")
    await rig.outbox.close()
    rig.disk.fault = well
    rig.killed()
    [gap] = [entry.item.body for entry in await rig.drain() if isinstance(entry.item, Notice)]
    assert (gap["device"], gap["count"], gap["reason"]) == ("*", None, "crash")


async def test_closing_tries_a_disk_that_failed_a_moment_ago(rig: Any) -> None:
    """It is the last chance of what waits."""
    rig.disk.fault = failing("sync")
    rig.put(2)
    await rig.tend(1.1)
    rig.disk.fault = well
    await rig.outbox.close()
    rig.killed()
    assert numbers(await rig.take()) == [1, 2]


async def test_what_stays_of_a_file_that_could_not_be_begun_is_deleted_in_its_turn(rig: Any) -> None:
    """Neither written nor deleted: it counts for nothing, is passed over, and goes when the cursor has passed it."""
    rig.disk.fault = failing("sync", "unlink")
    rig.put(2)
    await rig.tend(1.1)
    assert [name for name in rig.disk.names if name.endswith(".spool")] == [str(SegmentName(1, 0))]
    rig.disk.fault = well
    await rig.tend(31)
    assert [name for name in rig.disk.names if name.endswith(".spool")] == [str(SegmentName(2, 2, unused=2))]
    drained = await rig.drain()
    assert numbers(drained) == [1, 2]
    assert len(drained) == 2
    await rig.outbox.close()
    assert set(rig.disk.names) == {"cursor"}


async def test_room_that_cannot_be_measured_is_a_fault_of_the_disk(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is gone has no number for it; nothing is dropped on suspicion."""

    def gone() -> int:
        raise OSError(EIO, "Input/output error")

    monkeypatch.setattr(rig.disk, "free_bytes", gone)
    rig.put(2)
    await rig.tend(1.1)
    assert rig.outbox.durability.cause == "the spool in the disk cannot be measured: Input/output error"
    assert rig.outbox.counters.waiting_in_memory == 2


async def test_closing_on_a_disk_that_is_gone_does_not_raise(rig: Any) -> None:
    """The log says that the mark stays."""
    rig.disk.fault = failing("unlink", "sync_folder")
    with capture_logs() as logs:
        await rig.outbox.close()
    assert "spool_not_closed" in [line["event"] for line in logs]
    assert "running" in rig.disk.names


async def test_drained_segments_that_cannot_be_deleted_are_deleted_later(new_rig: NewRig) -> None:
    """The cursor has moved, so nothing comes twice; the status tells, and the next try cleans up."""
    rig = new_rig(segment_bytes=300)
    for _ in range(4):
        rig.put(3)
        await rig.tend(1.1)
    rig.disk.fault = failing("unlink")
    rig.acknowledge(await rig.take())
    await rig.tend(1.1)
    assert "cannot be cleared" in rig.outbox.durability.cause
    rig.disk.fault = well
    await rig.tend(31)
    assert rig.outbox.durability.on_disk
    assert len([name for name in rig.disk.names if name.endswith(".spool")]) == 1
    rig.killed()
    assert numbers(await rig.take()) == []
