"""What comes back from disk: order, holding back, and how far all is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.outbox import history as history_module
from gateway.outbox.entry import Entry
from gateway.outbox.history import History
from gateway.outbox.reader import Loaded, Loss
from gateway.testing import sample_batch, sample_plan

if TYPE_CHECKING:
    import pytest

PLAN = sample_plan()


def entry(ordinal: int) -> Entry:
    """The entry of an ordinal; its sequence number is the ordinal."""
    values: list[Any] = [float(ordinal), True, ordinal]
    return Entry("press-12", "000001-8c1f9a3e", ordinal, sample_batch(PLAN, values), history=True)


def loaded(start: int, end: int, losses: list[Loss] | None = None) -> Loaded:
    """A stretch of the spool, all of it read but what is lost."""
    lost = {ordinal for loss in losses or [] for ordinal in loss.ordinals}
    entries = [(ordinal, entry(ordinal)) for ordinal in range(start, end) if ordinal not in lost]
    return Loaded(end, entries, losses or [])


def filled(end: int) -> History:
    """A history of which all below `end` was read."""
    history = History()
    history.load(loaded(0, end))
    return history


def taken(history: History, most: int = 1000) -> list[Entry]:
    """What can be taken."""
    entries: list[Entry] = []
    while history.is_ready and len(entries) < most:
        entries.append(history.take())
    return entries


def seqs(entries: list[Entry]) -> list[int]:
    """Their ordinals."""
    return [one.seq for one in entries]


def test_it_comes_in_the_order_of_the_disk() -> None:
    """One stretch behind the other."""
    history = filled(3)
    history.load(loaded(3, 5))
    assert seqs(taken(history)) == [0, 1, 2, 3, 4]
    assert history.cursor == 0


def test_the_cursor_stands_at_the_first_that_is_not_settled() -> None:
    """However many behind it are; those are told as ranges."""
    history = filled(6)
    entries = taken(history)
    for at in (1, 2, 4):
        history.acknowledge(entries[at])
    assert (history.cursor, history.settled) == (0, ((1, 3), (4, 5)))
    history.acknowledge(entries[0])
    assert (history.cursor, history.settled) == (3, ((4, 5),))
    history.acknowledge(entries[3])
    history.acknowledge(entries[5])
    assert (history.cursor, history.settled) == (6, ())


def test_what_is_settled_before_it_is_read_is_not_sent() -> None:
    """A live batch that went to disk while it was under way, and was then acknowledged."""
    history = filled(2)
    history.settle(3)
    history.settle(5)
    assert (history.settled, history.settled_early) == (((3, 4), (5, 6)), 2)
    history.load(loaded(2, 6))
    assert seqs(taken(history)) == [0, 1, 2, 4]
    assert history.settled_early == 0


def test_what_is_settled_after_it_was_read_is_not_sent() -> None:
    """The acknowledgement comes when it was loaded already."""
    history = filled(3)
    history.settle(1)
    assert seqs(taken(history)) == [0, 2]


def test_a_live_entry_under_way_holds_its_copy_back() -> None:
    """And all behind it: neither twice at a time nor out of order. Delivered it is passed over."""
    history = filled(4)
    history.hold({1: entry(1)})
    assert seqs(taken(history)) == [0]
    history.settle(1)
    assert seqs(taken(history)) == [2, 3]


def test_a_live_entry_that_was_not_delivered_is_sent_as_history() -> None:
    """The link was lost; it is on disk and comes from there."""
    history = filled(3)
    history.hold({0: entry(0), 1: entry(1)})
    assert taken(history) == []
    assert history.release(0, entry(0))
    assert history.release(1, entry(1))
    assert seqs(taken(history)) == [0, 1, 2]


def test_what_is_given_back_is_sent_again_in_order() -> None:
    """Before what comes behind it."""
    history = filled(5)
    entries = taken(history, 4)
    history.acknowledge(entries[2])
    assert history.give_back() == []
    assert seqs(taken(history)) == [0, 1, 3, 4]


def test_an_acknowledgement_counts_once() -> None:
    """A second one, or one of an entry that is not under way, is none."""
    history = filled(2)
    [one] = taken(history, 1)
    assert history.acknowledge(one)
    assert not history.acknowledge(one)
    assert not history.acknowledge(entry(1))


def test_what_could_not_be_read_is_settled_and_counted() -> None:
    """The cursor passes it; what was acknowledged before counts as no loss."""
    history = History()
    history.settle(3)
    [gap] = history.load(loaded(0, 5, [Loss("*", 10, 20, range(1, 4))]))
    assert (gap.device, gap.start, gap.end, gap.count, gap.reason) == ("*", 10, 20, 2, "disk_error")
    for one in taken(history):
        history.acknowledge(one)
    assert history.cursor == 5


def test_a_loss_that_was_delivered_before_is_none() -> None:
    """A damaged record whose entries were all acknowledged as live data."""
    history = History()
    history.settle(0)
    history.settle(1)
    assert history.load(loaded(0, 2, [Loss("*", 10, 20, range(2))])) == []
    assert history.cursor == 2


def test_an_earlier_run_is_taken_up() -> None:
    """What it noted as settled is not sent again, wherever the cursor stands."""
    history = History()
    history.resume(((11, 13), (14, 15)))
    history.load(loaded(10, 16))
    assert seqs(taken(history)) == [10, 13, 15]


def test_it_asks_for_more_while_little_is_ready() -> None:
    """Loaded ahead, but bounded, however large the spool is."""
    history = History()
    loads = 0
    while history.wants_more:
        history.load(loaded(100 * loads, 100 * (loads + 1)))
        loads += 1
        assert loads < 100
    assert len(history) < 2000
    taken(history, len(history) // 2)
    assert history.wants_more


def test_the_settled_ranges_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather some entries twice than memory without end."""
    monkeypatch.setattr(history_module, "_MOST_PIECES", 5)
    history = filled(1)
    for ordinal in range(3, 100, 2):
        history.settle(ordinal)
    assert len(history.settled) == 5


