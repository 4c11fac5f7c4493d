from __future__ import annotations

import pytest

from drivers.modbus.address import HOLDING, Address
from drivers.modbus.decode import BitDecoder
from drivers.modbus.plan import Block
from drivers.modbus.refusals import refusal
from gateway.driver import DeviceRefused, NoReply, Refusal


def block(number: int = 100, count: int = 50) -> Block:
    """A block of holding registers."""
    return Block("meter", 7, Address(HOLDING, number), count, 1.0, BitDecoder([]))


@pytest.mark.parametrize(
    ("code", "name", "remedy"),
    [
        (0x01, "illegal function", "holding or an input register"),
        (0x02, "illegal data address", "lacks one of these addresses"),
        (0x03, "illegal data value", "lower max_registers"),
        (0x04, "server device failure", "its display or log"),
        (0x05, "acknowledge", "raise period_s"),
        (0x06, "server device busy", "raise period_s"),
        (0x08, "memory parity error", "restart or replace"),
        (0x0A, "gateway path unavailable", "check unit_id"),
        (0x0B, "gateway target device failed to respond", "baud rate"),
        (0x7F, "not in the standard", "manual of the device"),
    ],
)
def test_each_code_is_named_and_has_a_remedy(code: int, name: str, remedy: str) -> None:
    """Codes and names of Application Protocol V1.1b3, section 7; where it happened, in both notations."""
    text = str(refusal(block(), code))
    assert f"exception {code:02X} ({name})" in text
    assert remedy in text
    assert 'meter (unit 7), holding:100 to holding:149 (documented as "40101" to "40150")' in text


def test_silence_behind_a_converter_is_no_reply() -> None:
    """The core tries such a request again, as it does after a time-out."""
    assert isinstance(refusal(block(), 0x0B), NoReply)
    assert isinstance(refusal(block(), 0x0A), DeviceRefused)


def test_an_illegal_address_is_often_off_by_one() -> None:
    """The hint gives the address to try, in both notations."""
    assert 'Then write holding:99 (documented as "40100")' in str(refusal(block(), 0x02))


@pytest.mark.parametrize(
    ("number", "count", "hint", "not_hint"), [(0, 2, "max_gap: 0", "count from 1"), (5, 1, "count from 1", "max_gap")]
)
def test_hints_that_cannot_be_are_left_out(number: int, count: int, hint: str, not_hint: str) -> None:
    """Nothing lies below address 0, and one register has no hole."""
    text = str(refusal(block(number, count), 0x02))
    assert hint in text
    assert not_hint not in text


@pytest.mark.parametrize(
    ("code", "meant"),
    [
        (0x01, Refusal.TABLE),
        (0x02, Refusal.POINTS),
        (0x03, Refusal.POINTS),
        (0x04, Refusal.PERHAPS_POINTS),
        (0x05, Refusal.FOR_NOW),
        (0x06, Refusal.FOR_NOW),
        (0x0A, Refusal.FOR_NOW),
        (0x7F, Refusal.FOR_NOW),
    ],
)
def test_each_code_says_what_helps(code: int, meant: Refusal) -> None:
    """Only 02 and 03, and perhaps 04, are worth a search for the address at fault."""
    error = refusal(block(), code)
    assert isinstance(error, DeviceRefused)
    assert error.refusal is meant
