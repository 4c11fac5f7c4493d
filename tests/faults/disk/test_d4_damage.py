"""Row D4: a spool cut at any byte of its last 64 KiB, or with a flipped bit, starts and delivers all that is whole."""

from __future__ import annotations

import time
from random import Random
from typing import TYPE_CHECKING

import pytest

from gateway.model import Tag
from gateway.outbox.cursor import Cursor
from gateway.outbox.entry import Entry
from gateway.outbox.room import Room
from gateway.outbox.segment import Kind, SegmentName, records
from gateway.outbox.spool import Spool
from gateway.testing import ManualClock, sample_batch, sample_plan
from tests.gateway.outbox.conftest import Disk, Inode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Batch

GROUPS = 45
IN_GROUP = 12
TAGS = 24
SMALL, LARGE = 10_000, 1_000_000
"""Bytes of a segment: some small ones, then one large one."""

LAST = 64 * 1024
FLIPS = 1000
START_S = 5.0
RUN = "000001-8c1f9a3e"

RANDOM = Random(4)  # noqa: S311 - chance for a test, no secret
PLANS = [sample_plan(f"device{n}", *(Tag(f"tag{at}", "holding:1", "float64") for at in range(TAGS))) for n in range(2)]


def batch(number: int) -> Batch:
    """A batch like no other, which does not compress."""
    clock = ManualClock()
    clock.advance(number)
    return sample_batch(PLANS[number % 2], [RANDOM.random() for _ in range(TAGS)], clock.now())


BATCHES = [batch(number) for number in range(GROUPS * IN_GROUP)]


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    """The files of a spool of several segments, whose newest is longer than 64 KiB; left by a power cut."""
    disk, clock = Disk(), ManualClock()
    spool = Spool(disk, clock, Room(10**9, segment_bytes=SMALL))
    spool.start()
    for first in range(0, GROUPS * IN_GROUP, IN_GROUP):
        numbers = range(first, first + IN_GROUP)
        entries = [Entry(BATCHES[n].plan.device, RUN, n, BATCHES[n], history=False) for n in numbers]
        spool.write([spool.encode(entries)])
        if len(segments(disk.names)) > 4:
            spool.room = Room(10**9, segment_bytes=LARGE)
    spool.save(Cursor(0))
    files = {name: bytes(inode.content) for name, inode in disk.names.items()}
    assert len(files[newest(files)]) > LAST
    assert len(segments(files)) > 1
    return files


def segments(files: Iterable[str]) -> list[str]:
    """The segments, oldest first."""
    return sorted(name for name in files if name.endswith(".spool"))


def newest(files: dict[str, bytes]) -> str:
    """The one that is written to."""
    return segments(files)[-1]


def whole(files: dict[str, bytes]) -> set[int]:
    """The numbers of the batches in records that are intact, by the format and not by the code that reads it back."""
    found: set[int] = set()
    for name in segments(files):
        parsed = SegmentName.parse(name)
        assert parsed is not None
        for record in records(files[name], parsed):
            if record.kind == Kind.GROUP:
                found |= set(range(record.first, record.first + record.count))
    return found


def delivered(files: dict[str, bytes]) -> tuple[set[int], int]:
    """Start over these files. Returns the numbers that come, and how many are told lost; every row is checked."""
    begun = time.monotonic()
    spool = Spool(
        Disk({name: Inode(bytearray(data), len(data)) for name, data in files.items()}), ManualClock(), Room(10**9)
    )
    spool.start()
    assert time.monotonic() - begun < START_S
    assert spool.failure is None
    come: set[int] = set()
    lost = 0
    while loaded := spool.read():
        for _, entry in loaded.entries:
            assert entry.item == BATCHES[entry.seq], "a wrong row"
            assert entry.seq not in come, "twice"
            come.add(entry.seq)
        lost += sum(len(loss.ordinals) for loss in loaded.losses)
    return come, lost


def test_d4_cut_at_every_byte_of_the_last_64_kib(contents: dict[str, bytes], campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """Every group before the cut comes, and nothing else. In the short form every 997th byte."""
    name = newest(contents)
    size = len(contents[name])
    before = whole({other: data for other, data in contents.items() if other != name})
    parsed = SegmentName.parse(name)
    assert parsed is not None
    groups = [(r.end, r.first, r.count) for r in records(contents[name], parsed) if r.kind == Kind.GROUP]
    for cut in range(size - LAST, size, 1 if campaign else 997):
        come, _ = delivered({**contents, name: contents[name][:cut]})
        kept = {n for end, first, count in groups if end <= cut for n in range(first, first + count)}
        assert come == before | kept, f"cut at {cut}"


def test_d4_flipped_bits(contents: dict[str, bytes], campaign: bool) -> None:  # noqa: FBT001 - a fixture
    """Anywhere in any file: what is whole comes, the rest is told. In the short form a hundred flips of a thousand."""
    random = Random(5)  # noqa: S311 - chance for a test, no secret
    everything = set(range(len(BATCHES)))
    places = [(name, at) for name in sorted(contents) for at in range(len(contents[name]))]
    for _ in range(FLIPS if campaign else FLIPS // 10):
        name, at = random.choice(places)
        data = bytearray(contents[name])
        data[at] ^= 1 << random.randrange(8)
        files = {**contents, name: bytes(data)}
        come, lost = delivered(files)
        assert come <= everything
        assert come >= whole(files), f"bit of byte {at} of {name}"
        assert len(come) + lost == len(everything) or name == newest(contents), "not told"
