"""What the outbox says of what is lost: counted once, told once, and never forgotten before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from gateway.model import Batch, Gap, Notice

if TYPE_CHECKING:
    from gateway.outbox.entry import Entry


def numbers(entries: list[Entry]) -> list[Any]:
    """The values of the batches."""
    return [entry.item.values[0] for entry in entries if isinstance(entry.item, Batch)]


def gaps(entries: list[Entry]) -> list[dict[str, Any]]:
    """What the gap records say."""
    return [dict(e.item.body) for e in entries if isinstance(e.item, Notice) and e.item.topic == "gaps"]


async def test_a_refused_batch_is_counted_in_a_gap(rig: Any) -> None:
    """It is not tried for ever, and it is not lost silently; the log has the broker's reason."""
    rig.put(3)
    taken = await rig.take()
    with capture_logs() as logs:
        for entry in taken:
            rig.outbox.refuse(entry, "not authorized")
            rig.outbox.refuse(entry, "not authorized")
    [gap] = gaps(await rig.take())
    assert (gap["device"], gap["count"], gap["reason"]) == ("press-12", 3, "refused")
    assert rig.outbox.counters.refused == 3
    assert [line["reason"] for line in logs if line["event"] == "refused_by_broker"] == ["not authorized"]


async def test_a_refused_record_makes_no_record(rig: Any) -> None:
    """A broker that refuses gap records gets no record of that, for ever."""
    rig.put(1)
    rig.outbox.refuse((await rig.take())[0], "not authorized")
    for _ in range(5):
        for entry in await rig.take():
            rig.outbox.refuse(entry, "not authorized")
        await rig.tend(11)
    assert rig.outbox.counters.refused == 2
    assert await rig.take() == []


async def test_history_can_be_refused(rig: Any) -> None:
    """It leaves the disk like what is acknowledged."""
    rig.put(2)
    await rig.tend(1.1)
    for entry in await rig.take():
        rig.outbox.refuse(entry, "too large")
    await rig.tend(1.1)
    rig.killed()
    assert numbers(await rig.take()) == []


async def test_gaps_are_told_when_somebody_listens(new_rig: Any) -> None:
    """In an outage they are merged and wait; they do not become a flood of their own."""
    rig = new_rig(with_spool=False, settings={"memory_mb": 0.02})
    for _ in range(50):
        rig.put(20)
        await rig.tend(1.0)
    [gap] = gaps(first := await rig.take())
    assert gap["reason"] == "memory_full"
    assert numbers(first)[-1] == 1000
    rig.acknowledge(first)
    # The record took the place of a batch, which is told in the next round.
    later = gaps(await rig.drain())
    assert gap["count"] + sum(one["count"] for one in later) + len(numbers(first)) == 1000
    assert len(later) <= 1


async def test_gap_records_come_in_rounds(rig: Any) -> None:
    """Losses that go on are told every ten seconds, not every time."""
    told = 0
    for _ in range(100):
        rig.put(1)
        for entry in await rig.take():
            told += len(gaps([entry]))
            if isinstance(entry.item, Batch):
                rig.outbox.refuse(entry, "no")
            else:
                rig.outbox.acknowledge(entry)
        await rig.tend(0.5)
    assert 4 <= told <= 6


async def test_a_gap_that_was_told_is_forgotten(rig: Any) -> None:
    """Once its record is acknowledged it is not told again, nor by the next process."""
    rig.put(1)
    rig.outbox.refuse((await rig.take())[0], "no")
    await rig.tend(1.1)
    rig.acknowledge(await rig.take())
    await rig.tend(1.1)
    await rig.outbox.close()
    rig.killed()
    assert await rig.take() == []


async def test_a_gap_that_was_not_told_outlives_a_crash(rig: Any) -> None:
    """It was counted, so it is told, by the next process if need be."""
    rig.put(1)
    rig.outbox.refuse((await rig.take())[0], "no")
    await rig.tend(1.1)
    rig.killed()
    assert sorted(gap["reason"] for gap in gaps(await rig.take())) == ["crash", "refused"]


async def test_a_gap_record_under_way_outlives_a_crash(rig: Any) -> None:
    """Handed to the broker is not yet told; on disk it is told by its record, once."""
    rig.put(1)
    rig.outbox.refuse((await rig.take())[0], "no")
    assert len(gaps(await rig.take())) == 1
    await rig.tend(1.1)
    rig.killed()
    assert [gap["reason"] for gap in gaps(await rig.drain())].count("refused") == 1


async def test_a_restart_after_all_was_delivered_tells_no_loss(rig: Any) -> None:
    """A cursor that was saved before anything was read back does not fall back to the beginning."""
    rig.put(5)
    await rig.tend(1.1)
    rig.acknowledge(await rig.take())
    await rig.outbox.close()
    rig.killed()
    rig.outbox._ledger.add(Gap("press-12", 1, 2, 3, "refused"))
    await rig.tend(1.1)
    await rig.outbox.close()
    rig.killed()
    rig.put(1)
    await rig.tend(1.1)
    taken = await rig.take()
    assert [(gap["reason"], gap["count"]) for gap in gaps(taken)] == [("refused", 3)]
    assert numbers(taken) == [6]
    assert rig.spool.first_ordinal == 5


async def test_a_batch_that_no_disk_can_hold_harms_only_itself(rig: Any) -> None:
    """A driver emits what no tag can hold: the others of its group are kept, this one is a gap."""
    rig.put(2)
    rig.outbox.put(bad := (await rig.take_next()).item)
    bad.values = [object()]
    rig.put(1)
    await rig.tend(1.1)
    assert rig.outbox.counters.spilled == 2
    rig.outbox.give_back()
    taken = await rig.take()
    assert numbers(taken) == [2, 3]
    [gap] = gaps(taken)
    assert (gap["count"], gap["reason"]) == (2, "refused")
