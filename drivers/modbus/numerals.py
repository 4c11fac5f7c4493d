"""Numbers in registers: whole numbers, floats, decimal digits (BCD), and some bits of a register."""

from __future__ import annotations

import math
import struct
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from drivers.modbus.datatypes import DataType
from gateway.numbers import shortest_float32

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.modbus.address import Part
    from gateway.model import Value


def _integer(name: str, code: str, registers: int) -> DataType:
    bits = 16 * registers
    limits = (-(1 << bits - 1), (1 << bits - 1) - 1) if code.islower() else (0, (1 << bits) - 1)
    return DataType(name, code, registers, partial(_whole, name, limits), limits=limits)


def _whole(name: str, limits: tuple[int, int], value: Value) -> int:
    """A value as the whole number that it is.

    Raises:
        ValueError: it is none, or beyond the limits.
    """
    if isinstance(value, bool | str):
        raise ValueError(f"{value!r} is no number, and {name} holds whole numbers")  # noqa: TRY004 - one kind of error
    if not math.isfinite(value) or value != int(value):
        raise ValueError(f"{value!r} is no whole number, and {name} holds nothing else")
    lowest, highest = limits
    if not lowest <= value <= highest:
        raise ValueError(f"{value!r} does not fit into {name}, which holds {lowest} to {highest}")
    return int(value)


def read_float32(field: float) -> float | None:
    """The float with the shortest text; None for NaN and infinities."""
    return shortest_float32(field) if math.isfinite(field) else None


def _read_float64(field: float) -> float | None:
    return field if math.isfinite(field) else None


@lru_cache(maxsize=4096)
def _read_float16(field: float) -> float | None:
    """The float with the shortest text, whole numbers as they are; None for NaN and infinities.

    Five digits always suffice for 11 binary ones (IEEE 754-2019, table 3.5, binary16).
    """
    if not math.isfinite(field):
        return None
    if field.is_integer():
        return field
    shorter = (float(f"{field:.{digits}g}") for digits in range(1, 5))
    return next((short for short in shorter if _as_float16(short) == field), float(f"{field:.5g}"))


def _as_float16(number: float) -> float:
    """The nearest float16."""
    nearest: float = struct.unpack(">e", struct.pack(">e", number))[0]
    return nearest


_FLOAT_READERS: Final[dict[str, Callable[[float], float | None]]] = {
    "e": _read_float16,
    "f": read_float32,
    "d": _read_float64,
}


def _float(name: str, code: str, registers: int) -> DataType:
    return DataType(name, code, registers, partial(_fitting_float, name, code), _FLOAT_READERS[code])


def _fitting_float(name: str, code: str, value: Value) -> float:
    if isinstance(value, bool | str) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number, and {name} holds numbers")
    try:
        struct.pack(f">{code}", value)
    except OverflowError:
        raise ValueError(f"{value!r} is too large for {name}") from None
    return float(value)


def _bcd(name: str, code: str, registers: int) -> DataType:
    limits = (0, 10 ** (4 * registers) - 1)
    return DataType(name, code, registers, partial(_digits, name, limits), _read_digits, limits)


def _digits(name: str, limits: tuple[int, int], value: Value) -> int:
    return int(str(_whole(name, limits, value)), 16)


def _read_digits(field: int) -> int | None:
    """Four bits a decimal digit; None where one of them is above 9."""
    try:
        return int(f"{field:x}")
    except ValueError:
        return None


NUMERALS: Final = {
    data_type.name: data_type
    for data_type in (
        _integer("uint16", "H", 1),
        _integer("int16", "h", 1),
        _integer("uint32", "I", 2),
        _integer("int32", "i", 2),
        _integer("uint64", "Q", 4),
        _integer("int64", "q", 4),
        _float("float16", "e", 1),
        _float("float32", "f", 2),
        _float("float64", "d", 4),
        _bcd("bcd16", "H", 1),
        _bcd("bcd32", "I", 2),
        _bcd("bcd64", "Q", 4),
    )
}
"""Numbers that fill their registers, by name."""


def bit(part: Part) -> DataType:
    """One bit of a register, as true or false."""
    mask = part.mask
    return DataType("bool", "H", 1, lambda value: mask * _state(value), lambda field: field & mask != 0, mask=mask)


def _state(value: Value) -> bool:
    if value not in {True, False}:
        raise ValueError(f"{value!r} is neither true nor false")
    return bool(value)


def bits(name: str, part: Part, *, signed: bool) -> DataType:
    """Some bits of a register as a whole number; signed ones in two's complement of so many bits."""
    whole = 1 << part.width
    limits = (-(whole >> 1), (whole >> 1) - 1) if signed else (0, whole - 1)
    low, half = part.low, whole >> 1

    def read(field: int) -> int:
        return (field >> low) & (whole - 1)

    def read_signed(field: int) -> int:
        return (((field >> low) & (whole - 1)) ^ half) - half

    def write(value: Value) -> int:
        return (_whole(f"{name} in {part}", limits, value) & (whole - 1)) << low

    return DataType(name, "H", 1, write, read_signed if signed else read, limits, part.mask)


def without(data_type: DataType, unavailable: frozenset[Value]) -> DataType:
    """The same type, except that these of its values say that there is none."""

    def read(field: float) -> Value | None:
        value = data_type.value_of(field)
        return None if value in unavailable else value

    return replace(data_type, read=read) if unavailable else data_type