def test_a_change_is_known_until_it_is_written() -> None:
    """Reading ahead changes nothing that is worth a write; an acknowledgement does."""
    history = filled(3)
    assert not history.changed
    [one] = taken(history, 1)
    assert not history.changed
    history.acknowledge(one)
    assert history.changed
    history.changed = False
    history.settle(7)
    assert history.changed


def test_during_a_drop_nothing_is_taken() -> None:
    """What is counted as lost is not delivered at the same time."""
    history = filled(3)
    history.begin_drop()
    assert not history.is_ready
    assert not history.wants_more
    history.end_drop(0)
    assert seqs(taken(history)) == [0, 1, 2]


def test_a_drop_counts_what_waits_and_nothing_else() -> None:
    """Not what is acknowledged, early or late, nor what is under way, as history or as live data."""
    history = filled(6)
    under_way = taken(history, 3)
    history.acknowledge(under_way[1])
    history.hold({4: entry(4), 7: entry(7)})
    history.settle(8)
    waiting = history.begin_drop()
    assert [ordinal for ordinal in range(10) if waiting.is_waiting(ordinal)] == [3, 5, 6, 9]
    assert sorted(seqs(history.under_way(7))) == [0, 2, 4]
    assert history.end_drop(9) == []
    assert (history.cursor, history.settled) == (9, ())
    history.load(loaded(9, 11))
    assert seqs(taken(history)) == [9, 10]


def test_what_was_under_way_while_it_was_dropped_is_lost_when_it_comes_back() -> None:
    """It is on disk no more: whoever gives it back is told, to count it."""
    history = filled(3)
    [one] = taken(history, 1)
    history.hold({1: entry(1)})
    history.begin_drop()
    history.end_drop(2)
    assert history.give_back() == [one]
    assert not history.release(1, entry(1))
    assert seqs(taken(history)) == [2]


def test_what_comes_back_during_a_drop_is_told_at_its_end() -> None:
    """The count was made while it was under way."""
    history = filled(4)
    [one] = taken(history, 1)
    live = entry(1)
    history.hold({1: live})
    history.begin_drop()
    assert history.give_back() == []
    assert history.release(1, live)
    assert history.end_drop(2) == [one, live]
    assert seqs(taken(history)) == [2, 3]


def test_a_drop_that_failed_changes_nothing() -> None:
    """All is still on disk, and in order."""
    history = filled(4)
    taken(history, 2)
    history.begin_drop()
    history.give_back()
    assert history.end_drop(0) == []
    assert seqs(taken(history)) == [0, 1, 2, 3]
