"""Readings of a device become batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.opcua.convert import Reading
from drivers.opcua.feed import Feed
from gateway.model import ABSENT, Batch, Quality
from gateway.testing import SAMPLE_TIME, ManualClock, sample_plan

PLAN = sample_plan()
STAMP = ManualClock().now()
NOW = STAMP.monotonic
MS = 1_000_000


@pytest.fixture
def emitted() -> list[Batch]:
    return []


@pytest.fixture
def feed(emitted: list[Batch]) -> Feed:
    return Feed(PLAN, emitted.append)


def good(value: float) -> Reading:
    return Reading(value, Quality.GOOD)


def opened(feed: Feed, emitted: list[Batch]) -> Feed:
    for position in range(3):
        feed.put(position, good(position), NOW)
    feed.flush(STAMP)
    emitted.clear()
    return feed


def test_nothing_is_emitted_before_every_tag_is_heard_of(feed: Feed, emitted: list[Batch]) -> None:
    """The first batch is whole, whenever its parts came."""
    feed.put(0, good(1), NOW)
    feed.flush(STAMP)
    feed.put(2, Reading(None, Quality.CONFIG, "BadNodeIdUnknown"), NOW)
    feed.flush(STAMP)
    assert emitted == []

    feed.put(1, good(2), NOW)
    feed.flush(STAMP)

    (batch,) = emitted
    assert batch.values == [1, 2, None]
    assert batch.quality == [Quality.GOOD, Quality.GOOD, Quality.CONFIG]
    assert batch.source_status == {2: "BadNodeIdUnknown"}


def test_what_changed_while_waiting_follows_in_order(feed: Feed, emitted: list[Batch]) -> None:
    """Nothing is lost between the first value of the first tag and that of the last."""
    for value in (1, 2, 3):
        feed.put(0, good(value), NOW)
    feed.put(1, good(8), NOW)
    feed.put(2, good(9), NOW)
    feed.flush(STAMP)

    assert [batch.values for batch in emitted] == [[1, 8, 9], [2, ABSENT, ABSENT], [3, ABSENT, ABSENT]]


def test_a_flush_without_news_emits_nothing(feed: Feed, emitted: list[Batch]) -> None:
    """Each reading is emitted once."""
    opened(feed, emitted).flush(STAMP)
    assert emitted == []


@given(st.lists(st.tuples(st.integers(0, 2), st.integers()), max_size=40))
def test_every_reading_is_emitted_once_and_in_order(changes: list[tuple[int, int]]) -> None:
    """Whatever changes how often: as many batches as the liveliest tag had changes, and a tag once in each."""
    emitted: list[Batch] = []
    feed = opened(Feed(PLAN, emitted.append), emitted)
    for position, value in changes:
        feed.put(position, good(value), NOW)
    feed.flush(STAMP)

    for position in range(3):
        expected = [value for at, value in changes if at == position]
        assert [b.values[position] for b in emitted if b.values[position] is not ABSENT] == expected
    assert len(emitted) == max((sum(1 for at, _ in changes if at == n) for n in range(3)), default=0)


def test_tags_read_at_different_times_say_so(feed: Feed, emitted: list[Batch]) -> None:
    """Offsets in ms from the stamp, where any differs by more than 50."""
    opened(feed, emitted)
    feed.put(0, good(1), NOW - 250 * MS)
    feed.put(1, good(2), NOW)
    feed.flush(STAMP)
    assert emitted[0].offsets == [-250, 0, 0]
    assert emitted[0].stamp is STAMP


def test_tags_read_at_almost_one_time_carry_no_offsets(feed: Feed, emitted: list[Batch]) -> None:
    """50 ms are one instant."""
    opened(feed, emitted)
    feed.put(0, good(1), NOW - 50 * MS)
    feed.flush(STAMP)
    assert emitted[0].offsets is None


def test_source_times_stand_beside_their_values(feed: Feed, emitted: list[Batch]) -> None:
    """None where the source gave none, and no column where nobody gave one."""
    opened(feed, emitted)
    feed.put(1, Reading(5, Quality.GOOD, None, SAMPLE_TIME), NOW)
    feed.flush(STAMP)
    feed.put(1, good(6), NOW)
    feed.flush(STAMP)
    assert [batch.source_times for batch in emitted] == [[None, SAMPLE_TIME, None], None]
    assert [batch.source_status for batch in emitted] == [None, None]
