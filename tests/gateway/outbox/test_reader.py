"""Reading segments made by hand: what a writer of this release would not write."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.outbox.catalog import Segment, read_tail
from gateway.outbox.codec import Codec
from gateway.outbox.entry import Entry
from gateway.outbox.plans import Plans
from gateway.outbox.reader import Loss, Reader
from gateway.outbox.segment import Kind, SegmentName, frame, header
from gateway.testing import SAMPLE_TIME, ManualClock, sample_batch, sample_plan

ONE, TWO = SegmentName(1, 0), SegmentName(2, 4)


class Bench:
    """Segments put together piece by piece."""

    def __init__(self, disk: Any) -> None:
        self.disk = disk
        self.plans = Plans()
        self.codec = Codec(Plans())
        self.segments: list[Segment] = []

    def segment(self, name: SegmentName, *groups: tuple[int, int], extra: tuple[int, bytes] | None = None) -> None:
        """A segment of groups, each from one ordinal to before another; `extra` is one more record of some kind."""
        data = header(name, SAMPLE_TIME)
        for first, end in groups:
            encoded = self.codec.encode([batch_entry(ordinal) for ordinal in range(first, end)])
            for plan in encoded.plans.values():
                data += frame(name, len(data), (Kind.PLAN, first, 0, Plans().payload_of(plan)))
            data += frame(name, len(data), (Kind.GROUP, first, encoded.count, encoded.payload))
        if extra is not None:
            kind: Any = extra[0]
            data += frame(name, len(data), (kind, groups[-1][1] if groups else name.base, 1, extra[1]))
        self.disk.create(str(name)).write(data)
        self.segments.append(Segment(name, len(data)))

    def reader(self, start: int = 0) -> Reader:
        """A reader over all of them."""
        return Reader(self.disk, self.segments, Codec(self.plans), self.plans, start)


def batch_entry(ordinal: int) -> Entry:
    """The batch of an ordinal, a second after the one before."""
    clock = ManualClock()
    clock.advance(ordinal)
    item = sample_batch(sample_plan(), [ordinal / 7, True, ordinal], clock.now())
    return Entry("press-12", "000001-8c1f9a3e", ordinal, item, history=False)


def read_all(reader: Reader) -> tuple[list[int], list[Loss]]:
    """The ordinals that can be read, and what is lost."""
    ordinals, losses = [], []
    while loaded := reader.read():
        ordinals += [ordinal for ordinal, _ in loaded.entries]
        losses += loaded.losses
    return ordinals, losses


@pytest.fixture
def bench(disk: Any) -> Bench:
    """An empty folder."""
    return Bench(disk)


def test_a_kind_of_record_that_is_not_known_is_passed_over(bench: Bench) -> None:
    """A later release of the same major number may add some; neither reading nor starting stumbles."""
    bench.segment(ONE, (0, 4), extra=(9, b"something new"))
    bench.segment(TWO, (4, 6))
    assert read_all(bench.reader()) == ([0, 1, 2, 3, 4, 5], [])
    tail = read_tail(bench.disk, bench.segments[0], Codec(bench.plans), bench.plans)
    assert (tail.whole, tail.end, tail.newest) == (True, 4, SAMPLE_TIME + 3_000_000_000)


def test_a_whole_record_that_holds_no_group_is_counted(bench: Bench) -> None:
    """Its sum is right and its content is not: what it promised is lost, what follows is read."""
    bench.segment(ONE, (0, 3), extra=(Kind.GROUP, b"no group"))
    bench.segment(TWO, (4, 6))
    last = SAMPLE_TIME + 2_000_000_000
    assert read_all(bench.reader()) == ([0, 1, 2, 4, 5], [Loss("*", last, last, range(3, 4))])


def test_a_start_behind_a_record_that_holds_no_group_knows_no_time(bench: Bench) -> None:
    """It goes on behind it all the same."""
    bench.segment(ONE, (0, 3), extra=(Kind.GROUP, b"no group"))
    tail = read_tail(bench.disk, bench.segments[0], Codec(bench.plans), bench.plans)
    assert (tail.end, tail.newest) == (4, 0)


def test_a_segment_that_goes_while_it_is_read_is_counted(bench: Bench) -> None:
    """Somebody deletes it under the running gateway: no error, its entries are found missing."""
    bench.segment(ONE, (0, 2), (2, 4))
    bench.segment(TWO, (4, 6))
    reader = bench.reader()
    bench.disk.unlink(str(ONE))
    ordinals, [loss] = read_all(reader)
    assert ordinals == [4, 5]
    assert loss.ordinals == range(4)


def test_the_times_of_a_loss_are_those_of_its_neighbours(bench: Bench) -> None:
    """From the last entry before it to the first behind it; at the very beginning only the latter is known."""
    bench.segment(SegmentName(1, 0), (2, 4))
    bench.segment(SegmentName(2, 4), (7, 9))
    _, losses = read_all(bench.reader())
    second = 1_000_000_000
    assert losses == [
        Loss("*", SAMPLE_TIME + 2 * second, SAMPLE_TIME + 2 * second, range(2)),
        Loss("*", SAMPLE_TIME + 3 * second, SAMPLE_TIME + 7 * second, range(4, 7)),
    ]


def test_ordinals_of_a_write_that_failed_are_no_loss(bench: Bench) -> None:
    """The next segment's name says how many there were."""
    bench.segment(ONE, (0, 4))
    bench.segment(SegmentName(2, 9, unused=5), (9, 11))
    assert read_all(bench.reader()) == ([0, 1, 2, 3, 9, 10], [])


def test_reading_begins_in_the_segment_that_holds_the_ordinal(bench: Bench) -> None:
    """Segments before it are not opened; entries before it are not read again."""
    bench.segment(ONE, (0, 4))
    bench.segment(TWO, (4, 6), (6, 9))
    bench.disk.operations.clear()
    assert read_all(bench.reader(start=7)) == ([7, 8], [])
    assert bench.disk.operations == ["read"]


def test_skipping_forgets_what_was_missing_before(bench: Bench) -> None:
    """What was dropped is settled; it is not told again as a loss."""
    bench.segment(ONE, (0, 2))
    bench.segment(TWO)
    reader = bench.reader()
    assert read_all(reader) == ([0, 1], [])
    reader.skip_to(5)
    bench.segment(SegmentName(3, 4), (4, 6))
    assert read_all(reader) == ([5], [])


def test_what_is_missing_at_the_end_is_known_to_whom_knows_the_end(bench: Bench) -> None:
    """A reader of one segment is told where it ends."""
    bench.segment(ONE, (0, 2))
    reader = bench.reader()
    read_all(reader)
    [loss] = reader.missing_before(4)
    assert (loss.ordinals, loss.gap(2).count) == (range(2, 4), 2)
    assert reader.missing_before(4) == []
