"""What the publisher gets from the outbox: the truest times, and nothing while it is to wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from gateway.clock.watch import ClockWatch
from gateway.model import Batch, ClockState, Held, Notice, Quality, Run, Stamp
from gateway.outbox.outbox import Outbox
from gateway.publish import restamp
from gateway.publish.restamp import ClockSettings, Restamped
from gateway.testing import SAMPLE_TIME, ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from gateway.outbox.entry import Entry

RUN = Run(7, "00c0ffee", "a boot")
PLAN = sample_plan()
MINUTE_NS = 60 * 10**9
DEFAULTS = ClockSettings()


class Bench:
    """A gateway that starts in 1970 with nobody to tell it the time."""

    def __init__(self, settings: ClockSettings = DEFAULTS, runs: frozenset[str] = frozenset({str(RUN)})) -> None:
        self.clock = ManualClock(0, ClockState.FREE_RUNNING)
        self.outbox = Outbox(RUN, self.clock, None)
        self.watch = ClockWatch(self.clock, runs)
        self.queue = Restamped(self.outbox, self.clock, self.watch, settings)

    def synchronise(self) -> None:
        """The clock is set."""
        self.clock.time_ns, self.clock.state = SAMPLE_TIME, ClockState.SYNCED
        self.watch.look()

    def put_early(self) -> Batch:
        """A batch with a held value, one minute before the synchronisation."""
        batch = sample_batch(PLAN, [1.0, True, 3], self.clock.now())
        batch.held = {0: Held(7.0, Quality.GOOD, self.clock.time_ns - MINUTE_NS)}
        self.queue.put(batch)
        self.clock.advance(60)
        return batch


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restamp, "_HOLD_CHECK_S", 0.001)


def stamp_of(entry: Entry) -> Stamp:
    """The time that would be sent."""
    return entry.item.stamp


async def test_a_batch_is_sent_with_its_true_time() -> None:
    """Batch and held value move alike; the entry in the outbox keeps the stamp that was taken."""
    bench = Bench()
    batch = bench.put_early()
    bench.synchronise()
    entry = await bench.queue.take()
    assert stamp_of(entry)[::2] == (SAMPLE_TIME - MINUTE_NS, ClockState.CORRECTED)
    assert isinstance(entry.item, Batch)
    assert entry.item.held == {0: Held(7.0, Quality.GOOD, SAMPLE_TIME - 2 * MINUTE_NS)}
    assert batch.stamp.clock is ClockState.FREE_RUNNING


async def test_an_event_is_sent_with_its_true_time() -> None:
    """Audit events of the first minutes are worth as much as values."""
    bench = Bench()
    bench.queue.put(Notice("events", {"event": "started"}, bench.clock.now()))
    bench.clock.advance(60)
    bench.synchronise()
    assert stamp_of(await bench.queue.take())[::2] == (SAMPLE_TIME - MINUTE_NS, ClockState.CORRECTED)


async def test_an_acknowledged_copy_is_forgotten_and_a_refused_one_counted() -> None:
    """The outbox knows its own entries only."""
    bench = Bench()
    for _ in range(2):
        bench.put_early()
    bench.synchronise()
    bench.queue.acknowledge(await bench.queue.take())
    bench.queue.refuse(await bench.queue.take(), "not allowed")
    counters = bench.outbox.counters
    assert (counters.acknowledged, counters.refused) == (1, 1)


async def test_what_was_given_back_is_sent_with_what_is_known_by_then() -> None:
    """Sent as free running, not acknowledged, and sent again after the synchronisation, under the same name."""
    bench = Bench()
    bench.put_early()
    first = await bench.queue.take()
    assert stamp_of(first).clock is ClockState.FREE_RUNNING
    bench.queue.give_back()
    bench.synchronise()
    second = await bench.queue.take()
    assert stamp_of(second).clock is ClockState.CORRECTED
    assert (first.device, first.run, first.seq) == (second.device, second.run, second.seq)


async def test_nothing_is_sent_while_held_and_all_in_order_once_synchronised() -> None:
    """With `hold` the broker never sees 1970."""
    bench = Bench(ClockSettings(hold_s=600))
    for _ in range(3):
        bench.put_early()
    taking = asyncio.create_task(bench.queue.take())
    await asyncio.sleep(0.02)
    assert not taking.done()
    bench.synchronise()
    entries = [await taking, await bench.queue.take(), await bench.queue.take()]
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert {stamp_of(entry).clock for entry in entries} == {ClockState.CORRECTED}


async def test_held_entries_go_out_marked_when_nobody_sets_the_clock() -> None:
    """An isolated plant gets its values after `hold_s`, not never."""
    bench = Bench(ClockSettings(hold_s=600))
    bench.put_early()
    bench.clock.advance(600)
    assert stamp_of(await bench.queue.take()).clock is ClockState.FREE_RUNNING


async def test_a_synchronised_start_holds_nothing() -> None:
    """And what is stamped synchronised is the very entry of the outbox."""
    clock = ManualClock()
    outbox = Outbox(RUN, clock, None)
    watch = ClockWatch(clock, frozenset({str(RUN)}))
    queue = Restamped(outbox, clock, watch, ClockSettings(hold_s=600, lowers_quality=True))
    batch = sample_batch(PLAN, [1.0, True, 3], clock.now())
    queue.put(batch)
    assert (await queue.take()).item is batch


async def test_quality_is_lowered_by_choice_and_only_where_it_was_good() -> None:
    """What is worse already keeps its reason; a corrected time is a true time."""
    bench = Bench(ClockSettings(lowers_quality=True))
    batch = bench.put_early()
    batch.quality[1] = Quality.OUT_OF_RANGE
    entry = await bench.queue.take()
    assert isinstance(entry.item, Batch)
    assert entry.item.quality == [Quality.CLOCK, Quality.OUT_OF_RANGE, Quality.CLOCK]
    assert entry.item.held is not None
    assert entry.item.held[0].quality is Quality.CLOCK
    assert batch.quality[0] is Quality.GOOD
    bench.queue.give_back()
    bench.synchronise()
    entry = await bench.queue.take()
    assert isinstance(entry.item, Batch)
    assert entry.item.quality == [Quality.GOOD, Quality.OUT_OF_RANGE, Quality.GOOD]


async def test_without_the_choice_quality_stays() -> None:
    """Isolated plants without a time server are normal: the clock is told beside the values."""
    bench = Bench()
    bench.put_early()
    entry = await bench.queue.take()
    assert isinstance(entry.item, Batch)
    assert set(entry.item.quality) == {Quality.GOOD}
