from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.frames import RawReply, ReplyFramer

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

AWAITED = 7


def adu(transaction: int, body: bytes = b"\x11\x03\x02\x00\x64") -> bytes:
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


def frames_of(replies: list[ModbusPDU]) -> list[bytes]:
    """The bytes of replies."""
    return [cast("RawReply", reply).frame for reply in replies]


def test_the_awaited_reply_is_handed_over_untouched() -> None:
    """All its bytes, with the ids that pymodbus wants to see."""
    (reply,), left = fed(ReplyFramer(), [adu(AWAITED)])
    assert isinstance(reply, RawReply)
    assert (reply.frame, reply.dev_id, reply.transaction_id, left) == (adu(AWAITED), 17, AWAITED, b"")


@given(st.lists(st.integers(0, 65535).filter(lambda n: n != AWAITED), max_size=6), st.integers(0, 6), st.data())
def test_it_is_found_among_strays_however_the_bytes_are_cut(strays: list[int], at: int, data: st.DataObject) -> None:
    """Merged, split in any places, with other frames before and behind."""
    transactions = [*strays[:at], AWAITED, *strays[at:]]
    stream = b"".join(adu(transaction) for transaction in transactions)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    framer = ReplyFramer()
    replies, left = fed(framer, chunks)
    assert (frames_of(replies), left, framer.is_out_of_step) == ([adu(AWAITED)], b"", False)
    assert framer.stray == (strays[-1] if strays else None)


def test_transaction_zero_is_nobodys_reply() -> None:
    """A device that does not echo the id is not believed, whether or not something is awaited."""
    for awaited in (AWAITED, 0):
        framer = ReplyFramer()
        assert fed(framer, [adu(0)], awaited) == ([], b"")
        assert framer.stray == 0


def test_the_second_of_two_equal_ids_is_a_stray() -> None:
    """Only one reply answers a request."""
    framer = ReplyFramer()
    replies, _ = fed(framer, [adu(AWAITED, b"\x11\x03\x02\x00\x01") + adu(AWAITED, b"\x11\x03\x02\x00\x02")])
    assert [frame[-1] for frame in frames_of(replies)] == [1]
    assert framer.stray == AWAITED


def test_half_a_frame_is_kept_for_what_comes_next() -> None:
    """The beginning of a frame is not used, so pymodbus gives it again."""
    replies, left = fed(ReplyFramer(), [adu(AWAITED)[:10]])
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
        framer = ReplyFramer()
        replies, left = fed(framer, [damaged, adu(AWAITED)])
        assert framer.is_out_of_step
        assert (set(frames_of(replies)), left) == ({b""}, b"")


def test_a_reply_before_the_damage_still_counts() -> None:
    """It came whole and fits; only what follows is in doubt."""
    framer = ReplyFramer()
    replies, _ = fed(framer, [adu(AWAITED) + b"\xff" * 20])
    assert frames_of(replies) == [adu(AWAITED)]
    assert framer.is_out_of_step


def test_damage_while_nothing_is_awaited_wakes_nobody() -> None:
    """It is noticed, and nothing is handed over."""
    framer = ReplyFramer()
    assert fed(framer, [b"\xff" * 20], awaited=0) == ([], b"")
    assert framer.is_out_of_step


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_any_bytes_give_frames_of_the_awaited_id_or_none(chunks: list[bytes]) -> None:
    """No error comes out, and nothing under another id."""
    for frame in frames_of(fed(ReplyFramer(), chunks)[0]):
        assert frame == b"" or (frame[:4] == struct.pack(">HH", AWAITED, 0) and len(frame) >= 8)
