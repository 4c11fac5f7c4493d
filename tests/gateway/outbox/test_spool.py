"""What any spool must do, over a real folder and over the disk in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gateway.model import Batch, Gap, Plan, Quality, Tag
from gateway.outbox.cursor import Cursor
from gateway.outbox.entry import Entry
from gateway.outbox.files import Folder
from gateway.outbox.room import Room
from gateway.outbox.segment import SegmentName
from gateway.outbox.spool import Spool, SpoolError
from gateway.testing import ManualClock, sample_batch, sample_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from gateway.outbox.files import Files

LARGE = 1_000_000_000
RUN = "000001-8c1f9a3e"


@pytest.fixture(params=["folder", "disk in memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path, disk: Any) -> Files:
    """Where the spool lies."""
    layer: Files = Folder(tmp_path / "spool") if request.param == "folder" else disk
    return layer


@pytest.fixture
def new_spool(files: Files, clock: ManualClock) -> Callable[..., Spool]:
    """Opens the same spool again and again, as one process after the other would."""

    def start(segment_bytes: int = 4_000_000) -> Spool:
        spool = Spool(files, clock, Room(LARGE, segment_bytes=segment_bytes))
        spool.start()
        return spool

    return start


def batches(numbers: Iterable[int], device: str = "press-12") -> list[Entry]:
    """Batches of three tags, named by these numbers."""
    plan = sample_plan(device)
    rows: list[list[Any]] = [[number / 7, number % 2 == 0, number] for number in numbers]
    return [Entry(device, RUN, row[2], sample_batch(plan, row), history=False) for row in rows]


def write(spool: Spool, numbers: Iterable[int], device: str = "press-12") -> int:
    """Write batches as one group."""
    return spool.write([spool.encode(batches(numbers, device))])


def read_all(spool: Spool) -> list[tuple[int, Entry]]:
    """All that can be read, with ordinals."""
    found: list[tuple[int, Entry]] = []
    while loaded := spool.read():
        assert loaded.losses == []
        found += loaded.entries
    return found


def numbers(found: list[tuple[int, Entry]]) -> list[int]:
    """The numbers of the batches."""
    return [entry.seq for _, entry in found]


def test_what_is_written_is_read(new_spool: Callable[..., Spool]) -> None:
    """In order, with ordinals that count on, and every batch as it was put."""
    spool = new_spool()
    assert write(spool, range(5)) == 0
    assert write(spool, range(5, 8)) == 5
    found = read_all(spool)
    assert [ordinal for ordinal, _ in found] == list(range(8))
    assert [entry.item for _, entry in found] == [entry.item for entry in batches(range(8))]


def test_an_empty_spool_gives_nothing(new_spool: Callable[..., Spool]) -> None:
    """And begins at zero."""
    spool = new_spool()
    assert spool.read() is None
    assert (spool.first_ordinal, spool.next_ordinal, spool.bytes_on_disk, spool.failure) == (0, 0, 0, None)


def test_what_is_written_later_is_read_later(new_spool: Callable[..., Spool]) -> None:
    """Reading goes on where it stopped, in the segment that is written to as well."""
    spool = new_spool()
    write(spool, range(3))
    assert numbers(read_all(spool)) == [0, 1, 2]
    assert spool.read() is None
    write(spool, range(3, 6))
    assert numbers(read_all(spool)) == [3, 4, 5]


def test_several_groups_go_in_one_write(new_spool: Callable[..., Spool]) -> None:
    """Each is read as one stretch."""
    spool = new_spool()
    groups = [spool.encode(batches(range(start, start + 2))) for start in (0, 2, 4)]
    assert spool.write(groups) == 0
    stretches = [spool.read() for _ in range(3)]
    assert [stretch.end for stretch in stretches if stretch] == [2, 4, 6]


def test_a_full_segment_is_closed(new_spool: Callable[..., Spool], files: Files) -> None:
    """A new one begins, and reading goes from one to the next."""
    spool = new_spool(segment_bytes=600)
    for start in range(0, 30, 3):
        write(spool, range(start, start + 3))
    assert numbers(read_all(spool)) == list(range(30))
    names = sorted(name for name in map(SegmentName.parse, files.sizes()) if name)
    assert len(names) > 2
    assert all(files.sizes()[str(name)] <= 600 for name in names)
    assert [name.number for name in names] == list(range(1, len(names) + 1))
    assert spool.bytes_on_disk == sum(files.sizes()[str(name)] for name in names)


def test_the_next_process_reads_all_that_is_not_settled(new_spool: Callable[..., Spool]) -> None:
    """And writes behind it."""
    spool = new_spool(segment_bytes=600)
    write(spool, range(10))
    spool.close(clean=True)
    spool = new_spool(segment_bytes=600)
    write(spool, range(10, 12))
    assert numbers(read_all(spool)) == list(range(12))


def test_the_next_process_goes_on_in_the_same_segment(new_spool: Callable[..., Spool], files: Files) -> None:
    """A gateway that restarts every few seconds leaves no heap of small files."""
    for start in range(0, 50, 2):
        spool = new_spool()
        write(spool, range(start, start + 2))
        spool.close(clean=True)
    assert len([name for name in files.sizes() if name.endswith(".spool")]) == 1
    assert numbers(read_all(new_spool())) == list(range(50))


def test_the_cursor_is_where_the_next_process_begins(new_spool: Callable[..., Spool]) -> None:
    """In the middle of a group as well."""
    spool = new_spool()
    write(spool, range(5))
    write(spool, range(5, 10))
    spool.save(Cursor(7))
    spool.close(clean=True)
    spool = new_spool()
    assert spool.first_ordinal == 7
    assert numbers(read_all(spool)) == [7, 8, 9]


def test_the_cursor_never_goes_back(new_spool: Callable[..., Spool]) -> None:
    """Somebody who has read nothing yet does not undo what was settled."""
    spool = new_spool()
    write(spool, range(5))
    spool.save(Cursor(4))
    spool.save(Cursor(0))
    assert spool.first_ordinal == 4
    spool.close(clean=True)
    assert numbers(read_all(new_spool())) == [4]


def test_gaps_and_settled_ranges_are_handed_on(new_spool: Callable[..., Spool]) -> None:
    """To the next process, once."""
    gaps, settled = (Gap("press-12", 1, 2, 3, "spool_full"),), ((3, 5),)
    spool = new_spool()
    write(spool, range(6))
    spool.save(Cursor(1, gaps=gaps, settled=settled))
    spool.close(clean=True)
    spool = new_spool()
    found = spool.take_found()
    assert found is not None
    assert (found.ordinal, found.kept, found.gaps, found.settled) == (1, 6, gaps, settled)
    assert spool.take_found() is None


def test_segments_that_are_settled_are_deleted(new_spool: Callable[..., Spool], files: Files) -> None:
    """Whole ones; the one that is written to stays until the end."""
    spool = new_spool(segment_bytes=400)
    for start in range(0, 12, 3):
        write(spool, range(start, start + 3))
    before = len(files.sizes())
    spool.save(Cursor(7))
    assert len(files.sizes()) == before - 2 + 1
    assert numbers(read_all(spool)) == list(range(7, 12))
    spool.save(Cursor(12))
    assert len([name for name in files.sizes() if name.endswith(".spool")]) == 1
    spool.close(clean=True)
    assert set(files.sizes()) == {"cursor"}
    assert spool.bytes_on_disk == 0


def test_settled_segments_that_a_crash_left_are_deleted_at_the_start(clock: ManualClock, disk: Any) -> None:
    """The cursor had moved, the machine stopped before the files were gone."""
    spool = Spool(disk, clock, Room(LARGE, segment_bytes=400))
    spool.start()
    for start in range(0, 12, 3):
        write(spool, range(start, start + 3))
    disk.fault = lambda operation, _name: (_ for _ in ()).throw(OSError(5, "")) if operation == "unlink" else None
    spool.save(Cursor(8))
    after = disk.killed()
    assert len(after.names) == 4 + 2
    spool = Spool(after, clock, Room(LARGE, segment_bytes=400))
    spool.start()
    assert len(after.names) == 2 + 2
    assert numbers(read_all(spool)) == [8, 9, 10, 11]


def test_the_cursor_moves_before_a_segment_is_deleted(clock: ManualClock, disk: Any) -> None:
    """Move, sync, then delete: a crash in between costs nothing."""
    spool = Spool(disk, clock, Room(LARGE, segment_bytes=400))
    spool.start()
    write(spool, range(3))
    write(spool, range(3, 6))
    disk.operations.clear()
    spool.save(Cursor(6))
    done = [operation for operation in disk.operations if not operation.endswith("done")]
    assert done == ["create", "write", "sync", "rename", "sync_folder", "unlink"]


def test_a_group_is_one_write_and_one_sync(clock: ManualClock, disk: Any) -> None:
    """Whatever the number of devices; the name of a new segment is synced with its first group only."""
    spool = Spool(disk, clock, Room(LARGE))
    spool.start()
    many = [entry for at in range(20) for entry in batches(range(3), f"device{at}")]
    disk.operations.clear()
    spool.write([spool.encode(many)])
    spool.write([spool.encode(many)])
    done = [operation for operation in disk.operations if not operation.endswith("done")]
    assert done == ["create", "write", "sync", "sync_folder", "write", "sync"]


def test_a_plan_is_written_once_a_segment(new_spool: Callable[..., Spool], files: Files) -> None:
    """Later groups need only their values; each segment can be read alone."""
    tags = tuple(Tag(f"tag{at}", f"holding:{at * 37}", "float32", description=f"a long text {at}") for at in range(60))
    plan = Plan("meter", tags)
    spool = new_spool(segment_bytes=6000)
    sizes = []
    for number in range(12):
        values: list[Any] = [float(number)] * 60
        batch = Batch(plan, values, [Quality.GOOD] * 60, ManualClock().now())
        spool.write([spool.encode([Entry("meter", RUN, number, batch, history=False)])])
        sizes.append(spool.bytes_on_disk)
    growth = [behind - before for before, behind in zip([0, *sizes], sizes, strict=False)]
    assert growth[0] > 3 * growth[1]
    first = min(name for name in files.sizes() if name.endswith(".spool"))
    spool.close(clean=True)
    files.unlink(first)
    assert all(entry.item.plan == plan for _, entry in read_lossy(new_spool()) if isinstance(entry.item, Batch))


def read_lossy(spool: Spool) -> list[tuple[int, Entry]]:
    """All that can be read, whatever is lost."""
    found: list[tuple[int, Entry]] = []
    while loaded := spool.read():
        found += loaded.entries
    return found


def test_after_an_orderly_end_there_is_no_gap(new_spool: Callable[..., Spool], files: Files) -> None:
    """The mark of a running gateway is there while it runs, and gone behind it."""
    spool = new_spool()
    assert "running" in files.sizes()
    spool.close(clean=True)
    assert "running" not in files.sizes()
    found = new_spool().take_found()
    assert found is not None
    assert found.gaps == ()


def test_after_a_crash_there_is_a_gap_from_the_last_time_known(
    new_spool: Callable[..., Spool], clock: ManualClock
) -> None:
    """Nobody knows how many, nor of which devices; the newest record tells since when."""
    spool = new_spool()
    clock.advance(100)
    entry = Entry("press-12", RUN, 1, sample_batch(sample_plan(), [1.0, True, 1], clock.now()), history=False)
    last = clock.time_ns
    spool.write([spool.encode([entry])])
    clock.advance(50)
    found = new_spool().take_found()
    assert found is not None
    assert found.gaps == (Gap("*", last, clock.time_ns, None, "crash"),)


def test_a_gateway_that_only_ran_tells_when_it_was_last_seen(
    new_spool: Callable[..., Spool], clock: ManualClock
) -> None:
    """Where nothing was written, the mark's own time counts, which moves on now and then."""
    spool = new_spool()
    clock.advance(3600)
    spool.touch()
    last = clock.time_ns
    clock.advance(200)
    found = new_spool().take_found()
    assert found is not None
    assert found.gaps == (Gap("*", last, clock.time_ns, None, "crash"),)


