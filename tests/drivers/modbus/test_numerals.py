from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.address import Part
from drivers.modbus.datatypes import encode
from drivers.modbus.numerals import NUMERALS, bit, bits, without

WHOLE = sorted(name for name, data_type in NUMERALS.items() if data_type.limits)
FLOATS = {"float16": 16, "float32": 32, "float64": 64}


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("uint16", 0, 65535),
        ("int16", -32768, 32767),
        ("uint32", 0, 4294967295),
        ("int32", -2147483648, 2147483647),
        ("uint64", 0, 18446744073709551615),
        ("int64", -9223372036854775808, 9223372036854775807),
        ("bcd16", 0, 9999),
        ("bcd32", 0, 99999999),
        ("bcd64", 0, 9999999999999999),
    ],
)
def test_whole_numbers_are_taken_up_to_their_limits_and_not_beyond(name: str, lowest: int, highest: int) -> None:
    """A number that does not fit never becomes another one."""
    data_type = NUMERALS[name]
    assert data_type.limits == (lowest, highest)
    for value in (lowest, highest):
        assert len(encode(value, data_type, "ABCD")) == 2 * data_type.registers
    for value in (lowest - 1, highest + 1):
        with pytest.raises(ValueError, match=f"{value} does not fit into {name}, which holds {lowest} to {highest}"):
            encode(value, data_type, "ABCD")


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [0.5, -1.5, math.nan, math.inf, "1", True])
def test_what_is_no_whole_number_is_not_rounded(name: str, value: object) -> None:
    """Neither is a state a number, nor text."""
    with pytest.raises(ValueError, match="is no"):
        encode(value, NUMERALS[name], "ABCD")  # type: ignore[arg-type]  # part of the test


def test_a_whole_number_may_come_as_a_float() -> None:
    """As inverse scaling makes it."""
    assert encode(100.0, NUMERALS["uint16"], "ABCD") == b"\x00\x64"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("float16", 65520.0, "too large for float16"),
        ("float32", 3.5e38, "too large for float32"),
        ("float32", math.nan, "is no number"),
        ("float64", math.inf, "is no number"),
        ("float64", True, "is no number"),
        ("float64", "1.0", "is no number"),
    ],
)
def test_a_float_holds_only_numbers_within_its_reach(name: str, value: object, says: str) -> None:
    """NaN would say to the device that there is no value."""
    with pytest.raises(ValueError, match=says):
        encode(value, NUMERALS[name], "ABCD")  # type: ignore[arg-type]  # part of the test


@pytest.mark.parametrize(("field", "value"), [(0.1, 0.1), (71.3, 71.3), (2.0**-24, 6e-08), (65504.0, 65504.0)])
def test_a_half_float_has_its_shortest_text(field: float, value: float) -> None:
    """0.1 and not 0.0999755859375; whole numbers stay as they are."""
    (half,) = struct.unpack(">e", struct.pack(">e", field))
    assert NUMERALS["float16"].value_of(half) == value


@given(st.integers(0, 0xFFFF))
def test_every_half_float_comes_back(pattern: int) -> None:
    """Its short text still means the same 16 bits; a zero may lose its sign."""
    wire = pattern.to_bytes(2, "big")
    value = NUMERALS["float16"].value_of(struct.unpack(">e", wire)[0])
    if value is not None:
        assert encode(value, NUMERALS["float16"], "ABCD") == wire


@given(st.sampled_from(WHOLE), st.data())
def test_whole_numbers_come_back(name: str, data: st.DataObject) -> None:
    """Also as the integer that they were."""
    data_type = NUMERALS[name]
    assert data_type.limits is not None
    value = data.draw(st.integers(*data_type.limits))
    field = struct.unpack(f">{data_type.code}", encode(value, data_type, "ABCD"))[0]
    assert data_type.value_of(field) == value


@given(st.sampled_from(sorted(FLOATS)), st.data())
def test_floats_come_back(name: str, data: st.DataObject) -> None:
    """As the same bits, but for the sign of a zero."""
    value = data.draw(st.floats(width=FLOATS[name], allow_nan=False, allow_infinity=False))
    wire = encode(value, NUMERALS[name], "ABCD")
    back = NUMERALS[name].value_of(struct.unpack(f">{NUMERALS[name].code}", wire)[0])
    assert back == 0.0 if value == 0.0 else encode(back or 0.0, NUMERALS[name], "ABCD") == wire


@given(st.integers(0, 15), st.integers(0, 15), st.sampled_from(["int16", "uint16"]), st.data())
def test_bits_come_back_and_touch_no_others(one: int, other: int, name: str, data: st.DataObject) -> None:
    """Each range of bits is a number of its own."""
    part = Part(min(one, other), max(one, other))
    data_type = bits(name, part, signed=name == "int16")
    assert data_type.limits is not None
    value = data.draw(st.integers(*data_type.limits))
    field = data_type.write(value)
    assert field & ~part.mask == 0
    others = data.draw(st.integers(0, 0xFFFF)) & ~part.mask
    assert data_type.value_of(field | others) == value


def test_a_number_beyond_its_bits_is_refused() -> None:
    """Four bits unsigned hold 0 to 15, signed -8 to 7."""
    with pytest.raises(ValueError, match=r"16 does not fit into uint16 in bits 4 to 7, which holds 0 to 15"):
        bits("uint16", Part(4, 7), signed=False).write(16)
    with pytest.raises(ValueError, match=r"8 does not fit into int8 in bits 4 to 7, which holds -8 to 7"):
        bits("int8", Part(4, 7), signed=True).write(8)


@pytest.mark.parametrize(("value", "field"), [(True, 8), (False, 0), (1, 8), (0.0, 0)])
def test_a_bit_is_true_or_false(value: float, field: int) -> None:
    """1 and 0 mean the same."""
    assert bit(Part(3, 3)).write(value) == field


@pytest.mark.parametrize("value", [2, 0.5, "true", -1])
def test_a_bit_is_nothing_else(value: object) -> None:
    """No guess about what is meant."""
    with pytest.raises(ValueError, match="neither true nor false"):
        bit(Part(3, 3)).write(value)


def test_a_type_without_codes_stays_the_same_object() -> None:
    """What is not used costs nothing."""
    assert without(NUMERALS["uint16"], frozenset()) is NUMERALS["uint16"]
    assert NUMERALS["uint16"].read is None
