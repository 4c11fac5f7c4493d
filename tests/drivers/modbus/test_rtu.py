from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.counts import LinkCounts
from drivers.modbus.question import Question, RawReply, RawRequest
from drivers.modbus.rtu import RtuFramer, reply_bytes
from tests.drivers.modbus.bus_units import rtu

if TYPE_CHECKING:
    from pymodbus.pdu import ModbusPDU

QUESTION = Question(17, bytes.fromhex("03 006B 0003"), 1.0, "three registers")
ANSWER = bytes.fromhex("11 03 06 AE41 5652 4340 49AD")
"""The standard's own example of function 3 (Application Protocol V1.1b3, section 6.3), with its CRC for unit 17."""


async def found(chunks: list[bytes], question: Question | None = QUESTION, *, echo: bool = False) -> list[RawReply]:
    """What the framer hands over while chunks arrive."""
    return (await fed(chunks, question, echo=echo))[0]


async def fed(
    chunks: list[bytes], question: Question | None = QUESTION, *, echo: bool = False
) -> tuple[list[RawReply], LinkCounts]:
    """What the framer hands over while chunks arrive, and what it counted."""
    counts = LinkCounts()
    framer = RtuFramer(counts, discards_echo=echo)
    framer.expect(question)
    if question is not None:
        framer.buildFrame(RawRequest(question))
    replies: list[ModbusPDU | None] = []
    for chunk in chunks:
        used, reply = framer.handleFrame(chunk, 17, 0)
        assert used == len(chunk)
        replies.append(reply)
    framer.expect(None)
    return [cast("RawReply", reply) for reply in replies if reply is not None], counts


async def test_the_standards_example_is_understood() -> None:
    """Bytes typed from the standard, and the CRC as every Modbus tool shows it."""
    (reply,) = await found([ANSWER])
    assert (reply.unit_id, reply.pdu) == (17, bytes.fromhex("03 06 AE41 5652 4340"))


@pytest.mark.parametrize("noise", [b"", b"\x00", b"\xff\xf0"])
@pytest.mark.parametrize("cut", range(9, 14))
async def test_data_that_look_like_a_frame_do_not_end_an_answer(noise: bytes, cut: int) -> None:
    """A register pair that reads like an exception of unit 5, with its CRC, arrives before the rest of the answer."""
    inner = rtu(5, bytes.fromhex("8302"))
    question = Question(17, bytes.fromhex("03 006B 0005"), 1.0, "five registers")
    answer = rtu(17, bytes.fromhex("03 0A 0001") + inner + bytes(3))
    (reply,) = await found([noise + answer[:cut], answer[cut:]], question)
    assert reply.pdu == answer[1:-2]


async def test_an_answer_whose_second_byte_begins_like_itself_is_whole() -> None:
    """One coil of unit 1 that is on: 01 01 01 01, in which the head of the answer stands twice."""
    question = Question(1, bytes.fromhex("01 001F 0001"), 1.0, "a coil")
    (reply,) = await found([rtu(1, bytes.fromhex("01 01 01"))], question)
    assert reply.pdu == bytes.fromhex("01 01 01")


async def test_what_goes_out_is_the_standards_frame() -> None:
    """Unit 17, function 3, CRC with the low byte first."""
    assert RtuFramer(LinkCounts(), discards_echo=False).buildFrame(RawRequest(QUESTION)) == bytes.fromhex(
        "11 03 006B 0003 7687"
    )


@pytest.mark.parametrize(
    ("request_pdu", "length"),
    [
        ("01 0013 0013", 8),
        ("02 00C4 0016", 8),
        ("03 006B 0003", 11),
        ("04 0008 0001", 7),
        ("05 00AC FF00", 8),
        ("06 0001 0003", 8),
        ("0F 0013 000A 02 CD01", 8),
        ("10 0001 0002 04 000A 0102", 8),
        ("16 0004 00F2 0025", 10),
        ("17 0003 0006 000E 0003 06 00FF 00FF 00FF", 17),
        ("2B 0E 01 00", None),
    ],
)
def test_the_length_of_an_answer_is_known_from_its_request(request_pdu: str, length: int | None) -> None:
    """The requests of the standard's own examples, and the lengths of their answers with unit and CRC."""
    assert reply_bytes(bytes.fromhex(request_pdu)) == length


