from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from drivers.modbus.datatypes import REGISTER_TYPES, encode, wire_positions

if TYPE_CHECKING:
    from drivers.modbus.datatypes import Order


@pytest.mark.parametrize(
    ("order", "wire"),
    [("ABCD", "01020304"), ("CDAB", "03040102"), ("BADC", "02010403"), ("DCBA", "04030201")],
)
def test_the_letters_name_the_bytes_in_the_order_of_the_wire(order: Order, wire: str) -> None:
    """A is the most significant byte; 0x01020304 on the wire, typed by hand."""
    assert encode(0x01020304, REGISTER_TYPES["uint32"], order).hex() == wire


@pytest.mark.parametrize(("order", "wire"), [("ABCD", "0102"), ("BADC", "0201")])
def test_one_register_knows_two_orders(order: Order, wire: str) -> None:
    """BADC swaps the bytes in a register."""
    assert encode(0x0102, REGISTER_TYPES["uint16"], order).hex() == wire


@pytest.mark.parametrize(
    ("order", "positions"),
    [
        ("ABCD", (0, 1, 2, 3, 4, 5, 6, 7)),
        ("CDAB", (6, 7, 4, 5, 2, 3, 0, 1)),
        ("BADC", (1, 0, 3, 2, 5, 4, 7, 6)),
        ("DCBA", (7, 6, 5, 4, 3, 2, 1, 0)),
    ],
)
def test_orders_reach_beyond_two_registers(order: Order, positions: tuple[int, ...]) -> None:
    """Words in reverse, bytes swapped, both or none: the same rule for any number of registers."""
    assert wire_positions(order, 4) == positions


@pytest.mark.parametrize(
    ("name", "value", "wire"),
    [
        ("uint16", 0, "0000"),
        ("uint16", 65535, "ffff"),
        ("int16", -1, "ffff"),
        ("int16", -32768, "8000"),
        ("uint32", 4294967295, "ffffffff"),
        ("int32", -2, "fffffffe"),
        ("float32", 1.0, "3f800000"),
        ("float32", -2.0, "c0000000"),
        ("float32", 71.3, "428e999a"),
    ],
)
def test_numbers_have_their_known_bytes(name: str, value: float, wire: str) -> None:
    """Two's complement and IEEE 754, typed by hand."""
    assert encode(value, REGISTER_TYPES[name], "ABCD").hex() == wire


@pytest.mark.parametrize("name", ["uint16", "int16", "uint32", "int32"])
def test_limits_are_what_the_registers_can_hold(name: str) -> None:
    """The limits fit, and one beyond each does not."""
    data_type = REGISTER_TYPES[name]
    for value, beyond in zip(data_type.limits, (-1, 1), strict=True):
        assert len(encode(value, data_type, "ABCD")) == 2 * data_type.registers
        with pytest.raises(struct.error):
            encode(value + beyond, data_type, "ABCD")
