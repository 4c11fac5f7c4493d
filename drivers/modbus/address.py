"""Addresses as technicians write them, and as they stand on the wire.

Each can be shown as the other, and texts for people always show both: half of all Modbus trouble is an offset of one.
What a written address means never depends on a guess: on the wire, documented, or by what the device's `numbering` and
`iec_addresses` state.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LAST_WIRE_ADDRESS: Final = 65535
"""An address is 16 bits in a request (Modbus Application Protocol V1.1b3, section 4.3)."""

_LAST_SHORT_NUMBER: Final = 9999
"""A documented number of five digits has four for the point; beyond it six digits are needed."""


@dataclass(frozen=True, slots=True)
class Table:
    """One of the four tables of a Modbus device (Modbus Application Protocol V1.1b3, sections 4.3, 6.1 to 6.4)."""

    name: str
    """What stands before the colon of an address on the wire."""
    digit: str
    """What a documented number of this table begins with."""
    read_function: int
    """The function code that reads it."""
    most_per_request: int
    """Registers or bits that one request may ask for."""
    is_bits: bool
    """Whether a point is one bit; otherwise it is a register of 16."""


COIL: Final = Table("coil", "0", 1, 2000, is_bits=True)
DISCRETE: Final = Table("discrete", "1", 2, 2000, is_bits=True)
INPUT: Final = Table("input", "3", 4, 125, is_bits=False)
HOLDING: Final = Table("holding", "4", 3, 125, is_bits=False)

TABLES: Final = (HOLDING, INPUT, COIL, DISCRETE)

_BY_NAME: Final = {table.name: table for table in TABLES}
_BY_DIGIT: Final = {table.digit: table for table in TABLES}
_WIRE: Final = re.compile(r"([a-z]+):([0-9]{1,6})")
_DOCUMENTED: Final = re.compile(r"([0134])([0-9]{4}|[0-9]{5})")
_IEC: Final = re.compile(r"%(M|I|Q|MX|IX|QX|MW|IW|QW)([0-9]{1,5})")
_PART: Final = re.compile(r"(?P<address>[^.]+)\.(?:(?P<byte>low|high)|(?P<low>[0-9]{1,2})(?:-(?P<high>[0-9]{1,2}))?)")
_BYTES: Final = {"low": (0, 7), "high": (8, 15)}
_LAST_BIT: Final = 15
_EXAMPLES: Final = (
    'write "holding:100" (also input:, coil:, discrete:) or a documented number such as "40101" or "400101"'
)


@dataclass(frozen=True, slots=True)
class Address:
    """One point of a device."""

    table: Table
    number: int
    """The address on the wire, 0 to 65535."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read either notation.

        Raises:
            ValueError: neither, or out of range; the text says what to write instead.
        """
        if (wire := _WIRE.fullmatch(text)) is not None:
            return cls._on_the_wire(text, wire[1], int(wire[2]))
        if (documented := _DOCUMENTED.fullmatch(text)) is not None:
            return cls._as_documented(text, documented[1], documented[2])
        raise ValueError(f"{text!r} is no Modbus address: {_EXAMPLES}")

    @classmethod
    def _on_the_wire(cls, text: str, table: str, number: int) -> Address:
        if table not in _BY_NAME:
            raise ValueError(f"{text!r}: there is no table {table!r}; the tables are {', '.join(_BY_NAME)}")
        if number > LAST_WIRE_ADDRESS:
            raise ValueError(f"{text!r} is out of range: addresses on the wire run from 0 to {LAST_WIRE_ADDRESS}")
        return cls(_BY_NAME[table], number)

    @classmethod
    def _as_documented(cls, text: str, digit: str, point: str) -> Address:
        number = int(point) - 1
        last = LAST_WIRE_ADDRESS + 1 if len(point) > 4 else _LAST_SHORT_NUMBER  # noqa: PLR2004 - digits of a short one
        if not 0 <= number < last:
            raise ValueError(
                f"{text!r} is out of range: the points of a table are numbered from {digit}{1:0{len(point)}d} "
                f"to {digit}{last:0{len(point)}d}"
            )
        return cls(_BY_DIGIT[digit], number)

    @property
    def wire(self) -> str:
        """`holding:100`: the table and the address in the request."""
        return f"{self.table.name}:{self.number}"

    @property
    def documented(self) -> str:
        """`40101`: the number that manuals print, one higher than on the wire; six digits where five do not reach."""
        point = self.number + 1
        return f"{self.table.digit}{point:0{4 if point <= _LAST_SHORT_NUMBER else 5}d}"

    def __str__(self) -> str:
        return f'{self.wire} (documented as "{self.documented}")'

    def span(self, count: int) -> str:
        """This and the following points, `count` of them, in both notations."""
        if count == 1:
            return str(self)
        last = Address(self.table, self.number + count - 1)
        return f'{self.wire} to {last.wire} (documented as "{self.documented}" to "{last.documented}")'


@dataclass(frozen=True, slots=True)
class Part:
    """Some bits of one register; 0 is the least significant one."""

    low: int
    high: int

    @property
    def width(self) -> int:
        """How many bits."""
        return self.high - self.low + 1

    @property
    def mask(self) -> int:
        """The bits as they stand in the register."""
        return ((1 << self.width) - 1) << self.low

    def __str__(self) -> str:
        return f"bit {self.low}" if self.width == 1 else f"bits {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Numbering:
    """What a device states of its addresses."""

    one_based: bool = False
    """`holding:100` is the hundredth register, which the wire calls 99."""
    iec: Mapping[str, Address] = field(default_factory=dict)
    """Where the IEC addresses begin: of `MW` the point that `%MW0` is."""


class Written(NamedTuple):
    """An address as somebody wrote it, taken apart."""

    address: Address | None
    """None for an IEC address whose beginning the device does not state."""
    part: Part | None = None
    """Where only some bits of a register are meant."""

    @classmethod
    def parse(cls, text: str, numbering: Numbering | None = None) -> Written:
        """Read any notation; `numbering` None means that the device is not known yet.

        Raises:
            ValueError: no notation, or out of range; the text says what to write instead.
        """
        told = _PART.fullmatch(text)
        if told is None:
            return cls(_address(text, numbering))
        address = _address(told["address"], numbering)
        if address is not None and address.table.is_bits:
            raise ValueError(f"{text!r}: {address} is one bit and has no parts")
        return cls(address, _part(text, told))


def _address(text: str, numbering: Numbering | None) -> Address | None:
    if text.startswith("%") and _IEC.fullmatch(text) is None:
        raise ValueError(
            f"{text!r} is no IEC address that can be read: they are %M, %I and %Q for bits, %MW, %IW and %QW for "
            f"words, each with one number; of a double word write its first word, and the type"
        )
    if (iec := _IEC.fullmatch(text)) is not None:
        return None if numbering is None else _iec_address(text, iec[1], int(iec[2]), numbering)
    address = Address.parse(text)
    if numbering is None or not numbering.one_based or _WIRE.fullmatch(text) is None:
        return address
    if address.number == 0:
        raise ValueError(f"{text!r} is out of range: this device has numbering: one_based, so its first one is 1")
    return Address(address.table, address.number - 1)


def _iec_address(text: str, area: str, number: int, numbering: Numbering) -> Address:
    first = numbering.iec.get(area)
    if first is None:
        example = "holding:0" if area.endswith("W") else "coil:0"
        raise ValueError(
            f"{text!r}: where %{area}0 lies differs from maker to maker. State it at the device as its manual says, "
            f'such as iec_addresses: {{{area}: "{example}"}}, or write the address on the wire'
        )
    if first.number + number > LAST_WIRE_ADDRESS:
        raise ValueError(
            f"{text!r} is out of range: %{area}0 is {first}, so the last one is "
            f"%{area}{LAST_WIRE_ADDRESS - first.number}"
        )
    return Address(first.table, first.number + number)


def _part(text: str, told: re.Match[str]) -> Part:
    low, high = _BYTES[told["byte"]] if told["byte"] else (int(told["low"]), int(told["high"] or told["low"]))
    if not low <= high <= _LAST_BIT:
        raise ValueError(
            f"{text!r}: the bits of a register are 0 to {_LAST_BIT}, 0 being the least significant one; "
            'write "holding:100.3" for one of them and "holding:100.4-7" for several'
        )
    return Part(low, high)
