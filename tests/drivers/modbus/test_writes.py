from __future__ import annotations

import pytest

from drivers.modbus.writes import (
    mask_register,
    read_write_registers,
    write_coil,
    write_coils,
    write_register,
    write_registers,
)


def test_the_standards_examples() -> None:
    """Modbus Application Protocol V1.1b3, sections 6.5, 6.6, 6.11, 6.12, 6.16 and 6.17, as printed there."""
    assert write_coil(172, state=True).pdu.hex() == "0500acff00"
    assert write_register(1, b"\x00\x03").pdu.hex() == "0600010003"
    ten = [bit == "1" for bit in "1011001110"]
    assert write_coils(19, ten).pdu.hex() == "0f0013000a02cd01"
    assert write_registers(1, bytes.fromhex("000a0102")).pdu.hex() == "100001000204000a0102"


def test_the_standards_example_of_a_mask() -> None:
    """Register 4 with AND mask 00F2 and OR mask 0025: what lies in the mask is set, the rest is left alone."""
    mask = 0xFFFF ^ 0x00F2
    assert mask_register(4, mask, 0x0025 & mask).pdu.hex() == "16000400f20005"


def test_registers_written_and_read_at_once() -> None:
    """Section 6.17: the same three registers from 14 on in both halves."""
    write = read_write_registers(14, bytes.fromhex("00ff00ff00ff"))
    assert write.pdu.hex() == "17000e0003000e00030600ff00ff00ff"
    assert write.answer.hex() == "170600ff00ff00ff"


@pytest.mark.parametrize("state", [True, False])
def test_a_coil_is_confirmed_by_the_same_bytes(state: bool) -> None:  # noqa: FBT001 - pytest gives it so
    """FF00 is on, 0000 is off; the device echoes the request."""
    write = write_coil(172, state=state)
    assert write.answer == write.pdu
    assert write.pdu[3:].hex() == ("ff00" if state else "0000")


def test_several_are_confirmed_by_address_and_count() -> None:
    """Not by their values."""
    assert write_coils(19, [True] * 10).answer.hex() == "0f0013000a"
    assert write_registers(1, bytes(4)).answer.hex() == "1000010002"
    assert write_register(1, bytes(2)).answer.hex() == "0600010000"
