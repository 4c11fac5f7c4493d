"""From the bytes of one reply to values: one compiled `struct` a block, whatever it holds."""

from __future__ import annotations

import math
import struct
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from drivers.modbus.datatypes import wire_positions
from gateway.model import Quality

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drivers.modbus.datatypes import DataType, Order
    from gateway.model import Cell


class Decoded(NamedTuple):
    """The values of one block, in the order of its points."""

    values: Sequence[Cell]
    quality: Sequence[Quality] | None
    """None where all are GOOD."""


class Decoder(Protocol):
    """Turns the data bytes of one reply into values."""

    def __call__(self, raw: bytes) -> Decoded:
        """`raw` has as many bytes as were asked for; whoever calls has checked it."""
        ...


class RegisterPoint(NamedTuple):
    """A number in a block of registers."""

    offset: int
    """Its first register, counted from the block's first."""
    data_type: DataType
    order: Order


class RegisterDecoder:
    """Numbers in registers.

    Where all are ABCD and none overlap, the reply is unpacked as it is, gaps being pad bytes. Otherwise the bytes are
    put in order first, each point getting its own.
    """

    def __init__(self, points: Sequence[RegisterPoint], registers: int) -> None:
        picked = [2 * p.offset + at for p in points for at in wire_positions(p.order, p.data_type.registers)]
        self._in_order = None if _runs_upwards(picked) else itemgetter(*picked)
        self._unpack = struct.Struct(_packed(points) if self._in_order else _in_place(points, registers)).unpack
        self._floats = [at for at, point in enumerate(points) if point.data_type.is_float]

    def __call__(self, raw: bytes) -> Decoded:
        """The values; a float that is no number becomes None with quality NOT_AVAILABLE."""
        values = list(self._unpack(raw if self._in_order is None else bytes(self._in_order(raw))))
        if not self._floats:
            return Decoded(values, None)
        if not math.isfinite(sum(values)):
            return self._without_non_numbers(values)
        for at in self._floats:
            values[at] = shortest_float32(values[at])
        return Decoded(values, None)

    def _without_non_numbers(self, values: list[Any]) -> Decoded:
        quality = [Quality.GOOD] * len(values)
        for at in self._floats:
            if math.isfinite(values[at]):
                values[at] = shortest_float32(values[at])
            else:
                values[at], quality[at] = None, Quality.NOT_AVAILABLE
        return Decoded(values, quality)


class BitDecoder:
    """Coils or discrete inputs.

    The first one asked for is the lowest bit of the first byte (Modbus Application Protocol V1.1b3, section 6.1).
    """

    def __init__(self, offsets: Sequence[int]) -> None:
        self._places = [(offset // 8, 1 << offset % 8) for offset in offsets]

    def __call__(self, raw: bytes) -> Decoded:
        """The states."""
        return Decoded([raw[byte] & mask != 0 for byte, mask in self._places], None)


def _runs_upwards(positions: Sequence[int]) -> bool:
    return all(before < after for before, after in pairwise(positions))


def _packed(points: Sequence[RegisterPoint]) -> str:
    return ">" + "".join(point.data_type.code for point in points)


def _in_place(points: Sequence[RegisterPoint], registers: int) -> str:
    parts, end = [">"], 0
    for point in points:
        parts.append(f"{2 * (point.offset - end)}x{point.data_type.code}")
        end = point.offset + point.data_type.registers
    return f"{''.join(parts)}{2 * (registers - end)}x"


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


_FLOAT32: Final = struct.Struct(">f")


def _shortest_by_text(number: float) -> float:
    """Six digits always survive in a float32, nine always suffice."""
    wanted = _FLOAT32.pack(number)
    for digits in (6, 7, 8):
        short = float(f"{number:.{digits}g}")
        if _FLOAT32.pack(short) == wanted:
            return short
    return float(f"{number:.9g}")
