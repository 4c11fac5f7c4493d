"""The outbox as publisher and app see it: names, order, live before history, what is on disk and what never is."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import Batch, Notice
from gateway.outbox.cursor import Cursor

if TYPE_CHECKING:
    from gateway.outbox.entry import Entry


def numbers(entries: list[Entry]) -> list[Any]:
    """The values of the batches."""
    return [entry.item.values[0] for entry in entries if isinstance(entry.item, Batch)]


def gaps(entries: list[Entry]) -> list[dict[str, Any]]:
    """What the gap records say."""
    return [dict(e.item.body) for e in entries if isinstance(e.item, Notice) and e.item.topic == "gaps"]


def names(entries: list[Entry]) -> list[tuple[str, int]]:
    """Device and sequence number."""
    return [(entry.device, entry.seq) for entry in entries]


async def test_each_device_counts_from_one(rig: Any) -> None:
    """In the run that made it; notices have a device of their own."""
    rig.put(2, "press-12")
    rig.notice()
    rig.put(1, "meter")
    rig.put(1, "press-12")
    rig.notice()
    taken = await rig.take()
    assert names(taken) == [
        *[("_gateway", 1), ("_gateway", 2)],
        *[("press-12", 1), ("press-12", 2), ("meter", 1), ("press-12", 3)],
    ]
    assert {entry.run for entry in taken} == {"000001-8c1f9a3e"}


async def test_a_new_run_counts_anew(rig: Any) -> None:
    """Under its own name; what the old one left keeps its names."""
    rig.put(2)
    await rig.outbox.close()
    rig.killed()
    rig.put(1)
    taken = await rig.take()
    assert [(entry.run, entry.seq, entry.history) for entry in taken] == [
        ("000002-8c1f9a3e", 1, False),
        ("000001-8c1f9a3e", 1, True),
        ("000001-8c1f9a3e", 2, True),
    ]


async def test_what_is_acknowledged_in_time_never_touches_the_disk(rig: Any) -> None:
    """A healthy day writes nothing: no group, no cursor, no matter how long it lasts."""
    rig.disk.operations.clear()
    for _ in range(100):
        rig.put(5)
        rig.acknowledge(await rig.take())
        await rig.tend(0.9)
    assert set(rig.disk.operations) <= {"touch"}
    assert rig.outbox.counters.bytes_written == 0
    assert rig.outbox.counters.acknowledged == 500


async def test_what_is_not_acknowledged_in_time_goes_to_disk(rig: Any) -> None:
    """As one group, and leaves memory; it comes back as history."""
    values = rig.put(5)
    await rig.tend(0.9)
    assert rig.outbox.counters.spilled == 0
    await rig.tend(0.2)
    counters = rig.outbox.counters
    assert (counters.spilled, counters.waiting_in_memory, counters.waiting_on_disk) == (5, 0, 5)
    assert rig.outbox.durability.on_disk
    taken = await rig.take()
    assert numbers(taken) == values
    assert all(entry.history for entry in taken)


async def test_spills_are_made_in_groups(rig: Any) -> None:
    """Readings come all the time: the disk is written less than twice a second, and nothing waits for two."""
    rig.disk.operations.clear()
    oldest = 0.0
    for _ in range(1000):
        rig.put(1)
        await rig.tend(0.01)
        oldest = max(oldest, rig.clock.monotonic_s() - (rig.outbox._window.oldest_since or oldest))
    assert rig.disk.operations.count("sync") <= 13
    assert oldest < 1.8


async def test_a_run_begins_at_once(rig: Any) -> None:
    """What an earlier run left is there as soon as the broker is."""
    rig.put(3)
    await rig.outbox.close()
    rig.killed()
    running = asyncio.create_task(rig.outbox.run())
    async with asyncio.timeout(20):
        assert numbers([await rig.outbox.take() for _ in range(3)]) == [1, 2, 3]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await rig.outbox.close()


async def test_live_goes_before_history(rig: Any) -> None:
    """Late values never hold up the present."""
    old = rig.put(3)
    await rig.tend(1.1)
    new = rig.put(2)
    taken = await rig.take()
    assert numbers(taken) == new + old
    assert [entry.history for entry in taken] == [False, False, True, True, True]


async def test_history_keeps_its_pace(new_rig: Any) -> None:
    """At a hundred a second, ten at a time at most; live data is not slowed down."""
    rig = new_rig(settings={"replay_rate": 100.0})
    rig.put(500)
    await rig.tend(1.1)
    count = 0
    for _ in range(100):
        rig.clock.advance(0.01)
        while (entry := await rig.take_next()) is not None:
            count += 1
            rig.outbox.acknowledge(entry)
    assert 95 <= count <= 112
    live = rig.put(50)
    assert numbers([await rig.outbox.take() for _ in range(50)]) == live


async def test_history_waits_for_its_turn_without_help(new_rig: Any) -> None:
    """`take` wakes by itself when the next entry of history may go."""
    rig = new_rig(settings={"replay_rate": 1000.0})
    rig.put(300)
    await rig.tend(1.1)
    burst = await rig.take()
    assert len(burst) < 300
    waiting = asyncio.create_task(rig.outbox.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    rig.clock.advance(1)
    async with asyncio.timeout(10):
        assert numbers([await waiting]) == [len(burst) + 1]


async def test_take_waits_for_what_is_put(rig: Any) -> None:
    """And wakes at once."""
    waiting = asyncio.create_task(rig.outbox.take())
    await asyncio.sleep(0)
    assert not waiting.done()
    rig.put(1)
    async with asyncio.timeout(10):
        entry = await waiting
    assert numbers([entry]) == [1]


async def test_a_cancelled_take_takes_nothing(rig: Any) -> None:
    """The next one gets what was put meanwhile."""
    waiting = asyncio.create_task(rig.outbox.take())
    await asyncio.sleep(0)
    waiting.cancel()
    rig.put(1)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert numbers(await rig.take()) == [1]


async def test_what_is_given_back_is_taken_again_in_order(rig: Any) -> None:
    """Live and history, each in its order; what was acknowledged is not."""
    rig.put(3)
    await rig.tend(1.1)
    rig.put(3)
    taken = await rig.take()
    rig.acknowledge([taken[1], taken[4]])
    rig.outbox.give_back()
    assert numbers(await rig.take()) == [4, 6, 1, 3]


async def test_what_went_to_disk_under_way_comes_back_as_history(rig: Any) -> None:
    """After the link was lost; it is not in memory twice, and it is not sent twice."""
    rig.put(4)
    taken = await rig.take()
    await rig.tend(1.1)
    assert await rig.take() == []
    rig.acknowledge(taken[:2])
    rig.outbox.give_back()
    assert rig.outbox.counters.waiting_in_memory == 0
    again = await rig.take()
    assert numbers(again) == [3, 4]
    assert all(entry.history for entry in again)


async def test_what_is_acknowledged_after_it_went_to_disk_is_not_sent_again(rig: Any) -> None:
    """Neither in this process nor, once that is noted, in the next; the disk is free of it."""
    rig.put(4)
    taken = await rig.take()
    await rig.tend(1.1)
    rig.acknowledge(taken)
    await rig.tend(1.1)
    assert await rig.take() == []
    assert rig.outbox.counters.waiting_on_disk == 0
    rig.killed()
    assert numbers(await rig.take()) == []


async def test_what_is_acknowledged_out_of_order_is_noted(rig: Any) -> None:
    """The first of a hundred never comes; after a crash only that one is sent again."""
    rig.put(100)
    await rig.tend(1.1)
    taken = await rig.take()
    rig.acknowledge(taken[1:])
    await rig.tend(1.1)
    rig.killed()
    assert numbers(await rig.take()) == [1]


async def test_after_a_crash_one_second_of_history_comes_again(rig: Any) -> None:
    """What was acknowledged since the cursor was written last, no more."""
    rig.put(100)
    await rig.tend(1.1)
    rig.acknowledge(await rig.take(40))
    await rig.tend(1.1)
    rig.acknowledge(await rig.take(10))
    rig.killed()
    assert numbers(await rig.take()) == list(range(41, 101))


async def test_the_cursor_is_written_at_most_once_a_second(rig: Any) -> None:
    """However fast history drains; a card lives on what is not written."""
    rig.put(300)
    await rig.tend(1.1)
    rig.disk.operations.clear()
    for _ in range(100):
        rig.acknowledge(await rig.take(3))
        await rig.tend(0.05)
    assert 4 <= rig.disk.operations.count("rename") <= 6


async def test_an_acknowledgement_counts_once(rig: Any) -> None:
    """One of an entry that was given back, or a second one, is none."""
    rig.put(2)
    one, two = await rig.take()
    rig.acknowledge([one, one])
    rig.outbox.give_back()
    rig.acknowledge([two])
    assert rig.outbox.counters.acknowledged == 1
    assert numbers(await rig.take()) == [2]


async def test_closing_brings_everything_to_disk(rig: Any) -> None:
    """What waits, what is under way, notices: the next process has them, in order, and tells no gap."""
    rig.put(3)
    rig.notice()
    taken = await rig.take(2)
    await rig.outbox.close()
    assert rig.outbox.counters.waiting_in_memory == 0
    rig.killed()
    again = await rig.take()
    assert numbers(again) == [1, 2, 3]
    assert gaps(again) == []
    assert len(again) == 4
    assert len(taken) == 2


async def test_closing_what_is_empty_leaves_nothing(rig: Any) -> None:
    """No segment, no mark."""
    await rig.outbox.close()
    assert rig.disk.sizes() == {}


async def test_without_a_spool_nothing_is_durable_and_everything_works(new_rig: Any) -> None:
    """The status says so, and why, since the start."""
    rig = new_rig(with_spool=False)
    start = rig.clock.time_ns
    rig.put(3)
    await rig.tend(5)
    durability = rig.outbox.durability
    assert not durability.on_disk
    assert durability.cause.startswith("no spool")
    assert durability.since == start
    rig.acknowledge(await rig.take(1))
    rig.outbox.give_back()
    taken = await rig.take()
    assert numbers(taken) == [2, 3]
    rig.acknowledge(taken)
    assert rig.outbox.counters.waiting_in_memory == 0
    await rig.outbox.close()


async def test_the_spool_is_taken_up_by_an_outbox_without_one(rig: Any) -> None:
    """What was saved in one process is noted in the cursor of the next, also where that one only drains."""
    rig.put(5)
    await rig.outbox.close()
    rig.killed()
    rig.acknowledge(await rig.take(2))
    await rig.tend(1.1)
    assert rig.spool._cursor == Cursor(2, 5, rig.spool._cursor.gaps, ())


async def test_many_are_written_at_once_and_read_piece_by_piece(rig: Any) -> None:
    """After a disk was away for long: one write and one sync, and no more decoded at a time than memory allows."""
    values = rig.put(10_000)
    rig.disk.operations.clear()
    await rig.tend(1.1)
    assert rig.disk.operations.count("write") == rig.disk.operations.count("sync") == 1
    assert len(rig.outbox._history) < 5_000
    assert numbers(await rig.drain()) == values


async def test_a_running_gateway_is_noted_now_and_then(rig: Any) -> None:
    """Every five minutes, without waiting for the disk, and nothing else is done when nothing happens."""
    rig.disk.operations.clear()
    for _ in range(1000):
        await rig.tend(1.0)
    assert rig.disk.operations == ["touch"] * 3
    rig.disk.fault = lambda operation, _name: (_ for _ in ()).throw(OSError(5, operation))
    await rig.tend(301)
    assert rig.outbox.durability.on_disk
