"""What a technician writes of one Modbus tag: where it lives and how it lies there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from drivers.modbus.address import Numbering, Written
from drivers.modbus.clocks import CLOCK_NAMES, clock
from drivers.modbus.datatypes import Order, short_order
from drivers.modbus.faults import raise_faults
from drivers.modbus.numerals import NUMERALS, bit, bits, without
from drivers.modbus.tag_rules import faults_of
from drivers.modbus.texts import Encoding, octets, string
from drivers.modbus.unavailable import Code, values_of
from gateway.connection import Doubt, TagConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drivers.modbus.address import Address, Part
    from drivers.modbus.datatypes import DataType

TypeName = Literal[
    "bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64",
    "bcd16", "bcd32", "bcd64", "string", "bytes", "cp56time2a", "s7_date_and_time", "s7_dtl", "ymdhms", "unix32",
    "unix64", "unix64_ms",
]  # fmt: skip
"""The types by the names people write."""

_ELSEWHERE: Final = {
    "boolean": "bool",
    "byte": "uint8", "usint": "uint8", "sint": "int8",
    "word": "uint16", "uint": "uint16", "ushort": "uint16", "u16": "uint16",
    "int": "int16", "short": "int16", "s16": "int16", "i16": "int16",
    "dword": "uint32", "udint": "uint32", "ulong": "uint32", "u32": "uint32",
    "dint": "int32", "long": "int32", "s32": "int32", "i32": "int32",
    "lword": "uint64", "ulint": "uint64", "u64": "uint64",
    "lint": "int64", "s64": "int64", "i64": "int64",
    "half": "float16", "f16": "float16",
    "float": "float32", "real": "float32", "single": "float32", "f32": "float32",
    "double": "float64", "lreal": "float64", "f64": "float64",
    "bcd": "bcd16",
    "text": "string", "str": "string", "hex": "bytes",
    "datetime": "cp56time2a", "ti081": "cp56time2a", "dtl": "s7_dtl", "date_and_time": "s7_date_and_time",
    "unix": "unix32", "timestamp": "unix32",
}  # fmt: skip
"""What the types are called elsewhere: in IEC 61131-3, in C, in manuals."""

_OFFSET: Final = re.compile(r"[+-](0[0-9]|1[0-4]):[0-5][0-9]")
_BYTE_WIDTH: Final = 8
_SUNSPEC_LOOKALIKES: Final = range(4)
"""Documented numbers 40001 to 40004."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a tag takes from its device and connection."""

    numbering: Numbering = field(default_factory=Numbering)
    order: Order = "ABCD"
    codes: tuple[Code, ...] = ()
    """Not available, where the tag itself does not say."""


