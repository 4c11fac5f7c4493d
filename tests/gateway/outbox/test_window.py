"""What is live: order, bounds, and what a spill takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import Notice
from gateway.outbox.entry import Entry, weight
from gateway.outbox.window import Window
from gateway.testing import ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGE = 1_000_000_000
PLAN = sample_plan()


def batch(seq: int, device: str = "press-12") -> Entry:
    """A batch by its number."""
    values: list[Any] = [float(seq), True, seq]
    return Entry(device, "000001-8c1f9a3e", seq, sample_batch(PLAN, values), history=False)


def notice(seq: int) -> Entry:
    """A notice by its number."""
    item = Notice("events", {"text": "configuration changed"}, ManualClock().now())
    return Entry("_gateway", "000001-8c1f9a3e", seq, item, history=False)


def filled(entries: Iterable[Entry], most_bytes: int = LARGE) -> Window:
    """A window of these entries, one put each second from 0 on."""
    window = Window(most_bytes)
    for second, entry in enumerate(entries):
        window.add(entry, float(second))
    return window


def taken(window: Window) -> list[int]:
    """The numbers of all that can be taken."""
    numbers = []
    while entry := window.take():
        numbers.append(entry.seq)
    return numbers


def on_disk(entries: list[Entry], first: int = 100) -> dict[Entry, int]:
    """Ordinals of these entries."""
    return {entry: first + at for at, entry in enumerate(entries)}


def test_first_come_first_served() -> None:
    """In the order in which they were put."""
    assert taken(filled(map(batch, range(1, 6)))) == [1, 2, 3, 4, 5]


def test_notices_go_before_batches() -> None:
    """What the gateway says of itself is not kept waiting by data."""
    window = filled([batch(1), batch(2), notice(7), batch(3), notice(8)])
    assert taken(window) == [7, 8, 1, 2, 3]


def test_an_empty_window_gives_nothing() -> None:
    """And has no oldest entry."""
    window = Window(LARGE)
    assert window.take() is None
    assert window.oldest_since is None
    assert len(window) == 0


def test_an_acknowledged_entry_is_gone() -> None:
    """Once; a second acknowledgement, or one of an entry that was never taken, is none."""
    window = filled([batch(1)])
    entry = window.take()
    assert entry is not None
    assert window.acknowledge(entry) == (True, None)
    assert window.acknowledge(entry) == (False, None)
    assert window.acknowledge(batch(2)) == (False, None)
    assert len(window) == 0
    assert window._bytes == 0


def test_what_is_given_back_is_taken_again_in_order() -> None:
    """Before what came later, whatever was acknowledged of it."""
    window = filled(map(batch, range(1, 7)))
    under_way = [window.take() for _ in range(4)]
    assert under_way[1] is not None
    window.acknowledge(under_way[1])
    assert window.give_back() == []
    assert taken(window) == [1, 3, 4, 5, 6]


def test_the_oldest_is_the_one_that_waits_longest() -> None:
    """Under way or not, as long as it is neither acknowledged nor on disk."""
    window = filled(map(batch, range(1, 4)))
    assert window.oldest_since == 0.0
    entry = window.take()
    assert entry is not None
    assert window.oldest_since == 0.0
    window.acknowledge(entry)
    assert window.oldest_since == 1.0
    window.end_spill(on_disk(window.begin_spill(1.0)))
    assert window.oldest_since == 2.0


def test_a_full_window_drops_its_oldest_batches() -> None:
    """As many as are needed, and it says which."""
    size = weight(batch(1).item)
    window = filled(map(batch, range(1, 5)), most_bytes=4 * size)
    assert [entry.seq for entry in window.add(batch(5), 9.0)] == [1]
    assert taken(window) == [2, 3, 4, 5]


def test_notices_are_dropped_last() -> None:
    """Only where there is no batch left to drop."""
    window = filled([notice(1), batch(1), notice(2), batch(2)], most_bytes=2 * weight(notice(1).item) + 1)
    assert taken(window) == [1, 2]
    window = filled([notice(1), notice(2)], most_bytes=2 * weight(notice(1).item) + 1)
    assert [entry.seq for entry in window.add(notice(3), 9.0)] == [1]


def test_what_is_under_way_is_not_dropped() -> None:
    """It may be delivered any moment; what waits makes room."""
    size = weight(batch(1).item)
    window = filled(map(batch, range(1, 4)), most_bytes=3 * size)
    window.take()
    assert [entry.seq for entry in window.add(batch(4), 9.0)] == [2]


def test_an_entry_larger_than_the_window_is_dropped_itself() -> None:
    """The bound holds, whatever comes."""
    window = Window(10)
    assert [entry.seq for entry in window.add(batch(1), 0.0)] == [1]
    assert window._bytes == 0


def test_a_spill_takes_what_is_old_enough() -> None:
    """Under way or not, notices as well, in the order in which they were put; the rest stays live."""
    window = filled([batch(1), batch(2), notice(3), batch(4), batch(5)])
    window.take()
    window.take()
    group = window.begin_spill(3.0)
    assert [entry.seq for entry in group] == [1, 2, 3, 4]
    acknowledged, under_way = window.end_spill(on_disk(group))
    assert acknowledged == []
    assert {ordinal: entry.seq for ordinal, entry in under_way.items()} == {100: 1, 102: 3}
    assert taken(window) == [5]


def test_what_was_spilled_while_under_way_tells_its_ordinal() -> None:
    """When it is acknowledged, so that it is not sent again; when it is given back, since it comes from disk."""
    window = filled(map(batch, range(1, 4)))
    one, two = window.take(), window.take()
    assert one is not None
    window.end_spill(on_disk(window.begin_spill(5.0)))
    assert window.acknowledge(one) == (True, 100)
    assert window.give_back() == [(101, two)]
    assert (taken(window), len(window), window._bytes) == ([], 0, 0)


def test_what_is_acknowledged_during_a_spill_is_told_at_its_end() -> None:
    """It is on disk by then, and not to be sent again."""
    window = filled(map(batch, range(1, 4)))
    entry = window.take()
    assert entry is not None
    group = window.begin_spill(5.0)
    assert window.acknowledge(entry) == (True, None)
    assert window.end_spill(on_disk(group)) == ([100], {})
    assert window._bytes == 0


def test_what_is_given_back_during_a_spill_comes_from_disk() -> None:
    """It is not kept in memory twice."""
    window = filled(map(batch, range(1, 4)))
    window.take()
    group = window.begin_spill(1.0)
    assert window.give_back() == []
    assert taken(window) == [3]
    assert window.end_spill(on_disk(group)) == ([], {})
    assert window._bytes == weight(batch(3).item)


def test_a_spill_that_failed_changes_nothing() -> None:
    """What was old waits before what came meanwhile; what was acknowledged is gone; what is under way is under way."""
    window = filled(map(batch, range(1, 5)))
    one, two = window.take(), window.take()
    assert one is not None
    assert two is not None
    window.begin_spill(2.0)
    window.add(batch(5), 9.0)
    window.acknowledge(one)
    window.abandon_spill()
    assert len(window) == 4
    window.give_back()
    assert taken(window) == [2, 3, 4, 5]
    assert window._bytes == 4 * weight(batch(1).item)


@pytest.mark.parametrize("given_back_first", [True, False])
def test_a_failed_spill_and_a_lost_link_keep_the_order(given_back_first: bool) -> None:  # noqa: FBT001 - two orders
    """Whichever comes first, batches go out as they were put."""
    window = filled(map(batch, range(1, 7)))
    window.begin_spill(2.0)
    assert [getattr(window.take(), "seq", None) for _ in range(2)] == [4, 5]
    steps = [window.give_back, window.abandon_spill]
    for step in steps if given_back_first else reversed(steps):
        step()
    assert taken(window) == [1, 2, 3, 4, 5, 6]


def test_what_cannot_be_kept_is_gone() -> None:
    """An entry that no disk can hold leaves memory; a late acknowledgement of it is none."""
    window = filled(map(batch, range(1, 3)))
    entry = window.take()
    assert entry is not None
    window.begin_spill(5.0)
    assert window.end_spill({}) == ([], {})
    assert window.acknowledge(entry) == (False, None)
    assert (len(window), window._bytes, window.oldest_since) == (0, 0, None)


def test_what_is_being_spilled_counts_as_in_memory() -> None:
    """Until it is synced; and it is not dropped for room, since it may be on disk already."""
    size = weight(batch(1).item)
    window = filled(map(batch, range(1, 4)), most_bytes=3 * size)
    window.begin_spill(1.0)
    assert len(window) == 3
    assert window.oldest_since == 0.0
    assert [entry.seq for entry in window.add(batch(4), 9.0)] == [3]
    window.end_spill({})
    assert window.add(batch(5), 9.0) == []
