"""What must hold between the tags of a unit and how it is read: holes, groups, registers that reading clears."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from drivers.modbus.address import Address
from drivers.modbus.faults import Fault
from drivers.modbus.holes import Hole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drivers.modbus.address import Table
    from drivers.modbus.config import ModbusDevice
    from drivers.modbus.tag import ModbusTag


class _Placed(NamedTuple):
    """Where a tag lies on the wire."""

    table: Table
    first: int
    after: int
    name: str

    def overlaps(self, other: _Placed | Hole) -> bool:
        """Whether both have an address in common."""
        return self.table is other.table and self.first < other.after and other.first < self.after

    def __str__(self) -> str:
        return f"{self.name}, {Address(self.table, self.first).span(self.after - self.first)}"


def reading_faults(device: ModbusDevice) -> Iterator[Fault]:
    """What is wrong between the keys of a unit whose tags are right by themselves."""
    placed = {name: _placed(name, tag) for name, tag in device.tags.items()}
    holes: list[Hole] = []
    for at, text in enumerate(device.holes):
        try:
            holes.append(Hole.parse(text))
        except ValueError as error:
            yield Fault(("holes", at), str(error))
        else:
            yield from _about_hole(at, holes[-1], placed)
    for at, names in enumerate(device.read_together):
        yield from _about_group(device, at, names, placed, holes)
    yield from _about_once(device, placed)


def _placed(name: str, tag: ModbusTag) -> _Placed:
    place = tag.place
    return _Placed(place.table, place.number, place.number + tag.span, name)


def _about_hole(at: int, hole: Hole, placed: dict[str, _Placed]) -> Iterator[Fault]:
    inside = next((tag for tag in placed.values() if tag.overlaps(hole)), None)
    if inside is not None:
        yield Fault(("holes", at), f"{inside} lies in this hole: leave out the tag, or the hole")


def _about_group(
    device: ModbusDevice, at: int, names: Sequence[str], placed: dict[str, _Placed], holes: Sequence[Hole]
) -> Iterator[Fault]:
    unknown = [name for name in names if name not in placed]
    if unknown:
        yield Fault(("read_together", at, names.index(unknown[0])), f"there is no tag {unknown[0]!r} at this device")
        return
    text = _why_not_together(device, [placed[name] for name in names], holes)
    twice = [name for name in names if any(name in other for other in device.read_together[:at])]
    if twice or text:
        yield Fault(("read_together", at), text or f"{twice[0]} is in a group above already: make one group of both")


def _why_not_together(device: ModbusDevice, group: Sequence[_Placed], holes: Sequence[Hole]) -> str | None:
    """Why one request cannot read these tags."""
    if len({tag.name for tag in group}) < 2:  # noqa: PLR2004 - it takes two
        return "a group has two tags or more"
    if len({tag.table for tag in group}) > 1:
        return f"{group[0]} and {_other_table(group)} lie in two tables, and one request reads one"
    if len({device.tags[tag.name].period_s for tag in group}) > 1:
        return "these tags have different periods: give them the same period_s"
    once = [tag for tag in group if device.tags[tag.name].read_once]
    if once:
        return f"{once[0].name} has read_once, so it is read alone"
    return _why_too_wide(device, group, holes)


def _other_table(group: Sequence[_Placed]) -> _Placed:
    return next(tag for tag in group if tag.table is not group[0].table)


def _why_too_wide(device: ModbusDevice, group: Sequence[_Placed], holes: Sequence[Hole]) -> str | None:
    table = group[0].table
    whole = _Placed(table, min(tag.first for tag in group), max(tag.after for tag in group), "the group")
    most = table.most_per_request if table.is_bits else device.max_registers
    if whole.after - whole.first > most:
        return f"{whole} has {whole.after - whole.first} addresses, and one request reads {most} at most"
    if any(whole.overlaps(hole) for hole in holes):
        return f"a hole lies inside {whole}"
    return None


def _about_once(device: ModbusDevice, placed: dict[str, _Placed]) -> Iterator[Fault]:
    """A register that is cleared when it is read must not be read for another tag as well."""
    for name, tag in placed.items():
        if not device.tags[name].read_once:
            continue
        other = next((other for other in placed.values() if tag.overlaps(other) and not _is_once(device, other)), None)
        if other is not None:
            text = f"{other} is read from the same registers: give it read_once too"
            yield Fault(("tags", name, "read_once"), text)


def _is_once(device: ModbusDevice, tag: _Placed) -> bool:
    return device.tags[tag.name].read_once
