"""How a value lies in registers: its bytes, their order, and the way from them to the value and back."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.model import Value

Order = Literal["ABCD", "CDAB", "BADC", "DCBA", "ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"]
"""The bytes of a number in the order of the wire, A being the most significant one. The long names say of eight bytes
what the short ones say of four."""

ONE_REGISTER_ORDERS: Final = ("ABCD", "BADC")
"""What makes a difference in a single register."""

LONG_ORDERS: Final = {"ABCDEFGH": "ABCD", "GHEFCDAB": "CDAB", "BADCFEHG": "BADC", "HGFEDCBA": "DCBA"}
"""The long names and the short ones that mean the same rule."""

_SWAPS_WORDS: Final = {"CDAB", "DCBA"}
_SWAPS_BYTES: Final = {"BADC", "DCBA"}


@dataclass(frozen=True, slots=True)
class DataType:
    """A value in registers.

    Between its bytes, put into order ABCD, and the value stands the *field*: what `struct` makes of them, a number or
    bytes.
    """

    name: str
    code: str
    """The field in the words of the `struct` module, without the byte order."""
    registers: int
    """Registers that it fills, of 16 bits each."""
    write: Callable[[Value], Any]
    """From a value to its field.

    Raises:
        ValueError: the type cannot hold this value; the text says why.
    """
    read: Callable[[Any], Value | None] | None = None
    """From a field to its value, None where it says that there is none; without it the field is the value."""
    limits: tuple[int, int] | None = None
    """Lowest and highest value of a whole number."""
    mask: int | None = None
    """The bits of its one register that belong to it, where not all of them do."""

    @property
    def is_float(self) -> bool:
        """Whether it is an IEEE 754 number, which can also be no number at all."""
        return self.code in {"e", "f", "d"}

    @property
    def is_number(self) -> bool:
        """Whether its value is a number, and not text or a state."""
        return self.is_float or self.limits is not None

    def value_of(self, field: Any) -> Value | None:
        """The value of a field; None where it says that there is none."""
        value: Value | None = field if self.read is None else self.read(field)
        return value


def short_order(order: Order) -> Order:
    """The short name of an order."""
    short: Order = LONG_ORDERS.get(order, order)  # type: ignore[assignment]  # the values are short orders
    return short


@cache
def wire_positions(order: Order, registers: int) -> tuple[int, ...]:
    """Where on the wire each byte of a number stands, from its most significant byte down.

    Taken twice it leads back, so it serves both ways.
    """
    words = range(registers)
    swap = short_order(order) in _SWAPS_BYTES
    reverse = short_order(order) in _SWAPS_WORDS
    return tuple(2 * word + (byte ^ swap) for word in (reversed(words) if reverse else words) for byte in (0, 1))


def in_order(octets: bytes, order: Order) -> bytes:
    """Whole registers from the order of the wire to ABCD, or back."""
    return bytes(octets[position] for position in wire_positions(order, len(octets) // 2))


def encode(value: Value, data_type: DataType, order: Order) -> bytes:
    """A raw value as it goes over the wire.

    Raises:
        ValueError: the type cannot hold this value; the text says why.
    """
    return in_order(struct.pack(f">{data_type.code}", data_type.write(value)), order)
