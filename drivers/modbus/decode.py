"""From the bytes of one reply to values: one compiled `struct` a block, whatever it holds."""

from __future__ import annotations

import struct
from itertools import pairwise
from math import isfinite
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from drivers.modbus.datatypes import wire_positions
from drivers.modbus.numerals import read_float32
from gateway.model import Quality
from gateway.numbers import shortest_float32

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drivers.modbus.address import Table
    from drivers.modbus.datatypes import DataType, Order
    from drivers.modbus.tag import ModbusTag
    from gateway.model import Cell, Value

GOOD: Final = Quality.GOOD
NOT_AVAILABLE: Final = Quality.NOT_AVAILABLE


class Decoded(NamedTuple):
    """The values of one block, in the order of its points."""

    values: Sequence[Cell]
    quality: Sequence[Quality] | None
    """None where all are GOOD."""
    raw: Mapping[int, Value] | None = None
    """What stands in the registers of those that are not available, by place in `values`."""


class Decoder(Protocol):
    """Turns the data bytes of one reply into values."""

    def __call__(self, raw: bytes) -> Decoded:
        """`raw` has as many bytes as were asked for; whoever calls has checked it."""
        ...


class Placed(NamedTuple):
    """A tag in a block."""

    offset: int
    """Its first register or bit, counted from the block's first."""
    tag: ModbusTag


def decoder_of(table: Table, placed: Sequence[Placed], count: int) -> Decoder:
    """What decodes a block of this table, `count` registers or bits long."""
    if table.is_bits:
        return BitDecoder([offset for offset, _ in placed])
    return RegisterDecoder([RegisterPoint(at, tag.register_type, tag.byte_order) for at, tag in placed], count)


class RegisterPoint(NamedTuple):
    """A value in a block of registers."""

    offset: int
    """Its first register, counted from the block's first."""
    data_type: DataType
    order: Order


class _Field(NamedTuple):
    """What `struct` takes out of a block; several points may share it, as the bits of one register do."""

    offset: int
    code: str
    registers: int
    order: Order


class RegisterDecoder:
    """Values in registers.

    Each field is unpacked once, by one compiled `struct` for the block. Where all are ABCD and none overlap, the reply
    is unpacked as it is, gaps being pad bytes; otherwise the bytes are put in order first, each field getting its own.
    """

    def __init__(self, points: Sequence[RegisterPoint], registers: int) -> None:
        of_points = [_Field(p.offset, p.data_type.code, p.data_type.registers, p.order) for p in points]
        fields = sorted(set(of_points))
        picked = [2 * f.offset + at for f in fields for at in wire_positions(f.order, f.registers)]
        self._in_order = None if _runs_upwards(picked) else itemgetter(*picked)
        self._unpack = struct.Struct(_packed(fields) if self._in_order else _in_place(fields, registers)).unpack
        self.fields = len(fields)
        """Numbers and strings of bytes that the `struct` takes out."""
        places = [fields.index(field) for field in of_points]
        self._places = None if places == list(range(len(fields))) else places
        self._float32s, self._others = _reading(points)

    def __call__(self, raw: bytes) -> Decoded:
        """The values; what says itself that it is none becomes None with quality NOT_AVAILABLE, and is kept as raw."""
        fields: Sequence[Any] = self._unpack(raw if self._in_order is None else bytes(self._in_order(raw)))
        values = list(fields) if self._places is None else [fields[at] for at in self._places]
        missing: dict[int, Value] = {}
        for at, read in self._others:
            field = values[at]
            values[at] = read(field)
            if values[at] is None:
                missing[at] = _as_raw(field)
        for at in self._finite(values, missing):
            values[at] = shortest_float32(values[at])
        if not missing:
            return Decoded(values, None)
        return Decoded(values, [NOT_AVAILABLE if at in missing else GOOD for at in range(len(values))], missing)

    def _finite(self, values: list[Any], missing: dict[int, Value]) -> list[int]:
        """Where float32 stand that are numbers; the others are taken out. The sum tells whether there are any."""
        if isfinite(sum([values[at] for at in self._float32s])):
            return self._float32s
        for at in self._float32s:
            if not isfinite(values[at]):
                missing[at] = _as_raw(values[at])
                values[at] = None
        return [at for at in self._float32s if at not in missing]


def _reading(points: Sequence[RegisterPoint]) -> tuple[list[int], list[tuple[int, Callable[[Any], Value | None]]]]:
    """Which points are plain float32, the most frequent type by far, and what reads the others' fields."""
    readers = [(at, point.data_type.read) for at, point in enumerate(points)]
    float32s = [at for at, read in readers if read is read_float32]
    return float32s, [(at, read) for at, read in readers if read is not None and read is not read_float32]


def _as_raw(field: Any) -> Value:
    """A field for the eye of an engineer: a number as it is, bytes in hexadecimal, and NaN and infinities as words."""
    if isinstance(field, bytes):
        return field.hex()
    number: float = field
    return number if isfinite(number) else str(number)


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


def _packed(fields: Sequence[_Field]) -> str:
    return ">" + "".join(field.code for field in fields)


def _in_place(fields: Sequence[_Field], registers: int) -> str:
    parts, end = [">"], 0
    for field in fields:
        parts.append(f"{2 * (field.offset - end)}x{field.code}")
        end = field.offset + field.registers
    return f"{''.join(parts)}{2 * (registers - end)}x"