def test_a_clock_that_went_back_makes_no_gap_that_ends_before_it_begins(
    new_spool: Callable[..., Spool], clock: ManualClock
) -> None:
    """A board without a clock starts in the past."""
    new_spool()
    clock.step(-86_400)
    found = new_spool().take_found()
    assert found is not None
    [gap] = found.gaps
    assert gap.start == gap.end == clock.time_ns


def test_an_unclean_close_leaves_the_mark(new_spool: Callable[..., Spool], files: Files) -> None:
    """What could not be brought to disk is told by the next start."""
    new_spool().close(clean=False)
    assert "running" in files.sizes()


def test_closing_twice_does_nothing(new_spool: Callable[..., Spool]) -> None:
    """Nor does closing a spool that never opened."""
    spool = new_spool()
    spool.close(clean=True)
    spool.close(clean=True)


def test_ordinals_go_on_when_all_was_settled_and_deleted(new_spool: Callable[..., Spool]) -> None:
    """An ordinal is used once in the life of a spool."""
    spool = new_spool()
    write(spool, range(5))
    spool.save(Cursor(5))
    spool.close(clean=True)
    spool = new_spool()
    assert write(spool, range(5, 7)) == 5
    assert read_all(spool)[0][0] == 5


def test_two_gateways_never_share_a_spool(tmp_path: Path, clock: ManualClock) -> None:
    """The second one runs in memory and says why; when the first has ended, it takes the spool over."""
    first = Spool.open(tmp_path / "spool", clock, Room(LARGE))
    write(first, range(3))
    second = Spool.open(tmp_path / "spool", clock, Room(LARGE))
    assert second.failure is not None
    assert second.failure.cause == (
        f"the spool in {tmp_path}/spool cannot be opened: "
        "another gateway works on it; give this one a state folder of its own"
    )
    with pytest.raises(SpoolError):
        write(second, range(3, 5))
    first.close(clean=True)
    clock.advance(31)
    write(second, range(3, 5))
    assert [entry.seq for _, entry in read_all(second)] == [0, 1, 2, 3, 4]
    second.close(clean=True)
