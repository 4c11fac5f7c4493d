"""From the tags of a device to requests: few, never more than the device gives, and never cutting a value.

Tags of one table and one period are sorted by address and cut into blocks so that the whole costs the fewest bytes:

    cost of a block = REQUEST_OVERHEAD_BYTES + its data bytes

So a gap is read along where its bytes cost less than another request. The cost knows nothing of addresses that a device
refuses; `max_gap` bounds what is read along, and 0 reads nothing that was not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.modbus.address import Address
from drivers.modbus.decode import BitDecoder, RegisterDecoder, RegisterPoint
from gateway.driver import Request

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drivers.modbus.address import Table
    from drivers.modbus.config import ModbusDevice, ModbusTag
    from drivers.modbus.decode import Decoder
    from gateway.driver import Device

REQUEST_OVERHEAD_BYTES: Final = 12 + 9 + 2 * 58
"""Request of 12 bytes, head of a reply of 9, and twice Ethernet (18), IP (20) and TCP (20) around them."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What one request reads."""

    device: str
    unit_id: int
    start: Address
    count: int
    """Registers or bits."""
    timeout_s: float
    decode: Decoder

    @property
    def data_bytes(self) -> int:
        """Bytes of data in a right reply."""
        return _data_bytes(self.start.table, self.count)

    def __str__(self) -> str:
        return f"{self.device} (unit {self.unit_id}), {self.start.span(self.count)}"


class _Point(NamedTuple):
    """A tag on its table."""

    start: int
    end: int
    """The address after its last."""
    position: int
    """In the device's plan."""
    tag: ModbusTag


class _Limits(NamedTuple):
    most: int
    """Addresses a request."""
    max_gap: int


def requests_of(device: Device) -> list[Request]:
    """The requests that read all tags of a device, each of one table and one period."""
    config: ModbusDevice = device.config
    groups: dict[tuple[Table, float], list[_Point]] = {}
    for position, (tag, planned) in enumerate(zip(config.tags.values(), device.plan.tags, strict=True)):
        groups.setdefault((tag.place.table, planned.period_s), []).append(_point(position, tag))
    return [
        _request(device, table, period_s, block)
        for (table, period_s), points in groups.items()
        for block in _cheapest_blocks(sorted(points), table, _limits(table, config))
    ]


def _point(position: int, tag: ModbusTag) -> _Point:
    place = tag.place
    return _Point(
        place.number, place.number + (1 if place.table.is_bits else tag.register_type.registers), position, tag
    )


def _limits(table: Table, config: ModbusDevice) -> _Limits:
    return _Limits(table.most_per_request if table.is_bits else config.max_registers, config.max_gap)


def _data_bytes(table: Table, count: int) -> int:
    return (count + 7) // 8 if table.is_bits else 2 * count


class _Way(NamedTuple):
    """The cheapest way found to have read all points before one."""

    cost: int
    before: int
    """Where the last block of this way begins."""


def _cheapest_blocks(points: Sequence[_Point], table: Table, limits: _Limits) -> list[Sequence[_Point]]:
    """The shortest path from the first point to behind the last, each step being one block."""
    ways = {0: _Way(0, 0)}
    for first in range(len(points)):
        if first not in ways:
            continue
        for after, addresses in _ends_of_block(points, first, limits):
            cost = ways[first].cost + REQUEST_OVERHEAD_BYTES + _data_bytes(table, addresses)
            if after not in ways or cost < ways[after].cost:
                ways[after] = _Way(cost, first)
    return _walked(points, ways)


def _ends_of_block(points: Sequence[_Point], first: int, limits: _Limits) -> Iterator[tuple[int, int]]:
    """Where a block that begins at `first` may end: the point after it, and the addresses it then spans.

    Ending inside a run without a gap saves nothing, so a block ends at gaps and where it can grow no more.
    """
    begin, end = points[first].start, points[first].end
    for after in range(first + 1, len(points)):
        following = points[after]
        gap = following.start - end
        is_full = gap > limits.max_gap or following.end - begin > limits.most
        if gap > 0 or is_full:
            yield after, end - begin
        if is_full:
            return
        end = max(end, following.end)
    yield len(points), end - begin


def _walked(points: Sequence[_Point], ways: dict[int, _Way]) -> list[Sequence[_Point]]:
    """The blocks of the cheapest way, found from its end."""
    blocks: list[Sequence[_Point]] = []
    after = len(points)
    while after:
        before = ways[after].before
        blocks.insert(0, points[before:after])
        after = before
    return blocks


def _request(device: Device, table: Table, period_s: float, points: Sequence[_Point]) -> Request:
    begin, end = points[0].start, max(point.end for point in points)
    block = Block(
        device=device.name,
        unit_id=device.config.unit_id,
        start=Address(table, begin),
        count=end - begin,
        timeout_s=device.timing.timeout_s,
        decode=_decoder(table, points, begin, end - begin),
    )
    return Request(device.name, period_s, tuple(point.position for point in points), block)


def _decoder(table: Table, points: Sequence[_Point], begin: int, registers: int) -> Decoder:
    if table.is_bits:
        return BitDecoder([point.start - begin for point in points])
    numbers = [RegisterPoint(point.start - begin, point.tag.register_type, point.tag.order) for point in points]
    return RegisterDecoder(numbers, registers)
