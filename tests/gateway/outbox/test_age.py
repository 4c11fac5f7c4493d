"""What is older than `max_age_h` is dropped, each batch counted; a clock that jumps drops nothing that is young."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from gateway.config.schema import OutboxConfig
from gateway.model import Batch, Notice
from gateway.outbox.room import Room

if TYPE_CHECKING:
    from gateway.outbox.entry import Entry

NewRig = Any
HOUR_S = 3600.0
HOUR_NS = 3_600_000_000_000


async def outage(rig: Any, hours: float, each: int = 3) -> list[int]:
    """A few readings every six minutes, and nobody takes them."""
    values: list[int] = []
    for _ in range(round(hours * 10)):
        values += rig.put(each)
        await rig.tend(1.1)
        await rig.tend(HOUR_S / 10 - 1.1)
    return values


def numbers(entries: list[Entry]) -> list[Any]:
    """The values of the batches."""
    return [entry.item.values[0] for entry in entries if isinstance(entry.item, Batch)]


def dropped(entries: list[Entry]) -> Counter[tuple[str, str]]:
    """How many batches the gap records count, by device and reason."""
    counts: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if isinstance(entry.item, Notice) and entry.item.topic == "gaps":
            body = entry.item.body
            counts[str(body["device"]), str(body["reason"])] += int(body["count"] or 0)
    return counts


async def test_what_is_too_old_is_dropped_and_counted(new_rig: NewRig) -> None:
    """Ten hours without a broker, two allowed: the last two hours come, an eighth more at most, the rest is counted."""
    rig = new_rig(max_age_ns=2 * HOUR_NS)
    put = await outage(rig, 10)
    drained = await rig.drain()
    come = numbers(drained)
    assert come == put[-len(come) :]
    assert 2 * 30 <= len(come) <= 2.5 * 30
    assert dropped(drained) == {("press-12", "too_old"): len(put) - len(come)}


async def test_without_a_bound_nothing_is_too_old(rig: Any) -> None:
    """A year on disk is no reason to drop a reading."""
    put = rig.put(3)
    await rig.tend(1.1)
    rig.put_later = await outage(rig, 0.3)
    await rig.tend(365 * 24 * HOUR_S)
    assert numbers(await rig.drain())[:3] == put


async def test_the_bound_may_come_with_a_reload(new_rig: NewRig) -> None:
    """It is kept a minute later, also for what was written before it."""
    rig = new_rig(segment_bytes=1000)
    put = await outage(rig, 6)
    rig.outbox.apply(OutboxConfig(max_age_h=1.0))
    assert rig.spool.room == Room(2_000_000_000, 200_000_000, max_age_ns=HOUR_NS)
    rig.disk.free = 10**10
    put += await outage(rig, 0.2)
    drained = await rig.drain()
    come = numbers(drained)
    assert come == put[-len(come) :]
    assert 30 <= len(come) <= 2 * 30
    assert dropped(drained) == {("press-12", "too_old"): len(put) - len(come)}


async def test_what_a_clock_that_was_never_set_wrote_is_not_called_old(new_rig: NewRig) -> None:
    """Written in 1970, sent in 2026: nobody knows its age, so it stays."""
    rig = new_rig(max_age_ns=HOUR_NS)
    now, rig.clock.time_ns = rig.clock.time_ns, 5_000_000_000
    put = await outage(rig, 0.5)
    rig.clock.time_ns = now
    put += await outage(rig, 0.5)
    assert numbers(await rig.drain()) == put


async def test_a_clock_that_goes_back_drops_nothing(new_rig: NewRig) -> None:
    """What lies in the future is not old."""
    rig = new_rig(max_age_ns=HOUR_NS)
    put = await outage(rig, 0.5)
    rig.clock.step(-10 * HOUR_S)
    put += await outage(rig, 0.5)
    assert numbers(await rig.drain()) == put


async def test_a_segment_with_a_damaged_header_is_not_called_old(new_rig: NewRig) -> None:
    """Its age is not known; the bound in bytes still holds for it."""
    rig = new_rig(max_age_ns=HOUR_NS)
    await outage(rig, 2.0)
    rig.killed()
    for name in rig.disk.names:
        if name.endswith(".spool"):
            rig.disk.names[name].content[10] ^= 1
    before = rig.spool.bytes_on_disk
    await rig.tend(3 * HOUR_S)
    assert rig.spool.bytes_on_disk == before


async def test_a_disk_that_cannot_be_read_keeps_what_may_be_old(new_rig: NewRig) -> None:
    """The status tells; when it is well again the bound is kept."""
    rig = new_rig(max_age_ns=HOUR_NS)
    await outage(rig, 0.5)
    rig.killed()

    def fault(operation: str, _name: str) -> None:
        if operation == "read":
            raise OSError(5, "Input/output error")

    rig.disk.fault = fault
    await rig.tend(61)
    assert "cannot be read" in rig.outbox.durability.cause
    rig.disk.fault = lambda _operation, _name: None
    await rig.tend(61)
    assert rig.outbox.durability.on_disk


@pytest.mark.parametrize(
    ("newest_h", "is_old"), [(-1.9, False), (-2.1, True), (1.0, False)], ids=["young", "old", "future"]
)
def test_the_age_is_counted_to_the_newest_reading(newest_h: float, is_old: bool) -> None:  # noqa: FBT001 - the answer
    """A segment goes when nothing in it may stay."""
    now = 1_795_515_300_000_000_000
    assert Room(1, max_age_ns=2 * HOUR_NS).is_too_old(now + round(newest_h * HOUR_NS), now) is is_old
