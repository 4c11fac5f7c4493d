from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.counts import LinkCounts
from drivers.modbus.frames import ReplyFramer
from drivers.modbus.question import RawReply

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

AWAITED = 7


BODY = b"\x11\x03\x02\x00\x64"
"""Unit 17, function 3, two bytes: 100."""


def adu(transaction: int, body: bytes = BODY) -> bytes:
    """A frame with a right head."""
    return struct.pack(">HHH", transaction, 0, len(body)) + body


def fed(framer: ReplyFramer, chunks: list[bytes], awaited: int = AWAITED) -> tuple[list[ModbusPDU], bytes]:
    """What the framer hands over while chunks arrive as pymodbus gives them, and what is left."""
    replies, waiting = [], b""
    for chunk in chunks:
        waiting += chunk
        used, reply = framer.handleFrame(waiting, 17, awaited)
        waiting = waiting[used:]
        if reply is not None:
            replies.append(reply)
    return replies, waiting


def bodies_of(replies: list[ModbusPDU]) -> list[bytes]:
    """Unit and PDU of replies; nothing where one says that what came is no frame."""
    return [bytes([reply.unit_id]) + reply.pdu if reply.pdu else b"" for reply in cast("list[RawReply]", replies)]


def test_the_awaited_reply_is_handed_over_untouched() -> None:
    """Its unit and its PDU, with the ids that pymodbus wants to see."""
    (reply,), left = fed(ReplyFramer(LinkCounts()), [adu(AWAITED)])
    assert isinstance(reply, RawReply)
    assert (reply.unit_id, reply.pdu, left) == (0x11, b"\x03\x02\x00\x64", b"")
    assert (reply.dev_id, reply.transaction_id) == (17, AWAITED)


@given(st.lists(st.integers(0, 65535).filter(lambda n: n != AWAITED), max_size=6), st.integers(0, 6), st.data())
def test_it_is_found_among_strays_however_the_bytes_are_cut(strays: list[int], at: int, data: st.DataObject) -> None:
    """Merged, split in any places, with other frames before and behind."""
    transactions = [*strays[:at], AWAITED, *strays[at:]]
    stream = b"".join(adu(transaction) for transaction in transactions)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    counts = LinkCounts()
    framer = ReplyFramer(counts)
    replies, left = fed(framer, chunks)
    assert (bodies_of(replies), left, framer.is_out_of_step) == ([BODY], b"", False)
    assert framer.stray == (strays[-1] if strays else None)
    assert counts.stray_frames == len(strays)


def test_transaction_zero_is_nobodys_reply() -> None:
    """A device that does not echo the id is not believed, whether or not something is awaited."""
    for awaited in (AWAITED, 0):
        framer = ReplyFramer(LinkCounts())
        assert fed(framer, [adu(0)], awaited) == ([], b"")
        assert framer.stray == 0


def test_the_second_of_two_equal_ids_is_a_stray() -> None:
    """Only one reply answers a request."""
    framer = ReplyFramer(LinkCounts())
    replies, _ = fed(framer, [adu(AWAITED, b"\x11\x03\x02\x00\x01") + adu(AWAITED, b"\x11\x03\x02\x00\x02")])
    assert [body[-1] for body in bodies_of(replies)] == [1]
    assert framer.stray == AWAITED


def test_half_a_frame_is_kept_for_what_comes_next() -> None:
    """The beginning of a frame is not used, so pymodbus gives it again."""
    replies, left = fed(ReplyFramer(LinkCounts()), [adu(AWAITED)[:10]])
    assert (replies, left) == ([], adu(AWAITED)[:10])


def test_what_is_no_frame_ends_all_trust() -> None:
    """Protocol id and length betray it; whoever waits is woken, and a right frame behind it counts no more."""
    for damaged in (
        struct.pack(">HHH", AWAITED, 1, 5),
        struct.pack(">HHH", AWAITED, 0, 0),
        struct.pack(">HHH", AWAITED, 0, 1),
        struct.pack(">HHH", AWAITED, 0, 255),
        b"HTTP/1.1 400 Bad Request\r\n",
    ):
        framer = ReplyFramer(LinkCounts())
        replies, left = fed(framer, [damaged, adu(AWAITED)])
        assert framer.is_out_of_step
        assert (set(bodies_of(replies)), left) == ({b""}, b"")


def test_a_reply_before_the_damage_still_counts() -> None:
    """It came whole and fits; only what follows is in doubt."""
    framer = ReplyFramer(LinkCounts())
    replies, _ = fed(framer, [adu(AWAITED) + b"\xff" * 20])
    assert bodies_of(replies) == [BODY]
    assert framer.is_out_of_step


def test_damage_while_nothing_is_awaited_wakes_nobody() -> None:
    """It is noticed, and nothing is handed over."""
    framer = ReplyFramer(LinkCounts())
    assert fed(framer, [b"\xff" * 20], awaited=0) == ([], b"")
    assert framer.is_out_of_step


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_give_frames_of_the_awaited_id_or_none(chunks: list[bytes]) -> None:
    """No error comes out, and nothing under another id."""
    stream = b"".join(chunks)
    for body in bodies_of(fed(ReplyFramer(LinkCounts()), chunks)[0]):
        assert body == b"" or (adu(AWAITED, body) in stream and len(body) >= 2)
