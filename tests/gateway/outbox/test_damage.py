"""Damage: the spool starts whatever lies there, delivers what is whole, counts what is not, and invents nothing."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from structlog.testing import capture_logs

from gateway.model import Gap
from gateway.outbox.cursor import Cursor
from gateway.outbox.entry import Entry
from gateway.outbox.room import Room
from gateway.outbox.segment import HEADER_BYTES, SegmentName, records
from gateway.outbox.spool import Spool
from gateway.testing import ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from collections.abc import Callable

GROUPS, IN_GROUP = 12, 3
ALL = set(range(GROUPS * IN_GROUP))


class Found:
    """What a start finds in a spool."""

    def __init__(self, disk: Any) -> None:
        self.clock = ManualClock()
        self.spool = Spool(disk, self.clock, Room(10**9, segment_bytes=1500))
        self.spool.start()
        self.numbers: list[int] = []
        self.gaps: list[Gap] = []
        while loaded := self.spool.read():
            for _, entry in loaded.entries:
                assert entry.item == batch(entry.seq), "a wrong row"
                self.numbers.append(entry.seq)
            self.gaps += [loss.gap(len(loss.ordinals)) for loss in loaded.losses]

    @property
    def counted(self) -> int:
        """How many are told to be lost."""
        return sum(gap.count or 0 for gap in self.gaps)


def batch(number: int) -> Any:
    """A batch that is like no other."""
    device = f"device{number % 2}"
    clock = ManualClock()
    clock.advance(number)
    return sample_batch(sample_plan(device), [number / 7, number % 3 == 0, number], clock.now())


def write(spool: Spool, start: int) -> None:
    """Write one group."""
    entries = [(number, batch(number)) for number in range(start, start + IN_GROUP)]
    group = [Entry(item.plan.device, "000001-8c1f9a3e", number, item, history=False) for number, item in entries]
    spool.write([spool.encode(group)])


@pytest.fixture
def filled(disk: Any) -> Any:
    """A disk with some segments of known batches, left in good order."""
    spool = Spool(disk, ManualClock(), Room(10**9, segment_bytes=1500))
    spool.start()
    for group in range(GROUPS):
        write(spool, group * IN_GROUP)
    spool.save(Cursor(0))
    spool.close(clean=True)
    return disk


def segment_files(disk: Any) -> list[str]:
    """The segments, oldest first."""
    return sorted(name for name in disk.names if name.endswith(".spool"))


def group_at(disk: Any, file: str, byte: int) -> set[int]:
    """The numbers of the batches of the group that holds a byte of a segment."""
    name = SegmentName.parse(file)
    assert name is not None
    for record in records(bytes(disk.names[file].content), name):
        if record.start <= byte < record.end:
            return set(range(record.first, record.first + record.count))
    return set()


def test_undamaged_all_is_found(filled: Any) -> None:
    """In order, nothing lost, in several segments."""
    found = Found(filled)
    assert found.numbers == sorted(ALL)
    assert found.gaps == []
    assert len(segment_files(filled)) >= 2


def test_cut_at_any_byte_the_rest_is_whole(filled: Any) -> None:
    """The newest segment cut at each byte: every group before the cut is there, every one behind it is counted."""
    file = segment_files(filled)[-1]
    name = SegmentName.parse(file)
    assert name is not None
    whole = bytes(filled.names[file].content)
    groups = [(record.end, set(range(record.first, record.first + record.count))) for record in records(whole, name)]
    for cut in range(len(whole)):
        after = filled.killed()
        lost = set().union(*(numbers for end, numbers in groups if end > cut))
        after.names[file] = type(filled.names[file])(bytearray(whole[:cut]), cut)
        found = Found(after)
        assert found.numbers == sorted(ALL - lost)
        write(found.spool, len(ALL))
        rest = found.spool.read()
        assert rest is not None
        assert sum(len(loss.ordinals) for loss in rest.losses) == len(lost)
        assert [entry.seq for _, entry in rest.entries] == [len(ALL), len(ALL) + 1, len(ALL) + 2]


@pytest.mark.parametrize("seed", range(300))
def test_a_flipped_bit_costs_at_most_one_group(filled: Any, seed: int) -> None:
    """In any file, anywhere: the gateway starts, all else is delivered, and what is lost is counted."""
    random = Random(seed)  # noqa: S311 - chance for a test, no secret
    file = random.choice([*segment_files(filled) * 3, "cursor"])
    bit = random.randrange(8 * len(filled.names[file].content))
    lost = group_at(filled, file, bit // 8) if file != "cursor" else set()
    filled.names[file].content[bit // 8] ^= 1 << bit % 8
    found = Found(filled)
    assert found.spool.failure is None
    assert found.numbers == sorted(ALL - lost)
    write(found.spool, len(ALL))
    rest = found.spool.read()
    assert rest is not None
    assert found.counted + sum(len(loss.ordinals) for loss in rest.losses) == len(lost)


@pytest.mark.parametrize("seed", range(60))
def test_heavy_damage_invents_nothing(filled: Any, seed: int) -> None:
    """Stretches of noise, zeros and swapped blocks in every file: it starts, and each row is right or not there."""
    random = Random(seed)  # noqa: S311 - chance for a test, no secret
    for inode in filled.names.values():
        content = inode.content
        for _ in range(random.randint(0, 3)):
            at, length = random.randrange(len(content) + 1), random.randrange(200)
            content[at : at + length] = random.choice([random.randbytes(length), bytes(length), content[:length]])
    found = Found(filled)
    assert found.spool.failure is None
    assert set(found.numbers) <= ALL
    write(found.spool, len(ALL))
    assert len(ALL) in [entry.seq for loaded in iter(found.spool.read, None) for _, entry in loaded.entries]


def test_a_damaged_record_is_counted_with_its_neighbours_times(filled: Any) -> None:
    """Nobody knows whose it was; it lay between the record before and the one behind."""
    file = segment_files(filled)[0]
    name = SegmentName.parse(file)
    assert name is not None
    groups = [record for record in records(bytes(filled.names[file].content), name) if record.count]
    filled.names[file].content[groups[1].end - 1] ^= 1
    [gap] = Found(filled).gaps
    before, behind = batch(IN_GROUP - 1).stamp.time, batch(2 * IN_GROUP).stamp.time
    assert gap == Gap("*", before, behind, IN_GROUP, "disk_error")


def test_a_damaged_plan_is_found_in_another_segment(filled: Any) -> None:
    """The batches of a plan whose record is damaged are read with the same plan of elsewhere, where it is known."""
    first, second = segment_files(filled)[:2]
    name = SegmentName.parse(second)
    assert name is not None
    plans = [record for record in records(bytes(filled.names[second].content), name) if not record.count]
    for plan in plans:
        filled.names[second].content[plan.end - 1] ^= 1
    assert Found(filled).numbers == sorted(ALL)
    assert first != second


def test_a_damaged_plan_that_nobody_knows_is_counted_by_device(filled: Any) -> None:
    """The group is whole and tells the device, the times and how many."""
    for file in segment_files(filled):
        name = SegmentName.parse(file)
        assert name is not None
        content = filled.names[file].content
        plans = [record for record in records(bytes(content), name) if not record.count]
        for record in plans:
            if b"device0" in zstandard.decompress(record.payload):
                content[record.end - 1] ^= 1
    found = Found(filled)
    [device] = {gap.device for gap in found.gaps}
    assert found.counted == len(ALL) // 2
    assert all(batch(number).plan.device != device for number in found.numbers)
    assert found.numbers == [number for number in sorted(ALL) if batch(number).plan.device != device]


def test_a_segment_that_somebody_deleted_is_counted(filled: Any) -> None:
    """The ordinals tell exactly how many were in it."""
    file = segment_files(filled)[1]
    name = SegmentName.parse(file)
    assert name is not None
    held = sum(record.count for record in records(bytes(filled.names[file].content), name))
    del filled.names[file]
    found = Found(filled)
    assert found.counted == held == len(ALL) - len(found.numbers)


def test_a_damaged_header_costs_nothing(filled: Any) -> None:
    """The name of a segment says the same; nothing more is written to it."""
    file = segment_files(filled)[-1]
    filled.names[file].content[3] ^= 1
    found = Found(filled)
    assert found.numbers == sorted(ALL)
    write(found.spool, len(ALL))
    assert len(segment_files(filled)) > len([one for one in segment_files(filled) if one <= file])


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"x" * 10])
def test_a_newest_segment_without_content_is_no_hindrance(filled: Any, content: bytes) -> None:
    """A power cut left its name and nothing of it."""
    file = str(SegmentName(900, len(ALL)))
    inode = type(filled.names["cursor"])(bytearray(content), len(content))
    filled.names[file] = inode
    found = Found(filled)
    assert found.numbers == sorted(ALL)
    write(found.spool, len(ALL))
    assert found.spool.read() is not None
    assert SegmentName.parse(segment_files(filled)[-1]) == SegmentName(901, len(ALL))


def test_an_empty_newest_segment_behind_a_failed_write_tells_no_loss(filled: Any) -> None:
    """Its name says that ordinals before it were given to a write that failed; what comes next knows that too."""
    filled.names[str(SegmentName(900, len(ALL) + 5, unused=5))] = type(filled.names["cursor"])()
    found = Found(filled)
    write(found.spool, len(ALL))
    rest = found.spool.read()
    assert rest is not None
    assert (found.gaps, rest.losses) == ([], [])
    assert Found(filled.killed()).gaps == []


def test_nothing_is_written_behind_damage(disk: Any) -> None:
    """A newest segment that is damaged in its middle is left as it is; a new one is begun."""
    spool = Spool(disk, ManualClock(), Room(10**9))
    spool.start()
    for start in range(0, 9, IN_GROUP):
        write(spool, start)
    spool.close(clean=True)
    [file] = segment_files(disk)
    name = SegmentName.parse(file)
    assert name is not None
    middle = [record for record in records(bytes(disk.names[file].content), name) if record.count][1]
    disk.names[file].content[middle.end - 1] ^= 1
    before = bytes(disk.names[file].content)
    spool = Spool(disk, ManualClock(), Room(10**9))
    spool.start()
    write(spool, 9)
    assert bytes(disk.names[file].content) == before
    assert len(segment_files(disk)) == 2


def test_the_torn_end_of_the_newest_segment_is_cut(filled: Any) -> None:
    """What a crash left unfinished is gone before anything is written behind it."""
    file = segment_files(filled)[-1]
    whole = len(filled.names[file].content)
    filled.names[file].content += b"\xf5\x9a\x52\x1ehalf a record"
    Found(filled)
    assert len(filled.names[file].content) == whole


def test_a_later_major_format_is_left_alone(filled: Any) -> None:
    """Its files are not read, not counted into the bound, not deleted; the status and the log tell of them."""
    later = str(SegmentName(500, 7, major=2))
    filled.names[later] = type(filled.names["cursor"])(bytearray(b"whatever it means"), 0)
    with capture_logs() as logs:
        found = Found(filled)
    assert found.numbers == sorted(ALL)
    assert found.spool.segments_aside == 1
    assert "spool_of_another_format" in [line["event"] for line in logs]
    write(found.spool, len(ALL))
    found.spool.save(Cursor(found.spool.next_ordinal))
    found.spool.close(clean=True)
    assert set(filled.names) == {"cursor", later}
    assert bytes(filled.names[later].content) == b"whatever it means"


def test_numbers_go_on_behind_those_of_a_later_format(filled: Any) -> None:
    """After an update and back, no name is used twice."""
    filled.names[str(SegmentName(500, 7, major=2))] = type(filled.names["cursor"])()
    for file in segment_files(filled)[:-1]:
        filled.names[file].content[:1] = b"?"
    found = Found(filled)
    found.spool._writer().seal()
    write(found.spool, len(ALL))
    assert SegmentName(501, len(ALL)) in map(SegmentName.parse, filled.names)


def test_other_files_in_the_folder_are_left_alone(filled: Any) -> None:
    """Somebody's notes are neither read nor deleted."""
    filled.names["notes.txt"] = type(filled.names["cursor"])(bytearray(b"do not touch"), 0)
    assert Found(filled).numbers == sorted(ALL)
    assert "notes.txt" in filled.names


def test_a_start_reads_the_newest_segment_only(new_rig: Callable[..., Any]) -> None:
    """Five hundred segments or one: the same bytes are read at the start, and the same operations done."""
    costs = []
    for groups in (5, 500):
        rig = new_rig(segment_bytes=HEADER_BYTES + 1)
        for _ in range(groups):
            write(rig.spool, 0)
        rig.spool.save(Cursor(1))
        rig.spool.close(clean=True)
        rig.disk.bytes_read = 0
        rig.disk.operations.clear()
        spool = Spool(rig.disk, rig.clock, rig.room)
        spool.start()
        costs.append((rig.disk.bytes_read, list(rig.disk.operations)))
        assert len(segment_files(rig.disk)) == groups
    few, many = costs
    assert many[0] <= few[0] + 10
    assert many[1] == few[1]
