"""Data types and word orders: how a number lies in registers."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

TypeName = Literal["bool", "uint16", "int16", "uint32", "int32", "float32"]
"""The types by the names people write."""

Order = Literal["ABCD", "CDAB", "BADC", "DCBA"]
"""The bytes of a 32-bit number in the order of the wire, A being the most significant one."""


@dataclass(frozen=True, slots=True)
class DataType:
    """A number in registers."""

    name: str
    code: str
    """Its letter in the `struct` module."""
    registers: int
    """Registers that it fills, of 16 bits each."""

    @property
    def is_float(self) -> bool:
        """Whether it is an IEEE 754 number, which can also be no number at all."""
        return self.code == "f"

    @property
    def limits(self) -> tuple[int, int]:
        """Lowest and highest value of an integer type."""
        bits = 16 * self.registers
        return (-(1 << bits - 1), (1 << bits - 1) - 1) if self.code.islower() else (0, (1 << bits) - 1)


REGISTER_TYPES: Final = {
    data_type.name: data_type
    for data_type in (
        DataType("uint16", "H", 1),
        DataType("int16", "h", 1),
        DataType("uint32", "I", 2),
        DataType("int32", "i", 2),
        DataType("float32", "f", 2),
    )
}

_SWAPS_WORDS: Final = {"CDAB", "DCBA"}
_SWAPS_BYTES: Final = {"BADC", "DCBA"}


@cache
def wire_positions(order: Order, registers: int) -> tuple[int, ...]:
    """Where on the wire each byte of a number stands, from its most significant byte down.

    Taken twice it leads back, so it serves both ways.
    """
    words = range(registers)
    swap = order in _SWAPS_BYTES
    return tuple(
        2 * word + (byte ^ swap) for word in (reversed(words) if order in _SWAPS_WORDS else words) for byte in (0, 1)
    )


def encode(value: float, data_type: DataType, order: Order) -> bytes:
    """A raw number as it goes over the wire.

    Raises:
        struct.error: the number does not fit into an integer type.
        OverflowError: the number does not fit into a float32.
    """
    big_endian = struct.pack(f">{data_type.code}", value)
    return bytes(big_endian[position] for position in wire_positions(order, data_type.registers))
