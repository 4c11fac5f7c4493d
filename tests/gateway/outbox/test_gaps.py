"""The ledger of losses: nothing is forgotten, and the number of records stays bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.model import Gap, Notice
from gateway.outbox.entry import Entry
from gateway.outbox.gaps import GapLedger, gap_of, joined
from gateway.testing import ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

SECOND = 1_000_000_000


def gap(start_s: int, end_s: int, count: int | None = 1, device: str = "press-12", reason: str = "spool_full") -> Gap:
    """A gap with its times in seconds."""
    return Gap(device, start_s * SECOND, end_s * SECOND, count, reason)


def batch_entry(device: str = "press-12") -> Entry:
    """A batch under way."""
    return Entry(device, "000001-8c1f9a3e", 1, sample_batch(sample_plan(device), [1.0, True, 1]), history=False)


def notice_entry(of: Gap) -> Entry:
    """The notice that tells of a gap."""
    item: Notice = of.notice(ManualClock().now())
    return Entry("_gateway", "000001-8c1f9a3e", 1, item, history=False)


def filled(gaps: Iterable[Gap]) -> GapLedger:
    """A ledger of these gaps."""
    ledger = GapLedger()
    ledger.add_all(gaps)
    return ledger


def test_gaps_that_lie_near_are_told_as_one() -> None:
    """An overflow that goes on for an hour is one record, not thousands."""
    ledger = filled(gap(second, second + 1) for second in range(0, 3600, 30))
    assert ledger.take() == [gap(0, 3571, 120)]


def test_gaps_that_lie_apart_are_told_apart() -> None:
    """What was delivered between them is not called lost."""
    apart = [gap(0, 10, 5), gap(100, 110, 7)]
    assert filled(apart).take() == apart


def test_gaps_of_other_devices_or_reasons_are_told_apart() -> None:
    """Each device has its own, and each reason."""
    apart = [gap(0, 1), gap(0, 1, device="meter"), gap(0, 1, reason="memory_full")]
    assert filled(apart).take() == apart


def test_what_nobody_can_count_stays_uncounted() -> None:
    """None and a number are None: at least one of them is not known."""
    assert joined(gap(0, 1, None), gap(1, 2, 5)) == gap(0, 2, None)


def test_a_gap_that_comes_out_of_order_is_joined_as_well() -> None:
    """Times go to the earliest and the latest."""
    assert filled([gap(50, 60, 2), gap(10, 55, 3)]).take() == [gap(10, 60, 5)]


def test_however_many_gaps_there_are_their_number_is_bounded() -> None:
    """Beyond a thousand, all of one device are told as one; not one lost batch is forgotten."""
    ledger = filled(gap(1000 * at, 1000 * at + 1) for at in range(5000))
    told = ledger.take()
    assert len(told) <= 1000
    assert sum(one.count or 0 for one in told) == 5000


def test_what_is_taken_is_gone_and_what_is_told_is_not_forgotten() -> None:
    """Until its notice is safe, a gap is among what goes to disk."""
    ledger = filled([gap(0, 1)])
    [told] = ledger.take()
    assert (ledger.is_waiting, ledger.all()) == (False, ())
    entry = notice_entry(told)
    ledger.hang(told, entry)
    assert ledger.all() == (told,)
    ledger.settle(entry)
    assert ledger.all() == ()


def test_the_gap_of_a_lost_notice_waits_again() -> None:
    """A notice that was dropped for room takes nothing with it, and does not count as a loss of its own."""
    ledger = filled([gap(0, 1, 12)])
    [told] = ledger.take()
    entry = notice_entry(told)
    ledger.hang(told, entry)
    ledger.lose(entry, "memory_full")
    assert ledger.take() == [gap(0, 1, 12)]


def test_a_lost_entry_is_counted() -> None:
    """With its device and time, once."""
    ledger, entry = GapLedger(), batch_entry()
    ledger.lose(entry, "memory_full")
    time = entry.item.stamp.time
    assert ledger.take() == [Gap("press-12", time, time, 1, "memory_full")] == [gap_of(entry, "memory_full")]
    assert ledger.lost == 1


def test_a_gap_that_hangs_on_a_batch_is_decided_by_its_fate() -> None:
    """Its place on disk was given up while it was under way: delivered it is no gap, lost it is one."""
    ledger, delivered, lost = GapLedger(), batch_entry("meter"), batch_entry()
    for entry in (delivered, lost):
        ledger.hang(gap_of(entry, "spool_full"), entry)
    assert not ledger.is_waiting
    assert len(ledger.all()) == 2
    ledger.settle(delivered)
    ledger.lose(lost, "memory_full")
    assert ledger.take() == [gap_of(lost, "spool_full")]


def test_a_change_is_known_until_it_is_written() -> None:
    """The cursor is saved when, and only when, there is something new to save."""
    ledger = GapLedger()
    assert not ledger.changed
    ledger.add(gap(0, 1))
    assert ledger.changed
    [told] = ledger.take()
    entry = notice_entry(told)
    ledger.hang(told, entry)
    ledger.changed = False
    ledger.settle(batch_entry())
    assert not ledger.changed
    ledger.settle(entry)
    assert ledger.changed


def test_adding_says_whether_it_is_a_new_gap() -> None:
    """The log tells of the first loss, not of each."""
    ledger = GapLedger()
    assert [ledger.add(gap(second, second)) for second in (0, 1, 2, 500)] == [True, False, False, True]