@pytest.mark.parametrize(
    "frame",
    [
        rtu(18, bytes.fromhex("03 06 AE41 5652 4340")),
        rtu(17, bytes.fromhex("04 06 AE41 5652 4340")),
        rtu(17, bytes.fromhex("03 04 AE41 5652")),
        rtu(17, bytes.fromhex("03 08 AE41 5652 4340 0000")),
        rtu(17, bytes.fromhex("84 02")),
    ],
)
async def test_another_units_or_another_questions_answer_is_passed_over(frame: bytes) -> None:
    """Unit, function and number of bytes must all be right; the right answer behind it is found."""
    replies, counts = await fed([frame, ANSWER])
    assert [reply.pdu for reply in replies] == [ANSWER[1:-2]]
    assert counts.stray_frames == 1


async def test_an_exception_of_the_asked_function_is_an_answer() -> None:
    """Function 131, code 2."""
    (reply,) = await found([rtu(17, bytes.fromhex("83 02"))])
    assert reply.pdu == bytes.fromhex("83 02")


async def test_the_answer_to_an_unknown_function_ends_where_all_ends() -> None:
    """Device identification has no length of its own; the CRC over all that came decides."""
    question = Question(17, bytes.fromhex("2B 0E 01 00"), 1.0, "identification")
    answer = rtu(17, bytes.fromhex("2B 0E 01 01 00 00 01 00 04") + b"ACME")
    (reply,) = await found([answer[:7], answer[7:]], question)
    assert reply.pdu == answer[1:-2]


async def test_what_comes_unasked_is_counted() -> None:
    """Whole frames and bytes that belong to none."""
    replies, counts = await fed([ANSWER, b"\x00\x01\x02", ANSWER], question=None)
    assert (replies, counts.stray_frames, counts.garbage_bytes) == ([], 2, 3)


async def test_an_echo_that_looks_like_an_answer_is_none() -> None:
    """A request for 24 coils at 768: its bytes read as an answer with three bytes of data."""
    question = Question(1, bytes.fromhex("01 0300 0018"), 1.0, "24 coils")
    echo = RtuFramer(LinkCounts(), discards_echo=False).buildFrame(RawRequest(question))
    answer = rtu(1, bytes.fromhex("01 03 AABBCC"))
    assert [reply.pdu for reply in await found([echo, answer], question)] == [answer[1:-2]]
    assert [reply.pdu for reply in await found([echo + answer], question, echo=True)] == [answer[1:-2]]


async def test_the_answer_to_a_write_is_its_echo() -> None:
    """The same bytes as the request; with an adapter that echoes, only the second time."""
    question = Question(17, bytes.fromhex("06 0001 0003"), 1.0, "a write")
    frame = rtu(17, question.pdu)
    assert [reply.pdu for reply in await found([frame], question)] == [question.pdu]
    assert await found([frame], question, echo=True) == []
    assert [reply.pdu for reply in await found([frame + frame], question, echo=True)] == [question.pdu]


@given(st.binary(max_size=60), st.binary(max_size=60), st.data())
async def test_it_is_found_between_any_bytes(before: bytes, after: bytes, data: st.DataObject) -> None:
    """Whatever surrounds it, and however all is cut."""
    stream = before + ANSWER + after
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    assert ANSWER[1:-2] in [reply.pdu for reply in await found(chunks)]


@given(st.lists(st.binary(max_size=300), max_size=6))
async def test_no_bytes_give_another_answer_than_a_right_frame(chunks: list[bytes]) -> None:
    """No error comes out, and only what has the right head, length and CRC."""
    stream = b"".join(chunks)
    for reply in await found(chunks):
        assert reply.unit_id == 17
        assert rtu(17, reply.pdu) in stream
        assert reply.pdu[:2] == bytes.fromhex("03 06") or reply.pdu[0] == 0x83


async def test_a_chattering_line_takes_no_memory() -> None:
    """Only as much is kept as one frame can have."""
    counts = LinkCounts()
    framer = RtuFramer(counts, discards_echo=False)
    framer.expect(QUESTION)
    for _ in range(100):
        framer.handleFrame(b"\x55" * 1000, 17, 0)
    assert len(framer._heard) <= 256
    assert counts.garbage_bytes == 100_000 - len(framer._heard)
