"""From the bytes of one reply to values: one compiled `struct` a block, whatever it holds."""

from __future__ import annotations

import math
import struct
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from drivers.modbus.datatypes import wire_positions
from gateway.model import Quality
from gateway.numbers import shortest_float32

if TYPE_CHECKING:
    from collections.abc import Sequence

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
