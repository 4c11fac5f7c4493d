"""The cursor file: exact, replaced in one step, and not believed where it is damaged."""

from __future__ import annotations

from random import Random
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.model import Gap
from gateway.outbox.cursor import CURSOR_FILE, Cursor, load, save

ORDINALS = st.integers(0, 2**62)
GAPS = st.builds(
    Gap, st.text(max_size=8), ORDINALS, ORDINALS, st.none() | ORDINALS, st.sampled_from(["spool_full", "crash"])
)
CURSORS = st.builds(
    Cursor,
    ORDINALS,
    ORDINALS,
    st.lists(GAPS, max_size=3).map(tuple),
    st.lists(st.tuples(ORDINALS, ORDINALS), max_size=3).map(tuple),
)
FULL = Cursor(12, 40, (Gap("press-12", 5, 6, None, "crash"),), ((14, 20), (30, 31)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=CURSORS)
def test_a_cursor_comes_back_as_it_was(disk: Any, cursor: Cursor) -> None:
    """Ordinals, gaps and ranges, exactly."""
    save(disk, cursor)
    assert load(disk) == cursor


def test_without_a_file_there_is_no_cursor(disk: Any) -> None:
    """A new spool begins at its beginning."""
    assert load(disk) is None


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_cursor_is_not_believed(disk: Any, seed: int) -> None:
    """One flipped bit anywhere: none rather than a wrong one."""
    save(disk, FULL)
    content = disk.names[CURSOR_FILE].content
    bit = Random(seed).randrange(8 * len(content))  # noqa: S311 - chance for a test, no secret
    content[bit // 8] ^= 1 << bit % 8
    assert load(disk) is None


def test_a_cursor_that_was_cut_is_not_believed(disk: Any) -> None:
    """At any length."""
    save(disk, FULL)
    content = disk.names[CURSOR_FILE].content
    while content:
        del content[-1]
        assert load(disk) is None


def test_a_crash_leaves_the_old_cursor_or_the_new(disk: Any, power_cut_error: type[Exception]) -> None:
    """At each operation, and whatever of it reached the disk: never neither."""
    save(disk, FULL)
    for moment in ("create", "create done", "write", "write done", "sync", "rename", "rename done", "sync_folder"):
        for seed in range(8):

            def fault(operation: str, _name: str, moment: str = moment) -> None:
                if operation == moment:
                    raise power_cut_error(moment)

            struck = disk.killed()
            struck.fault = fault
            with pytest.raises(power_cut_error):
                save(struck, Cursor(13))
            after = struck.power_cut(Random(seed))  # noqa: S311 - chance for a test, no secret
            assert load(after) in (FULL, Cursor(13))


def test_once_saved_it_survives_a_power_cut(disk: Any) -> None:
    """Whatever else is lost."""
    save(disk, FULL)
    save(disk, Cursor(13))
    for seed in range(20):
        assert load(disk.power_cut(Random(seed))) == Cursor(13)  # noqa: S311 - chance for a test, no secret


def test_what_a_crash_left_of_a_try_is_no_hindrance(disk: Any) -> None:
    """A half-written next cursor is begun anew."""
    disk.create("cursor.next").write(b"half")
    save(disk, FULL)
    assert load(disk) == FULL
    assert set(disk.sizes()) == {"cursor"}


def test_the_order_of_work_is_write_sync_rename_sync(disk: Any) -> None:
    """The name moves only to content that is on the disk."""
    save(disk, FULL)
    done = [operation for operation in disk.operations if not operation.endswith("done")]
    assert done == ["create", "write", "sync", "rename", "sync_folder"]


def test_the_bytes_are_counted(disk: Any) -> None:
    """What a cursor costs the card is told."""
    assert save(disk, FULL) == disk.sizes()["cursor"]


def test_a_field_of_a_later_release_is_passed_over(disk: Any) -> None:
    """A cursor with one more field at its end is read as far as it is known."""
    save(disk, Cursor(5, 6))
    content = disk.names[CURSOR_FILE].content
    payload = b"\x95\x05\x06\x90\x90\xc3"
    assert bytes(content[12:]) == b"\x94\x05\x06\x90\x90"
    content[8:] = crc32(payload).to_bytes(4, "big") + payload
    assert load(disk) == Cursor(5, 6)


def test_another_record_with_a_right_sum_is_not_believed(disk: Any) -> None:
    """Something that is whole but no cursor is none."""
    save(disk, Cursor(5, 6))
    payload = b"\xa3abc"
    disk.names[CURSOR_FILE].content[8:] = crc32(payload).to_bytes(4, "big") + payload
    assert load(disk) is None
