"""What a technician writes of a unit's data: how it counts, orders bytes, says "no value", and wants to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, field_validator

from drivers.modbus.address import Address, Numbering, Written
from drivers.modbus.datatypes import Order
from drivers.modbus.faults import Fault, raise_faults
from drivers.modbus.tag import Context, ModbusTag
from drivers.modbus.tag_rules import faults_of
from drivers.modbus.unavailable import CodeRule
from gateway.connection import DeviceConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AREAS: Final = ("M", "I", "Q", "MX", "IX", "QX", "MW", "IW", "QW")
"""Bits and words of a PLC as IEC 61131-3 names them, without the percent sign."""

BitWrites = Literal["mask", "read_modify_write"]
RegisterWrites = Literal["auto", "multiple", "read_write"]


class DataConfig(DeviceConfig):
    """The keys of a unit that say what its addresses and bytes mean."""

    order: Order | None = Field(
        None, description="Order of the bytes of all tags that do not say their own; without it that of the connection."
    )
    numbering: Literal["wire", "one_based"] = Field(
        "wire",
        description='one_based: "holding:100" is the hundredth register, as some manuals count, and 99 on the wire. '
        'Documented numbers such as "40100" mean the same either way.',
    )
    iec_addresses: dict[str, str] = Field(
        {},
        description='Where the addresses of the PLC begin, such as {MW: "holding:0", M: "coil:0"}: then "%MW100" is an '
        "address. Makers differ; see the manual.",
    )
    not_available: list[CodeRule] = Field(
        [],
        description="How whole numbers of this unit say that there is no value: sunspec (0x8000, 0xFFFF), highest "
        "(0x7FFF, 0xFFFF) or lowest, of each size from 16 bits on alike. A tag may say its own.",
    )
    writes: RegisterWrites = Field(
        "auto",
        description="How values are written. auto: functions 5 and 6 for a single point, 15 and 16 for more; multiple: "
        "always 15 and 16; read_write: registers by function 23.",
    )
    bit_writes: BitWrites = Field(
        "mask",
        description="How bits of a register are written. mask: by function 22, which leaves the others alone; "
        "read_modify_write: for units without it, where a change that the unit makes in between is undone.",
    )

    @field_validator("iec_addresses")
    @classmethod
    def _are_addresses(cls, areas: dict[str, str]) -> dict[str, str]:
        raise_faults("iec_addresses", _about_areas(areas))
        return areas

    @property
    def numbered(self) -> Numbering:
        """How addresses of this unit are counted."""
        first = {area: Address.parse(text) for area, text in self.iec_addresses.items()}
        return Numbering(one_based=self.numbering == "one_based", iec=first)

    def context(self, order: Order | None) -> Context:
        """What the tags take from this unit, and from a connection with this order."""
        return Context(self.numbered, self.order or order or "ABCD", tuple(self.not_available))


def settle(tags: Mapping[str, ModbusTag], context: Context, max_registers: int) -> None:
    """Let the tags of one unit know what it says, and check what only then can be checked.

    Raises:
        ValidationError: an address that the unit does not count so, a value that no request can carry or that overlaps
            another; each at the key at fault.
    """
    for tag in tags.values():
        tag.settle(context)
    faults = [fault.under("tags", name) for name, tag in tags.items() for fault in _of_tag(tag, max_registers)]
    raise_faults("tags", faults or _overlaps(tags))


def _about_areas(areas: dict[str, str]) -> Iterator[Fault]:
    for area, text in areas.items():
        if area not in _AREAS:
            yield Fault((area,), f"there is no area {area!r}; the areas are {', '.join(_AREAS)}")
            continue
        try:
            first = Address.parse(text)
        except ValueError as error:
            yield Fault((area,), str(error))
            continue
        if first.table.is_bits == area.endswith("W"):
            kind = "registers" if area.endswith("W") else "bits"
            yield Fault((area,), f"%{area} are {kind}, and {text!r} is none")


def _of_tag(tag: ModbusTag, max_registers: int) -> Iterator[Fault]:
    try:
        place = tag.place
    except ValueError as error:
        yield Fault(("address",), str(error))
        return
    if Written.parse(tag.address).address != place:
        yield from faults_of(tag)
    if not place.table.is_bits and tag.span > max_registers:
        text = f"{tag.data_type()} at {place} takes {tag.span} registers, and the unit gives {max_registers} at once"
        yield Fault(("length" if tag.length else "type",), f"{text} (max_registers): no request can read it whole")


def _overlaps(tags: Mapping[str, ModbusTag]) -> Iterator[Fault]:
    """Values of several registers of which each has some of the other's: one of them is written wrong.

    One inside the other is usual: the low word of a counter, a status word and its number.
    """
    long = [(tag.place.table.name, tag.place.number, tag.span, name) for name, tag in tags.items() if tag.span > 1]
    open_end: dict[str, tuple[int, str]] = {}
    for table, first, span, name in sorted(long, key=_by_place):
        end, before = open_end.get(table, (0, ""))
        if first < end < first + span:
            text = f"{name} begins inside {before}, {tags[before].place.span(tags[before].span)}, and goes on behind it"
            yield Fault(("tags", name, "address"), f"{text}: one of both addresses or types is wrong")
        if first + span > end:
            open_end[table] = (first + span, name)


def _by_place(of_tag: tuple[str, int, int, str]) -> tuple[str, int, int]:
    """By address; of two that begin together, the longer one first."""
    table, first, span, _ = of_tag
    return table, first, -span
