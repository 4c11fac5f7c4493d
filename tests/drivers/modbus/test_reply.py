from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.address import COIL, HOLDING, Address
from drivers.modbus.counts import LinkCounts
from drivers.modbus.decode import BitDecoder
from drivers.modbus.plan import Block
from drivers.modbus.question import Question, RawReply
from drivers.modbus.reply import answer_of, data_of
from gateway.driver import DeviceRefused, DriverError, NoReply, WrongReply

TWO_REGISTERS = Block("meter", 17, Address(HOLDING, 100), 2, 1.0, BitDecoder([]))
TEN_COILS = Block("meter", 17, Address(COIL, 100), 10, 1.0, BitDecoder([]))


QUESTION = Question(17, bytes.fromhex("03 0064 0002"), 1.0, TWO_REGISTERS)


def data(wire: str) -> bytes:
    """What comes out for unit (first byte) and PDU as they come from the wire."""
    raw = bytes.fromhex(wire)
    return data_of(answer_of(RawReply(raw[0], raw[1:], 17), QUESTION, LinkCounts()), TWO_REGISTERS)


def test_a_right_reply_gives_its_data() -> None:
    """Typed by hand: unit 17, function 3, 4 bytes; function 1, 2 bytes."""
    assert data("11 03 04 DEADBEEF") == bytes.fromhex("DEADBEEF")
    assert data_of(bytes.fromhex("01 02 FF03"), TEN_COILS) == bytes.fromhex("FF03")


@pytest.mark.parametrize(
    ("wire", "says"),
    [
        ("12 03 04 DEADBEEF", "unit 18 answered"),
        ("11 04 04 DEADBEEF", "the answer has function 4"),
        ("11 03 02 DEAD", "2 bytes of data came, announced as 2, 4 were asked for"),
        ("11 03 00", "0 bytes of data came, announced as 0"),
        ("11 03 06 DEADBEEFCAFE", "6 bytes of data came, announced as 6"),
        ("11 03 04 DEAD", "2 bytes of data came, announced as 4"),
        ("11 03 02 DEADBEEF", "4 bytes of data came, announced as 2"),
        ("11 03", "0 bytes of data came, 4 were asked for"),
        ("11 83", "the answer has function 131"),
        ("11 83 02 00", "the answer has function 131"),
        ("11 84 02", "the answer has function 132"),
    ],
)
def test_a_reply_that_does_not_fit_is_told_and_not_believed(wire: str, says: str) -> None:
    """Unit, function and both lengths are held against what was asked."""
    with pytest.raises(WrongReply, match=says) as error:
        data(wire)
    assert 'meter (unit 17), holding:100 to holding:101 (documented as "40101" to "40102")' in str(error.value)


@pytest.mark.parametrize(("code", "kind"), [(2, DeviceRefused), (4, DeviceRefused), (0x0B, NoReply)])
def test_an_exception_reply_is_an_error_of_its_own(code: int, kind: type[Exception]) -> None:
    """The device refuses; a converter that tells of silence makes it a missing reply."""
    with pytest.raises(kind, match=f"exception {code:02X}"):
        data(f"11 83 {code:02x}")


@given(st.binary(min_size=2, max_size=254))
def test_any_frame_is_data_or_an_error(body: bytes) -> None:
    """Whatever comes, only the driver's errors come out, or data that a right reply would have had."""
    try:
        got = data(body.hex())
    except DriverError:
        return
    assert body == b"\x11\x03\x04" + got


@given(st.binary(min_size=1, max_size=40), st.integers(0, 255))
def test_a_reply_with_one_byte_changed_is_never_taken_for_longer_or_shorter(tail: bytes, count: int) -> None:
    """Near misses: right head, any rest."""
    with suppress(WrongReply):
        assert len(data((b"\x11\x03" + bytes([count]) + tail).hex())) == 4 == len(tail) == count
