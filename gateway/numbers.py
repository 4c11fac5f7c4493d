"""Numbers as people write them."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


def shortest_float32(number: float) -> float:
    """The float with the shortest decimal text that still means this float32: 71.3, not 71.30000305175781.

    Ordinary magnitudes go by arithmetic, in a third of the time that going by text takes: an integer below 2**53
    divided by an exact power of ten is the float nearest to that decimal. A zero loses its sign. Denormal numbers and
    three powers of two (2**-96, 2**87, 2**90) may get more digits than they need, and stay exact.

    Args:
        number: a finite float32, as `struct` unpacks it.
    """
    mantissa, exponent = math.frexp(number)
    scales = _SCALES.get(exponent)
    if scales is None or abs(mantissa) == _EXACT_POWER:
        return _shortest_by_text(number)
    seven, eight, half_step = scales
    short = round(number * seven) / seven
    if -half_step < short - number < half_step:
        return short
    return round(number * eight) / eight


class _Scales(NamedTuple):
    """For numbers from one power of two to the next: powers of ten that leave 7 and 8 digits before the point."""

    seven: float
    eight: float
    half_step: float
    """Half the distance between neighbouring float32."""


def _scales_by_exponent() -> Iterator[tuple[int, _Scales]]:
    """The binary exponents (of `math.frexp`) in which arithmetic finds the shortest text.

    Both powers of ten must be exact floats, from 10**0 to 10**22. Neighbouring float32 must be closer than decimals of
    7 digits: then at most one of these means the number, and a shorter one is that one with zeros at its end. They are
    always wider apart than decimals of 8 digits, counted from the lower power of two: so 8 are enough.
    """
    for exponent in range(-45, 24):
        digits_before_point = math.floor(math.log10(2.0 ** (exponent - 1))) + 1
        seven, eight = (10.0 ** (digits - digits_before_point) for digits in (7, 8))
        step = 2.0 ** (exponent - _FLOAT32_DIGITS)
        if step < 1 / seven:
            yield exponent, _Scales(seven, eight, step / 2)


_FLOAT32_DIGITS: Final = 24
"""Binary digits of a float32 (IEEE 754-2019, table 3.5)."""

_SCALES: Final = dict(_scales_by_exponent())

_EXACT_POWER: Final = 0.5
"""Mantissa of an exact power of two, whose lower float32 neighbour is only half a step away."""

_FLOAT32: Final = struct.Struct(">f")


def _shortest_by_text(number: float) -> float:
    """Six digits always survive in a float32, nine always suffice."""
    wanted = _FLOAT32.pack(number)
    for digits in (6, 7, 8):
        short = float(f"{number:.{digits}g}")
        if _FLOAT32.pack(short) == wanted:
            return short
    return float(f"{number:.9g}")