class ModbusTag(TagConfig):
    """One value in registers or in some bits of one, or one coil or discrete input."""

    address: str = Field(
        description='Address on the wire ("holding:100", also input:, coil:, discrete:; counts from 0), or the number '
        'that the manual prints ("40101", "400101"; counts from 1). Bits of a register: "holding:100.3", '
        '"holding:100.4-7", "holding:100.low", "holding:100.high".'
    )
    type: TypeName | None = Field(
        None,
        description="How the value lies in its registers; uint16 where nothing is said, bool for a single bit, uint8 "
        "for a byte. Coils and inputs are bool.",
    )
    order: Order | None = Field(
        None,
        description="Order of the bytes on the wire, A being the most significant. CDAB: low word first. 16-bit types "
        "know ABCD and BADC (bytes swapped). Without it that of the device, else ABCD.",
    )
    length: int | None = Field(None, ge=1, le=250, description="Bytes of a string or of raw bytes; two a register.")
    encoding: Encoding = Field("ascii", description="How the characters of a string are bytes.")
    utc_offset: str | None = Field(
        None,
        description='What the clock of the device is ahead of UTC, such as "+01:00"; without it the text ends without.',
    )
    not_available: list[Code] | None = Field(
        None,
        description="Codes by which the device says that it has no value, compared with the raw number before scaling: "
        'numbers, patterns such as "0x8000", or rules: sunspec, highest, lowest. Without it those of the device.',
    )
    read_once: bool = Field(
        False,
        description="true where reading changes the device (a register that is cleared when it is read): it is read "
        "alone, never along with others, and never twice in one period.",
    )
    _context: Context = PrivateAttr(default_factory=Context)

    @field_validator("address", mode="before")
    @classmethod
    def _is_an_address(cls, address: object) -> object:
        if isinstance(address, int):
            raise ValueError(f'write the address in quotes: "{address}"')  # noqa: TRY004 - pydantic reports ValueErrors
        if isinstance(address, str):
            Written.parse(address)
        return address

    @field_validator("type", mode="before")
    @classmethod
    def _is_named_as_here(cls, name: object) -> object:
        known = _ELSEWHERE.get(name.lower()) if isinstance(name, str) else None
        if known is not None:
            raise ValueError(f"{name!r} is called {known} here")
        return name

    @field_validator("utc_offset")
    @classmethod
    def _is_an_offset(cls, text: str | None) -> str | None:
        if text is not None and _OFFSET.fullmatch(text) is None:
            raise ValueError(f'{text!r} is no offset from UTC, such as "+01:00", in quotes, with hours up to 14')
        return text

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        if Written.parse(self.address).address is not None:
            raise_faults("ModbusTag", faults_of(self))
        return self

    def settle(self, context: Context) -> None:
        """Take what the device and the connection say; called once for each of them, in this order."""
        self._context = context

    @property
    def written(self) -> Written:
        """The address, read as its device counts.

        Raises:
            ValueError: the device counts otherwise; a tag of a checked configuration never does.
        """
        return Written.parse(self.address, self._context.numbering)

    @property
    def place(self) -> Address:
        """The first point that it takes, on the wire."""
        address = self.written.address
        assert address is not None
        return address

    @property
    def part(self) -> Part | None:
        """The bits that it takes of its register; None where it takes all."""
        return self.written.part

    @property
    def byte_order(self) -> Order:
        """The order of its bytes by its short name, as the tag or else its device or connection says it."""
        return short_order(self.order or self._context.order)

    @property
    def register_type(self) -> DataType:
        """How the value lies in its registers.

        Raises:
            KeyError: the tag is a coil or a discrete input.
        """
        whole = self.all_values_type()
        codes = self._codes()
        return without(whole, values_of(codes, whole)) if codes else whole

    def _codes(self) -> Sequence[Code]:
        """Its own codes, or those of its unit where it is a number that fills its registers."""
        if self.not_available is not None:
            return self.not_available
        return self._context.codes if self.part is None and self.data_type() in NUMERALS else ()

    def all_values_type(self) -> DataType:
        """The type, every one of its values being available."""
        name, part = self.data_type(), self.part
        if part is not None:
            return bit(part) if name == "bool" else bits(name, part, signed=name.startswith("int"))
        if name == "string":
            return string(self.length or 1, self.encoding)
        if name == "bytes":
            return octets(self.length or 1)
        return clock(name, _offset(self.utc_offset)) if name in CLOCK_NAMES else NUMERALS[name]

    @property
    def span(self) -> int:
        """Addresses that it takes, registers or bits, from `place` on."""
        return 1 if self.place.table.is_bits else self.all_values_type().registers

    def data_type(self) -> str:
        """What was written, or what the place holds otherwise."""
        if self.type is not None:
            return self.type
        part = self.part
        if part is None:
            return "bool" if self.place.table.is_bits else "uint16"
        return {1: "bool", _BYTE_WIDTH: "uint8"}.get(part.width, "uint16")

    def holds_text(self) -> bool:
        """Whether it is text, raw bytes, or date and time."""
        return self.data_type() in {"string", "bytes", *CLOCK_NAMES}

    def number_parameters(self) -> dict[str, str]:
        """The point on the wire, and all beside the type that makes the value of its bytes."""
        place = self.place
        if place.table.is_bits:
            return {"table": place.table.name, **self._wire()}
        return {"table": place.table.name, "order": self.byte_order, **self._wire(), **self._said()}

    def _wire(self) -> dict[str, str]:
        """The address on the wire where the text alone does not say it."""
        stated = Written.parse(self.address).address
        return {} if stated == self.place else {"wire": self.place.wire}

    def _said(self) -> dict[str, str]:
        said: dict[str, object] = {
            "length": self.length,
            "encoding": self.encoding if self.type == "string" else None,
            "utc_offset": self.utc_offset,
            "not_available": ", ".join(str(code) for code in self._codes()),
        }
        return {key: str(value) for key, value in said.items() if value}

    def doubts(self) -> Iterator[Doubt]:
        """An address of the first four registers that may be meant for SunSpec's 40000."""
        if self.address.startswith("4000") and self.place.number in _SUNSPEC_LOOKALIKES:
            meant = f"holding:{40000 + self.place.number}"
            yield Doubt(
                "address",
                f'"{self.address}" is {self.place.wire}, one of the first registers of the device; a SunSpec device '
                f"begins at holding:40000 instead",
                f'write "{meant}" if that is meant, else "{self.place.wire}"',
            )


def _offset(text: str | None) -> timedelta | None:
    """`+01:00` as a length of time."""
    if text is None:
        return None
    length = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return -length if text[0] == "-" else length
