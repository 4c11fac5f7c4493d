from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.address import COIL, HOLDING, Address
from drivers.modbus.decode import BitDecoder
from drivers.modbus.plan import Block
from drivers.modbus.reply import data_of
from gateway.driver import DeviceRefused, DriverError, NoReply, WrongReply

TWO_REGISTERS = Block("meter", 17, Address(HOLDING, 100), 2, 1.0, BitDecoder([]))
TEN_COILS = Block("meter", 17, Address(COIL, 100), 10, 1.0, BitDecoder([]))


def test_a_right_reply_gives_its_data() -> None:
    """Head and data typed by hand: unit 17, function 3, 4 bytes; unit 17, function 1, 2 bytes."""
    assert data_of(bytes.fromhex("0001 0000 0007 11 03 04 DEADBEEF"), TWO_REGISTERS) == bytes.fromhex("DEADBEEF")
    assert data_of(bytes.fromhex("0001 0000 0005 11 01 02 FF03"), TEN_COILS) == bytes.fromhex("FF03")


@pytest.mark.parametrize(
    ("wire", "says"),
    [
        ("0001 0000 0007 12 03 04 DEADBEEF", "unit 18 answered"),
        ("0001 0000 0007 11 04 04 DEADBEEF", "the answer has function 4"),
        ("0001 0000 0005 11 03 02 DEAD", "2 bytes of data came, announced as 2, 4 were asked for"),
        ("0001 0000 0003 11 03 00", "0 bytes of data came, announced as 0"),
        ("0001 0000 0009 11 03 06 DEADBEEFCAFE", "6 bytes of data came, announced as 6"),
        ("0001 0000 0005 11 03 04 DEAD", "2 bytes of data came, announced as 4"),
        ("0001 0000 0007 11 03 02 DEADBEEF", "4 bytes of data came, announced as 2"),
        ("0001 0000 0002 11 03", "0 bytes of data came, 4 were asked for"),
        ("0001 0000 0002 11 83", "the answer has function 131"),
        ("0001 0000 0004 11 83 02 00", "the answer has function 131"),
        ("0001 0000 0003 11 84 02", "the answer has function 132"),
    ],
)
def test_a_reply_that_does_not_fit_is_told_and_not_believed(wire: str, says: str) -> None:
    """Unit, function and both lengths are held against what was asked."""
    with pytest.raises(WrongReply, match=says) as error:
        data_of(bytes.fromhex(wire), TWO_REGISTERS)
    assert 'meter (unit 17), holding:100 to holding:101 (documented as "40101" to "40102")' in str(error.value)


@pytest.mark.parametrize(("code", "kind"), [(2, DeviceRefused), (4, DeviceRefused), (0x0B, NoReply)])
def test_an_exception_reply_is_an_error_of_its_own(code: int, kind: type[Exception]) -> None:
    """The device refuses; a converter that tells of silence makes it a missing reply."""
    with pytest.raises(kind, match=f"exception {code:02X}"):
        data_of(bytes.fromhex("0001 0000 0003 11 83") + bytes([code]), TWO_REGISTERS)


@given(st.binary(min_size=8, max_size=260))
def test_any_frame_is_data_or_an_error(frame: bytes) -> None:
    """Whatever comes, only the driver's errors come out, or data that a right reply would have had."""
    try:
        data = data_of(frame, TWO_REGISTERS)
    except DriverError:
        return
    assert frame[6:] == b"\x11\x03\x04" + data


@given(st.binary(min_size=1, max_size=40), st.integers(0, 255))
def test_a_reply_with_one_byte_changed_is_never_taken_for_longer_or_shorter(tail: bytes, code: int) -> None:
    """Near misses: right head, any rest."""
    frame = bytes.fromhex("0001 0000 0007 11 03") + bytes([code]) + tail
    with suppress(WrongReply):
        assert len(data_of(frame, TWO_REGISTERS)) == 4 == len(tail) == code
