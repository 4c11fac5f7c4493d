"""From the tags of a device to requests: few, never more than the device gives, and never cutting a value.

Tags of one table are sorted by address and cut so that the whole costs the fewest bytes a second on this link:
`cost.py` says what a request costs, `cutting.py` finds the cheapest way, `sharing.py` says when tags of several
periods share a request. Never inside one request are: more than the device gives, a gap longer than `max_gap`, a
hole, a register that reading clears together with anything else, and what the device was found to refuse.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from drivers.modbus.address import Address
from drivers.modbus.cutting import Measure, Point, Unit, Walls, halves
from drivers.modbus.decode import Placed, decoder_of
from drivers.modbus.question import Question
from drivers.modbus.sharing import multiple, runs_by_period
from gateway.driver import Request, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from drivers.modbus.address import Table
    from drivers.modbus.config import ModbusDevice
    from drivers.modbus.cost import LinkCost
    from drivers.modbus.cutting import Run
    from drivers.modbus.decode import Decoder
    from gateway.driver import Cut, Device, Reply

_READ: Final = struct.Struct(">BHH")
"""Function, first address, number of addresses (Modbus Application Protocol V1.1b3, sections 6.1 to 6.4)."""


class Last(NamedTuple):
    """The last reply to one request."""

    raw: bytes
    again: Reply
    """What is given where the same bytes come again."""
    opening: int
    """Which opening of the link it came over: what was read before the last one says nothing about what comes after."""


@dataclass(slots=True, eq=False)
class Block:
    """What one request reads."""

    device: str
    unit_id: int
    start: Address
    count: int
    """Registers or bits."""
    timeout_s: float
    decode: Decoder
    once: bool = False
    """Reading changes the device, so no reading is repeated."""
    data_bytes: int = field(init=False)
    """Bytes of data in a right reply."""
    question: Question = field(init=False)
    last: Last | None = field(init=False, default=None)
    """The last reply, so that one of identical bytes is not decoded again."""

    def __post_init__(self) -> None:
        table = self.start.table
        self.data_bytes = (self.count + 7) // 8 if table.is_bits else 2 * self.count
        pdu = _READ.pack(table.read_function, self.start.number, self.count)
        self.question = Question(self.unit_id, pdu, self.timeout_s, self, not self.once)

    def __str__(self) -> str:
        return f"{self.device} (unit {self.unit_id}), {self.start.span(self.count)}"


def requests_of(device: Device, link: LinkCost, cuts: Collection[Cut] = ()) -> list[Request]:
    """The requests that read all tags of a device.

    Args:
        device: with its tags and limits.
        link: what a request costs.
        cuts: where the device was found to refuse reading across.
    """
    return [
        _request(device, table, period_s, run.units)
        for table, units in _units_by_table(device).items()
        for period_s, run in _runs(device, table, units, link, cuts)
    ]


def halves_of(device: Device, request: Request) -> list[Request]:
    """Two requests for about half of it each; none where all of it must stay together."""
    positions = set(request.positions)
    table = request.detail.start.table
    units = [unit for unit in _units_by_table(device)[table] if unit.points[0].position in positions]
    parts = halves(units)
    return [] if parts is None else [_request(device, table, request.period_s, part) for part in parts]


def _units_by_table(device: Device) -> dict[Table, list[Unit]]:
    """The tags of each table, sorted, those that stay in one request as one unit."""
    config: ModbusDevice = device.config
    group_of = {name: at for at, names in enumerate(config.read_together) for name in names}
    together: dict[object, list[Point]] = defaultdict(list)
    units: dict[Table, list[Unit]] = defaultdict(list)
    for position, (tag, planned) in enumerate(zip(config.tags.values(), device.plan.tags, strict=True)):
        number = tag.place.number
        point = Point(number, number + tag.span, position, tag, planned.period_s)
        together[group_of.get(planned.name, planned.name)].append(point)
    for points in together.values():
        units[points[0].tag.place.table].append(Unit.of(points))
    return {table: _once_merged(sorted(of_table)) for table, of_table in units.items()}


def _once_merged(units: list[Unit]) -> list[Unit]:
    """Tags on the same registers, which reading clears, are read at once: the second would find nothing."""
    merged: list[Unit] = []
    for unit in units:
        if merged and _is_once(unit) and _is_once(merged[-1]) and unit.start < merged[-1].end:
            merged[-1] = Unit.of((*merged[-1].points, *unit.points))
        else:
            merged.append(unit)
    return merged


def _is_once(unit: Unit) -> bool:
    return unit.points[0].tag.read_once


def _runs(
    device: Device, table: Table, units: Sequence[Unit], link: LinkCost, cuts: Collection[Cut]
) -> Iterator[tuple[float, Run]]:
    """What is read of one table in one request each, with its period, s."""
    measure = Measure(table.most_per_request if table.is_bits else device.config.max_registers, table.is_bits, link)
    by_period: dict[float, list[Unit]] = defaultdict(list)
    for unit in units:
        if _is_once(unit):
            yield unit.period_s, measure.run((unit,))
        else:
            by_period[unit.period_s].append(unit)
    alone = [(unit.start, unit.end) for unit in units if _is_once(unit)]
    walls = Walls(
        device.config.max_gap,
        [*device.config.holes_in(table), *alone],
        [cut.at for cut in cuts if cut.table == table.name],
    )
    aligned = {period_s: by_period.pop(period_s) for period_s in list(by_period) if period_s == device.timing.align_s}
    for by_own_period in (by_period, aligned):  # what is read at the clock's time rides along with nothing else
        for period_s, runs in runs_by_period(by_own_period, walls, measure):
            for run in runs:
                yield period_s, run


def _request(device: Device, table: Table, period_s: float, units: Sequence[Unit]) -> Request:
    points = sorted(point for unit in units for point in unit.points)
    begin, end = points[0].start, max(point.end for point in points)
    block = Block(
        device=device.name,
        unit_id=device.config.unit_id,
        start=Address(table, begin),
        count=end - begin,
        timeout_s=device.timing.timeout_s,
        decode=decoder_of(table, [Placed(point.start - begin, point.tag) for point in points], end - begin),
        once=_is_once(units[0]),
    )
    return Request(
        device=device.name,
        period_s=period_s,
        positions=tuple(point.position for point in points),
        detail=block,
        span=Span(table.name, begin, end - 1),
        once=block.once,
        riders=tuple(_riders(points, period_s)),
    )


def _riders(points: Sequence[Point], period_s: float) -> Iterator[tuple[int, int]]:
    for at, point in enumerate(points):
        if point.period_s > period_s:
            times = multiple(point.period_s, period_s)
            assert times is not None
            yield at, times
