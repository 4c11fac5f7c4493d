from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from drivers.modbus.datatypes import LONG_ORDERS, encode, in_order, short_order, wire_positions
from drivers.modbus.numerals import NUMERALS

if TYPE_CHECKING:
    from drivers.modbus.datatypes import Order


@pytest.mark.parametrize(
    ("order", "wire"),
    [("ABCD", "01020304"), ("CDAB", "03040102"), ("BADC", "02010403"), ("DCBA", "04030201")],
)
def test_the_letters_name_the_bytes_in_the_order_of_the_wire(order: Order, wire: str) -> None:
    """A is the most significant byte; 0x01020304 on the wire, typed by hand."""
    assert encode(0x01020304, NUMERALS["uint32"], order).hex() == wire


@pytest.mark.parametrize(("order", "wire"), [("ABCD", "0102"), ("BADC", "0201")])
def test_one_register_knows_two_orders(order: Order, wire: str) -> None:
    """BADC swaps the bytes in a register."""
    assert encode(0x0102, NUMERALS["uint16"], order).hex() == wire


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
    assert encode(value, NUMERALS[name], "ABCD").hex() == wire


@pytest.mark.parametrize(("long", "short"), sorted(LONG_ORDERS.items()))
def test_the_long_names_mean_the_same_rules(long: Order, short: Order) -> None:
    """Spelt out for eight bytes; the same positions whatever the length."""
    assert short_order(long) == short
    assert short_order(short) == short
    assert wire_positions(long, 4) == wire_positions(short, 4)
    assert "".join("ABCDEFGH"[at] for at in wire_positions(short, 4)) == long


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_an_order_taken_twice_leads_back(order: Order) -> None:
    """So one rule serves reading and writing."""
    octets = bytes(range(12))
    assert in_order(in_order(octets, order), order) == octets
