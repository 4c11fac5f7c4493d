"""Bounds: the spool takes no more than it may, and each batch that had to go is counted."""

from __future__ import annotations

import os
from collections import Counter
from errno import EDQUOT, EIO, ENOSPC
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from gateway.model import Batch, Notice
from gateway.outbox.room import ROOM_FOR_NAMES, Room

if TYPE_CHECKING:
    from gateway.outbox.entry import Entry

NewRig = Any


def told(entries: list[Entry]) -> Counter[str]:
    """How many batches of each device the gap records of these entries count."""
    counts: Counter[str] = Counter()
    for entry in entries:
        if isinstance(entry.item, Notice) and entry.item.topic == "gaps":
            assert entry.item.body["reason"] == "spool_full"
            counts[str(entry.item.body["device"])] += int(entry.item.body["count"] or 0)
    return counts


def delivered(entries: list[Entry]) -> Counter[str]:
    """How many batches of each device are among these entries."""
    return Counter(entry.device for entry in entries if isinstance(entry.item, Batch))


def is_crash(entry: Entry) -> bool:
    """Whether it is the record that a start makes of an unclean end."""
    return isinstance(entry.item, Notice) and entry.item.body.get("reason") == "crash"


async def outage(rig: Any, rounds: int, each: int = 20) -> Counter[str]:
    """Readings arrive and nobody takes them. Returns how many were put, by device."""
    for _ in range(rounds):
        rig.put(each, "press-12")
        rig.put(each // 4, "meter")
        await rig.tend(1.1)
    return Counter({"press-12": rounds * each, "meter": rounds * (each // 4)})


async def test_at_the_cap_each_lost_batch_is_counted(new_rig: NewRig) -> None:
    """Delivered and counted are together what was put, device by device, to the last one."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    put = await outage(rig, 120)
    assert rig.outbox.counters.spool_bytes <= 20_000
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put
    assert set(told(drained)) == {"press-12", "meter"}
    assert rig.outbox.counters.dropped == sum(told(drained).values())


async def test_the_newest_are_kept(new_rig: NewRig) -> None:
    """The oldest go first, and the gap record says from when to when."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    start = rig.clock.time_ns
    put = await outage(rig, 120)
    drained = await rig.drain()
    kept = [entry.item.values[0] for entry in drained if isinstance(entry.item, Batch) and entry.device == "press-12"]
    assert kept == [value for value, name in rig.names.items() if name[0] == "press-12"][-len(kept) :]
    assert 0 < len(kept) < put["press-12"]
    [gap] = [e.item.body for e in drained if isinstance(e.item, Notice) and e.item.body["device"] == "press-12"]
    assert gap["from"] < gap["to"]
    assert start < min(e.item.stamp.time for e in drained)


async def test_gap_records_and_events_outlive_the_data_around_them(new_rig: NewRig) -> None:
    """What the gateway says of itself is dropped last: each event of a long overflow arrives."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    for number in range(10):
        rig.notice(number)
        await outage(rig, 12)
    drained = await rig.drain()
    events = [e.item.body["number"] for e in drained if isinstance(e.item, Notice) and e.item.topic == "events"]
    assert sorted(events) == list(range(10))
    assert told(drained).total() > 0


async def test_the_count_is_exact_over_restarts(new_rig: NewRig) -> None:
    """Gaps that are not told yet wait on disk; an orderly restart loses none and counts none twice."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    put: Counter[str] = Counter()
    for _ in range(6):
        put += await outage(rig, 30)
        await rig.outbox.close()
        rig.killed()
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put


async def test_batches_under_way_while_their_segment_is_dropped_are_not_counted(new_rig: NewRig) -> None:
    """If the broker acknowledges them they are delivered; the count stays exact."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    put = await outage(rig, 5)
    under_way = await rig.take(16)
    put += await outage(rig, 100)
    rig.acknowledge(under_way)
    drained = under_way + await rig.drain()
    assert delivered(drained) + told(drained) == put


async def test_batches_under_way_while_their_segment_is_dropped_are_counted_when_the_link_is_lost(
    new_rig: NewRig,
) -> None:
    """They come back to nothing: then they are a gap."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    put = await outage(rig, 5)
    under_way = await rig.take(16)
    put += await outage(rig, 100)
    rig.outbox.give_back()
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put
    assert len(under_way) == 16


async def test_batches_under_way_while_their_segment_is_dropped_are_counted_after_a_kill(new_rig: NewRig) -> None:
    """Their gap waits on disk for their fate."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    put = await outage(rig, 5)
    await rig.take(16)
    put += await outage(rig, 100)
    rig.killed()
    drained = [e for e in await rig.drain() if not is_crash(e)]
    assert delivered(drained) + told(drained) == put


async def test_live_batches_that_went_to_disk_under_way_and_were_dropped_are_counted_rightly(new_rig: NewRig) -> None:
    """Half of them acknowledged, half given back."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    rig.put(10)
    under_way = await rig.take(10)
    put = Counter({"press-12": 10}) + await outage(rig, 100)
    rig.acknowledge(under_way[::2])
    rig.outbox.give_back()
    drained = under_way[::2] + await rig.drain()
    assert delivered(drained) + told(drained) == put


async def test_a_notice_under_way_while_its_segment_is_dropped_is_kept(new_rig: NewRig) -> None:
    """The link is lost: the event is sent from memory, since it is on disk no more."""
    rig = new_rig(max_bytes=20_000, segment_bytes=2_000)
    rig.notice(7)
    put = await outage(rig, 2)
    under_way = await rig.take(4)
    put += await outage(rig, 100)
    rig.outbox.give_back()
    drained = await rig.drain()
    events = [entry for entry in drained if isinstance(entry.item, Notice) and entry.item.topic == "events"]
    assert [entry.item.body for entry in events] == [{"number": 7}]
    assert events[0].seq in [entry.seq for entry in under_way]
    assert delivered(drained) + told(drained) == put


async def test_what_was_settled_a_moment_ago_is_not_counted_when_it_is_dropped(new_rig: NewRig) -> None:
    """Everything was acknowledged, the cursor is not written yet, and a large spill needs the room of several."""
    rig = new_rig(max_bytes=8_000, segment_bytes=1_000)
    put = Counter({"press-12": 0})
    while rig.outbox.counters.spool_bytes < 6_800:
        put += await outage(rig, 1)
    drained = await rig.take()
    rig.acknowledge(drained)
    put += await outage(rig, 1, each=800)
    drained += await rig.drain()
    assert delivered(drained) == put
    assert told(drained).total() == 0


async def test_a_segment_that_cannot_be_read_is_counted_by_its_ordinals_when_it_is_dropped(new_rig: NewRig) -> None:
    """Nobody knows any more whose batches they were; their number is exact."""
    rig = new_rig(max_bytes=8_000, segment_bytes=1_000)
    put = await outage(rig, 8)
    await rig.outbox.close()
    rig.killed()
    oldest = min(name for name in rig.disk.names if name.endswith(".spool"))

    def fault(operation: str, name: str) -> None:
        if operation == "read" and name == oldest:
            raise OSError(EIO, "Input/output error")

    rig.disk.fault = fault
    put += await outage(rig, 20)
    drained = await rig.drain()
    records = [entry.item.body for entry in drained if isinstance(entry.item, Notice)]
    assert [body["reason"] for body in records if body["device"] == "*"] == ["disk_error"]
    assert sum(body["count"] for body in records) + delivered(drained).total() == put.total()


async def test_the_free_space_of_others_is_left_to_them(new_rig: NewRig) -> None:
    """As somebody else fills the disk, the spool gives way, and counts what it gives up."""
    rig = new_rig(max_bytes=10**9, keep_free_bytes=50_000, segment_bytes=2_000)
    put = await outage(rig, 40)
    held = rig.outbox.counters.spool_bytes
    rig.disk.free = 50_000 + ROOM_FOR_NAMES + held // 2 + 1000
    put += await outage(rig, 5)
    assert rig.outbox.counters.spool_bytes < held
    assert rig.disk.free_bytes() >= 50_000
    assert rig.outbox.durability.on_disk
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put


async def test_where_dropping_all_would_not_help_nothing_is_dropped(new_rig: NewRig) -> None:
    """Others filled the disk: what waits stays, live data goes on, and the status says why nothing is safe."""
    rig = new_rig(max_bytes=10**9, keep_free_bytes=50_000, segment_bytes=2_000)
    await outage(rig, 5)
    before = rig.outbox.counters.waiting_on_disk
    rig.disk.free = 1_000
    rig.put(3)
    await rig.tend(1.1)
    assert "its disk is full" in rig.outbox.durability.cause
    counters = rig.outbox.counters
    assert (counters.waiting_on_disk, counters.waiting_in_memory, counters.dropped) == (before, 3, 0)
    rig.disk.free = 10**9
    await rig.tend(31)
    assert rig.outbox.durability.on_disk
    assert rig.outbox.counters.waiting_in_memory == 0


@pytest.mark.parametrize("error", [ENOSPC, EDQUOT])
async def test_a_disk_that_is_full_although_it_says_otherwise_makes_room(new_rig: NewRig, error: int) -> None:
    """A quota shows in no free space; the first write that fails tells. The oldest goes, the count stays exact."""
    rig = new_rig(segment_bytes=2_000)
    put = await outage(rig, 20)
    quota = rig.outbox.counters.spool_bytes

    def fault(operation: str, _name: str) -> None:
        if operation == "write" and rig.spool.bytes_on_disk >= quota:
            raise OSError(error, os.strerror(error))

    rig.disk.fault = fault
    put += await outage(rig, 20)
    rig.disk.fault = lambda _operation, _name: None
    await rig.tend(40)
    assert rig.outbox.durability.on_disk
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put
    assert told(drained).total() > 0


async def test_without_room_for_a_cursor_segments_go_first(new_rig: NewRig) -> None:
    """On a disk without a byte left what is drained can still be deleted."""
    rig = new_rig(segment_bytes=2_000)
    put = await outage(rig, 20)
    full = [True]

    def fault(operation: str, name: str) -> None:
        if operation == "unlink":
            full[0] = False
        if operation == "create" and name == "cursor.next" and full[0]:
            raise OSError(ENOSPC, "No space left on device")

    rig.disk.fault = fault
    drained = await rig.drain()
    assert delivered(drained) == put
    assert not full[0]
    assert rig.outbox.counters.spool_bytes <= 2_500


async def test_a_gap_survives_a_disk_that_takes_no_cursor(new_rig: NewRig) -> None:
    """The segment was deleted for room, and still no cursor can be written: the gap and the events wait in memory.

    An event may come more than once, under one name.
    """
    rig = new_rig(max_bytes=8_000, segment_bytes=1_200)
    rig.notice(7)
    put = await outage(rig, 8)

    def fault(operation: str, name: str) -> None:
        if operation == "create" and (name == "cursor.next" or rig.spool.bytes_on_disk > 2_600):
            raise OSError(ENOSPC, "No space left on device")

    rig.disk.fault = fault
    put += await outage(rig, 8)
    rig.disk.fault = lambda _operation, _name: None
    await rig.tend(40)
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put
    events = [e for e in drained if isinstance(e.item, Notice) and e.item.topic == "events"]
    assert {(e.run, e.seq, e.item.body["number"]) for e in events} == {(str(rig.run), 1, 7)}


async def test_a_drop_that_fails_counts_nothing_that_is_under_way(new_rig: NewRig) -> None:
    """The segment is still there, so what comes back comes from there, and no gap waits for it."""
    rig = new_rig(max_bytes=8_000, segment_bytes=1_000)
    put: Counter[str] = Counter()
    while rig.outbox.counters.spool_bytes < 7_000:
        put += await outage(rig, 1)
    under_way = await rig.take(10)

    def fault(operation: str, name: str) -> None:
        if operation == "rename":
            raise OSError(EIO, f"{name}: Input/output error")

    rig.disk.fault = fault
    with capture_logs() as logs:
        put += await outage(rig, 1, each=800)
    assert "spool_full" in [line["event"] for line in logs]
    rig.disk.fault = lambda _operation, _name: None
    rig.spool.room = Room(10**9)
    rig.acknowledge(under_way[:1])
    await rig.tend(31)
    await rig.tend(1.1)
    rig.killed()
    drained = under_way[:1] + [e for e in await rig.drain() if not is_crash(e)]
    assert delivered(drained) == put
    assert told(drained).total() == 0


async def test_a_drop_that_fails_loses_nothing(new_rig: NewRig) -> None:
    """EIO on the cursor: the segment stays, what waits stays, and the next try counts once."""
    rig = new_rig(max_bytes=8_000, segment_bytes=1_000)
    put = await outage(rig, 8)

    def fault(operation: str, name: str) -> None:
        if operation == "rename":
            raise OSError(EIO, f"{name}: Input/output error")

    rig.disk.fault = fault
    put += await outage(rig, 8)
    assert not rig.outbox.durability.on_disk
    rig.disk.fault = lambda _operation, _name: None
    await rig.tend(40)
    drained = await rig.drain()
    assert delivered(drained) + told(drained) == put


@pytest.mark.parametrize(
    ("room", "used", "free", "limit"),
    [
        (Room(2_000_000_000), 0, 10**10, 4 * 1024 * 1024),
        (Room(1_000_000), 0, 10**10, 125_000),
        (Room(2_000_000_000), 0, 1_000_000, 125_000),
        (Room(2_000_000_000, 200_000_000), 500_000_000, 0, 4 * 1024 * 1024),
        (Room(100_000), 0, 10**10, 64 * 1024),
        (Room(2_000_000_000), 0, 0, 64 * 1024),
    ],
)
def test_segments_are_small_where_there_is_little_room(room: Room, used: int, free: int, limit: int) -> None:
    """There are at least eight in the room there is, so that dropping one costs an eighth, down to 64 KiB."""
    assert room.segment_limit(used, free) == limit


async def test_gaps_of_an_earlier_run_outlive_a_drop_in_the_first_moment_of_this_one(
    new_rig: NewRig, power_cut_error: type[Exception]
) -> None:
    """The cursor that a drop writes holds them already: a power cut right behind it takes none of them."""
    rig = new_rig(max_bytes=8_000, segment_bytes=1_000)
    put = await outage(rig, 12)
    rig.killed()
    put += Counter({"press-12": len(rig.put(30))})

    def fault(operation: str, name: str) -> None:
        if operation == "unlink" and name.endswith(".spool"):
            raise power_cut_error(operation)

    rig.disk.fault = fault
    with pytest.raises(power_cut_error):
        await rig.tend(1.1)
    rig.power_cut(Random(1))  # noqa: S311 - chance for a test, no secret
    drained = [entry for entry in await rig.drain() if not is_crash(entry)]
    assert told(drained).total() > 0
    assert put - delivered(drained) - told(drained) == Counter({"press-12": 30})
