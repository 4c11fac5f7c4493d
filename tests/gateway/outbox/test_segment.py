"""The bytes of a segment: names, header, frames, and how far damage reaches."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.outbox.segment import (
    FRAME_BYTES,
    HEADER_BYTES,
    Kind,
    Record,
    SegmentName,
    frame,
    header,
    header_is_intact,
    records,
)

NAME = SegmentName(7, 1000)
TIME = 1_795_515_300_250_000_000


def segment(payloads: list[bytes], name: SegmentName = NAME) -> bytes:
    """A segment of groups of two entries each."""
    data = header(name, TIME)
    for position, payload in enumerate(payloads):
        data += frame(name, len(data), (Kind.GROUP, name.base + 2 * position, 2, payload))
    return data


def payloads_of(data: bytes, offset: int = 0) -> list[bytes]:
    """What can be read."""
    return [record.payload for record in records(data, NAME, offset)]


def test_a_segment_gives_back_its_records() -> None:
    """Kind, ordinals, payload and place of each record, in order."""
    data = header(NAME, TIME)
    data += frame(NAME, len(data), (Kind.PLAN, 1000, 0, b"plan"))
    data += frame(NAME, len(data), (Kind.GROUP, 1000, 3, b"group"))
    plan_end = HEADER_BYTES + FRAME_BYTES + 4
    plan, group = records(data, NAME)
    assert plan == Record(Kind.PLAN, 1000, 0, b"plan", plan_end)
    assert group == Record(Kind.GROUP, 1000, 3, b"group", len(data))
    assert (plan.start, group.start) == (HEADER_BYTES, plan_end)


def test_the_layout_is_the_one_that_is_written_down() -> None:
    """Byte by byte as the room's README shows it: a release reads what the one before it wrote."""
    data = header(SegmentName(1, 5, 3), 7) + frame(SegmentName(1, 5, 3), HEADER_BYTES, (Kind.GROUP, 5, 1, b"\xaa\xbb"))
    assert data.hex(" ") == (
        "89 45 44 47 45 53 50 0a 00 01 00 00 "
        "00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 05 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00 07 "
        "4d f9 27 19 "
        "f5 9a 52 1e 02 00 00 00 00 00 00 02 00 00 00 00 00 00 00 05 00 00 00 01 4f d7 e8 2e aa bb"
    )


@pytest.mark.parametrize(
    ("file_name", "name"),
    [
        ("00000042-000000004711-0.v1.spool", SegmentName(42, 4711)),
        ("00000042-000000004711-16.v1.spool", SegmentName(42, 4711, 16)),
        ("123456789-1234567890123-0.v12.spool", SegmentName(123456789, 1234567890123, 0, 12)),
        ("00000042-000000004711-0.v01.spool", None),
        ("0000000042-000000004711-0.v1.spool", None),
        ("00000042-000000004711-00.v1.spool", None),
        ("42-4711-0.v1.spool", None),
        ("00000042-000000004711-0.v1.spool.bak", None),
        ("cursor", None),
    ],
)
def test_a_file_name_tells_number_ordinal_and_format(file_name: str, name: SegmentName | None) -> None:
    """Only a name that this format would write itself is one; a copy made by hand is not read."""
    assert SegmentName.parse(file_name) == name
    assert name is None or str(name) == file_name


def test_segments_sort_by_number() -> None:
    """Later segments are larger, also when their numbers outgrow eight digits."""
    names = [SegmentName(99_999_999, 5), SegmentName(100_000_000, 5), SegmentName(1, 900)]
    assert sorted(names) == [names[2], names[0], names[1]]


def test_a_piece_is_read_by_its_offset() -> None:
    """What was added to a segment is read without what stands before."""
    data = segment([b"one", b"two", b"three"])
    start = next(record.end for record in records(data, NAME))
    assert payloads_of(data[start:], start) == [b"two", b"three"]


def test_bytes_at_another_place_are_no_record() -> None:
    """A frame is bound to its segment and offset: stale blocks of another file never pass for rows."""
    data = segment([b"one", b"two"])
    assert payloads_of(data) == [b"one", b"two"]
    assert list(records(data, SegmentName(8, 1000))) == []
    assert payloads_of(data[:HEADER_BYTES] + b"x" + data[HEADER_BYTES:]) == []


def test_a_record_inside_a_record_is_not_read() -> None:
    """A text value that looks like a record stays a value, also where the record around it is damaged."""
    data = bytearray(segment([frame(NAME, 0, (Kind.GROUP, 5000, 1, b"copied")), b"two"]))
    assert len(payloads_of(bytes(data))) == 2
    data[HEADER_BYTES + 8] ^= 1
    assert payloads_of(bytes(data)) == [b"two"]


@pytest.mark.parametrize("cut", range(HEADER_BYTES + 3 * FRAME_BYTES + 11 + 1))
def test_cut_anywhere_the_whole_records_are_read(cut: int) -> None:
    """A torn end costs the record that it tore, no other."""
    data = segment([b"one", b"two", b"three"])
    ends = [record.end for record in records(data, NAME)]
    assert payloads_of(data[:cut]) == [b"one", b"two", b"three"][: sum(end <= cut for end in ends)]


@pytest.mark.parametrize("seed", range(50))
def test_a_flipped_bit_costs_one_record(seed: int) -> None:
    """Wherever one bit flips, in a frame's length or magic as well, the records beside it are read."""
    random = Random(seed)  # noqa: S311 - chance for a test, no secret
    payloads = [random.randbytes(random.randint(0, 40)) for _ in range(6)]
    data = bytearray(segment(payloads))
    bit = random.randrange(8 * len(data))
    data[bit // 8] ^= 1 << bit % 8
    ends = [HEADER_BYTES, *(record.end for record in records(segment(payloads), NAME))]
    hit = sum(end <= bit // 8 for end in ends) - 1
    expected = [payload for position, payload in enumerate(payloads) if position != hit]
    assert payloads_of(bytes(data)) == expected


@given(st.binary(max_size=300))
def test_noise_holds_no_record(noise: bytes) -> None:
    """Whatever lies in a file, reading it ends, and finds nothing that was not written."""
    assert payloads_of(noise) == []
    assert payloads_of(segment([b"one"]) + noise) == [b"one"]


def test_the_name_says_what_was_kept_before() -> None:
    """Ordinals between the two were given to a write that failed; nothing was lost with them."""
    assert SegmentName(7, 1000, 20).follows == 980
    assert NAME.follows == NAME.base


@pytest.mark.parametrize("position", range(HEADER_BYTES))
def test_a_damaged_header_is_seen(position: int) -> None:
    """Nothing is written behind what may be anybody's file."""
    data = bytearray(header(NAME, TIME))
    assert header_is_intact(bytes(data), NAME)
    data[position] ^= 0x10
    assert not header_is_intact(bytes(data), NAME)


@pytest.mark.parametrize("name", [SegmentName(8, 1000), SegmentName(7, 1001), SegmentName(7, 1000, 1)])
def test_the_header_of_another_segment_is_seen(name: SegmentName) -> None:
    """A file that somebody renamed is not written to."""
    assert not header_is_intact(header(NAME, TIME), name)
    assert not header_is_intact(header(NAME, TIME)[:10], NAME)


def test_an_empty_segment_holds_nothing() -> None:
    """A file that a crash left without content is a segment without records."""
    assert payloads_of(b"") == []
    assert payloads_of(header(NAME, TIME)) == []
