from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.datatypes import encode, in_order
from drivers.modbus.texts import octets, string

if TYPE_CHECKING:
    from drivers.modbus.datatypes import Order
    from drivers.modbus.texts import Encoding

ORDERS: tuple[Order, ...] = ("ABCD", "CDAB", "BADC", "DCBA")
ENCODINGS: tuple[Encoding, ...] = ("ascii", "latin-1", "utf-8")


@given(st.sampled_from(ENCODINGS), st.sampled_from(ORDERS), st.integers(1, 250), st.data())
def test_text_comes_back(encoding: Encoding, order: Order, length: int, data: st.DataObject) -> None:
    """Whatever its length, order and encoding; spaces at its end are padding."""
    alphabet = st.characters(codec=encoding, exclude_characters="\0")
    text = data.draw(st.text(alphabet, max_size=length).filter(lambda text: len(text.encode(encoding)) <= length))
    wire = encode(text, string(length, encoding), order)
    assert len(wire) == 2 * ((length + 1) // 2)
    assert string(length, encoding).value_of(in_order(wire, order)) == text.rstrip(" ")


@given(st.sampled_from(ORDERS), st.binary(min_size=1, max_size=250))
def test_raw_bytes_come_back(order: Order, given: bytes) -> None:
    """Every byte of them."""
    data_type = octets(len(given))
    assert data_type.value_of(in_order(encode(given.hex(), data_type, order), order)) == given.hex()


@given(st.sampled_from(ENCODINGS), st.binary(min_size=8, max_size=8))
def test_any_bytes_are_text_or_none(encoding: Encoding, field: bytes) -> None:
    """No error comes out, whatever stands in the registers."""
    value = string(7, encoding).value_of(field)
    assert value is None or isinstance(value, str)


@pytest.mark.parametrize(
    ("value", "encoding", "says"),
    [
        ("12345", "ascii", "5 bytes long, and there is room for 4"),
        ("\u00fc\u00fc\u00fc", "utf-8", "6 bytes long"),
        ("\u00fc", "ascii", "characters that ascii lacks"),
        ("\u20ac", "latin-1", "characters that latin-1 lacks"),
        ("a\0b", "ascii", "a NUL in it"),
        (5, "ascii", "5 is no text"),
    ],
)
def test_text_that_does_not_fit_is_not_cut(value: object, encoding: Encoding, says: str) -> None:
    """It is refused, with the reason."""
    with pytest.raises(ValueError, match=says):
        string(4, encoding).write(value)  # type: ignore[arg-type]  # part of the test


@pytest.mark.parametrize("value", ["0102", "01020304 ff", "zz020304", "", 1])
def test_raw_bytes_are_exactly_as_many(value: object) -> None:
    """Two hexadecimal digits each."""
    with pytest.raises(ValueError, match="is not 4 bytes in hexadecimal, 8 digits"):
        octets(4).write(value)  # type: ignore[arg-type]  # part of the test
