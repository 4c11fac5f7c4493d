from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.address import Part
from drivers.modbus.datatypes import encode
from drivers.modbus.decode import BitDecoder, RegisterDecoder, RegisterPoint
from drivers.modbus.numerals import NUMERALS, bit
from gateway.model import Quality

if TYPE_CHECKING:
    from drivers.modbus.datatypes import Order
    from drivers.modbus.decode import Decoded

    Point = tuple[int, str, Order]
    """Offset in the block, data type, order."""

ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
FLOATS = {
    "float16": st.floats(width=16, allow_nan=False, allow_infinity=False),
    "float32": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "float64": st.floats(width=64, allow_nan=False, allow_infinity=False),
}


def decoded(wire: str, *points: Point) -> Decoded:
    """The values of a block whose bytes are written in hexadecimal."""
    raw = bytes.fromhex(wire)
    return RegisterDecoder([RegisterPoint(at, NUMERALS[name], order) for at, name, order in points], len(raw) // 2)(raw)


def test_gaps_are_skipped() -> None:
    """What lies between, before and behind the points is not looked at."""
    points: list[Point] = [(1, "uint16", "ABCD"), (3, "int32", "ABCD"), (6, "uint16", "ABCD")]
    assert decoded("DEAD 0001 DEAD FFFFFFFF DEAD 0002 DEAD", *points).values == [1, -1, 2]


def test_overlapping_points_each_get_their_bytes() -> None:
    """The same register as signed, unsigned and part of a longer number."""
    points: list[Point] = [(0, "uint32", "ABCD"), (0, "uint16", "ABCD"), (0, "int16", "ABCD"), (1, "uint16", "ABCD")]
    assert decoded("FFFE0007", *points).values == [0xFFFE0007, 0xFFFE, -2, 7]


def test_orders_mix_in_one_block() -> None:
    """A device may hold numbers of all orders side by side."""
    points: list[Point] = [(2 * at, "uint32", order) for at, order in enumerate(ORDERS)]
    assert decoded("01020304 03040102 02010403 04030201", *points).values == [0x01020304] * 4


@pytest.mark.parametrize(("wire", "raw"), [("7FC00000", "nan"), ("FFC00001", "nan"), ("FF800000", "-inf")])
def test_a_float_that_is_no_number_leaves_its_neighbours_good(wire: str, raw: str) -> None:
    """NaN and infinities become no value, and only they."""
    points: list[Point] = [(0, "float32", "ABCD"), (2, "float32", "ABCD"), (4, "uint16", "ABCD")]
    good, missing = Quality.GOOD, Quality.NOT_AVAILABLE
    assert decoded(f"428E999A {wire} 0005", *points) == ([71.3, None, 5], [good, missing, good], {1: raw})


def test_the_bits_of_a_register_share_one_field() -> None:
    """Sixteen states cost one number of the `struct`, not sixteen."""
    points = [RegisterPoint(1, bit(Part(at, at)), "ABCD") for at in range(16)] + [
        RegisterPoint(0, NUMERALS["uint16"], "ABCD")
    ]
    decoder = RegisterDecoder(points, 3)
    values = decoder(bytes.fromhex("1234 A005 DEAD")).values
    assert values == [at in {0, 2, 13, 15} for at in range(16)] + [0x1234]
    assert decoder.fields == 2


def test_points_may_stand_in_any_order() -> None:
    """Values come in the order of the points, not of the addresses."""
    points: list[Point] = [(3, "uint16", "ABCD"), (0, "uint16", "ABCD"), (1, "uint32", "ABCD")]
    assert decoded("0001 0000 0002 0003", *points).values == [3, 1, 2]


def test_the_highest_floats_are_numbers() -> None:
    """The sum of many is still finite, so none is taken for an infinity."""
    highest = (2 - 2**-23) * 2.0**127
    points: list[Point] = [(2 * at, "float32", "ABCD") for at in range(62)]
    values, quality, _ = decoded("7F7FFFFF" * 62, *points)
    assert quality is None
    assert struct.pack(">f", values[0]) == struct.pack(">f", highest)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[RegisterPoint], list[float], int]:
    """Points one after the other with gaps, and a value for each."""
    points, values, at = [], [], 0
    for _ in range(draw(st.integers(1, 20))):
        data_type = NUMERALS[draw(st.sampled_from(sorted(NUMERALS)))]
        order: Order = draw(st.sampled_from(ORDERS if data_type.registers > 1 else ("ABCD", "BADC")))
        at += draw(st.integers(0, 3))
        points.append(RegisterPoint(at, data_type, order))
        values.append(draw(st.integers(*data_type.limits) if data_type.limits else FLOATS[data_type.name]))
        at += data_type.registers
    return points, values, at + draw(st.integers(0, 2))


@given(blocks())
def test_what_was_encoded_is_decoded(block: tuple[list[RegisterPoint], list[float], int]) -> None:
    """Integers come back as they were; a float comes back as the same float32, type and order and gaps whatever."""
    points, values, registers = block
    raw = bytearray(b"\xa5" * 2 * registers)
    for (at, data_type, order), value in zip(points, values, strict=True):
        raw[2 * at : 2 * (at + data_type.registers)] = encode(value, data_type, order)
    got = RegisterDecoder(points, registers)(bytes(raw)).values
    for (_, data_type, _), value, back in zip(points, values, got, strict=True):
        assert type(back) is (float if data_type.is_float else int)
        assert back == value or encode(back, data_type, "ABCD") == encode(value, data_type, "ABCD")


@given(st.lists(st.booleans(), min_size=1, max_size=2000), st.data())
def test_bits_come_lowest_first(states: list[bool], data: st.DataObject) -> None:
    """State n stands in byte n / 8 at bit n % 8, whichever of them are tags."""
    raw = bytes(sum(state << bit for bit, state in enumerate(states[at : at + 8])) for at in range(0, len(states), 8))
    offsets = data.draw(st.lists(st.integers(0, len(states) - 1), max_size=50))
    assert BitDecoder(offsets)(raw) == ([states[offset] for offset in offsets], None, None)


def test_the_standards_example_of_coils() -> None:
    """Application Protocol V1.1b3, section 6.1: coils 20 to 38 answer CD 6B 05, coil 20 being the lowest bit of CD."""
    values = BitDecoder(range(19))(bytes.fromhex("CD6B05")).values
    assert values == [bit == "1" for bit in "1011001111010110101"]
