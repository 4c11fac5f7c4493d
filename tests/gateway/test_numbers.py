"""Numbers as people write them."""

from __future__ import annotations

import math
import struct
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gateway.numbers import shortest_float32

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    "text",
    [
        "71.3",
        "0.1",
        "0.2",
        "0.3",
        "230.4",
        "49.98",
        "-40.0",
        "1e-05",
        "123456.0",
        "9999999.0",
        "16777216.0",
        "3.4028235e+38",
    ],
)
def test_a_float32_is_read_as_people_write_it(text: str) -> None:
    """The float that is published prints as the decimal that the device meant."""
    (number,) = struct.unpack(">f", struct.pack(">f", float(text)))
    assert repr(shortest_float32(number)) == text


def shortest_digits(number: float) -> int:
    """How many significant digits a float32 needs, found by trying both decimals around it for each length."""
    exact = Fraction(abs(number))
    for digits in range(1, 10):
        mantissa, _, exponent = f"{abs(number):.{digits - 1}e}".partition("e")
        scale = Fraction(10) ** (int(exponent) - digits + 1)
        whole = int(mantissa.replace(".", ""))
        near = (n * scale for n in (whole - 1, whole, whole + 1))
        if any(is_same_float32(decimal, exact) for decimal in near):
            return digits
    raise AssertionError("nine digits always suffice")


def is_same_float32(decimal: Fraction, exact: Fraction) -> bool:
    """Whether a decimal rounds to this float32."""
    try:
        return Fraction(struct.unpack(">f", struct.pack(">f", float(decimal)))[0]) == exact
    except OverflowError:
        return False


def digits_of(number: float) -> int:
    """Significant digits in the text of a float."""
    return len(repr(abs(number)).partition("e")[0].replace(".", "").strip("0"))


@given(FLOAT32 | st.floats(-1e7, 1e7, width=32) | st.decimals(-100000, 100000, places=2).map(float))
def test_a_float32_has_its_shortest_text_and_stays_the_same(number: float) -> None:
    """Read back it is the same float32, and no shorter decimal would be."""
    (number,) = struct.unpack(">f", struct.pack(">f", number))
    assume(number == 0 or abs(number) >= 2.0**-126)
    assume(abs(math.frexp(number)[0]) != 0.5)
    short = shortest_float32(number)
    assert struct.pack(">f", short) == struct.pack(">f", number + 0.0)
    assert number == 0 or digits_of(short) == shortest_digits(number)


@pytest.mark.parametrize("exponent", range(-149, 128))
def test_powers_of_two_stay_the_same(exponent: int) -> None:
    """Their lower neighbour is nearer than the upper one; denormal ones have fewer digits."""
    for number in (2.0**exponent, -(2.0**exponent)):
        short = shortest_float32(number)
        assert struct.pack(">f", short) == struct.pack(">f", number)
        if exponent >= -126 and exponent not in {-96, 87, 90}:
            assert digits_of(short) == shortest_digits(number)


@given(st.integers(-999_999, 999_999), st.integers(0, 6))
def test_six_digits_come_back_as_they_were_entered(digits: int, places: int) -> None:
    """71.3 and not 71.30000305: a float32 holds every number of six digits."""
    entered = digits / 10**places
    assert shortest_float32(struct.unpack("<f", struct.pack("<f", entered))[0]) == entered


@pytest.mark.parametrize("value", [3.4028234663852886e38, 1.401298464324817e-45, 0.0, -103.21731567382812])
def test_the_ends_and_the_longest_of_float32_are_kept(value: float) -> None:
    """The largest one is not rounded beyond itself, and nine digits are used where eight are too few."""
    float32 = struct.unpack("<f", struct.pack("<f", value))[0]
    assert struct.pack("<f", shortest_float32(float32)) == struct.pack("<f", float32)
