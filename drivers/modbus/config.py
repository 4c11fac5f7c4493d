"""What a technician writes of a Modbus connection: how to reach it, its units, their tags."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from drivers.modbus.address import LAST_WIRE_ADDRESS, Address
from drivers.modbus.datatypes import REGISTER_TYPES, Order, TypeName
from gateway.connection import ConnectionConfig, DeviceConfig, Name, TagConfig

if TYPE_CHECKING:
    from drivers.modbus.datatypes import DataType

_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_NUMBERS_ONLY: Final = re.compile(r"[0-9.]+")
_ONE_REGISTER_ORDERS: Final = ("ABCD", "BADC")


class ModbusTag(TagConfig):
    """One number in registers, or one coil or discrete input."""

    address: str = Field(
        description='Address on the wire ("holding:100", also input:, coil:, discrete:; counts from 0), or the number '
        'that the manual prints ("40101", "400101"; counts from 1).'
    )
    type: TypeName | None = Field(
        None,
        description="How the number lies in its registers; uint16 where nothing is said. Coils and inputs are bool.",
    )
    order: Order = Field(
        "ABCD",
        description="Order of the bytes on the wire, A being the most significant. CDAB: low word first. 16-bit types "
        "know ABCD and BADC (bytes swapped).",
    )

    @field_validator("address", mode="before")
    @classmethod
    def _is_an_address(cls, address: object) -> object:
        if isinstance(address, int):
            raise ValueError(f'write the address in quotes: "{address}"')  # noqa: TRY004 - pydantic reports ValueErrors
        if isinstance(address, str):
            Address.parse(address)
        return address

    @field_validator("scale", "offset", "range")
    @classmethod
    def _is_for_numbers(cls, given: object, info: ValidationInfo) -> object:
        place = _place_in(info)
        if place is not None and place.table.is_bits:
            raise ValueError(f"{place} is true or false: leave {info.field_name} out")
        return given

    @field_validator("type")
    @classmethod
    def _fits_the_table(cls, type_name: TypeName | None, info: ValidationInfo) -> TypeName | None:
        place = _place_in(info)
        if place is None or type_name is None:
            return type_name
        if place.table.is_bits != (type_name == "bool"):
            allowed = "bool" if place.table.is_bits else ", ".join(REGISTER_TYPES)
            raise ValueError(f"{type_name} does not fit {place}: a {place.table.name} holds {allowed}")
        if not place.table.is_bits and place.number + REGISTER_TYPES[type_name].registers - 1 > LAST_WIRE_ADDRESS:
            raise ValueError(f"{type_name} takes two registers, but {place} is the last one")
        return type_name

    @field_validator("order")
    @classmethod
    def _fits_the_type(cls, order: Order, info: ValidationInfo) -> Order:
        place = _place_in(info)
        if place is None or "type" not in info.data:
            return order
        if place.table.is_bits:
            raise ValueError(f"{place} is one bit: leave order out")
        data_type = REGISTER_TYPES[info.data["type"] or "uint16"]
        if data_type.registers == 1 and order not in _ONE_REGISTER_ORDERS:
            raise ValueError(
                f"{order} needs two registers and {data_type.name} has one: leave order out, or write BADC where the "
                f"device swaps the bytes in a register"
            )
        return order

    @property
    def place(self) -> Address:
        """The address, read."""
        return Address.parse(self.address)

    @property
    def register_type(self) -> DataType:
        """How the number lies in its registers.

        Raises:
            KeyError: the tag is a coil or a discrete input.
        """
        return REGISTER_TYPES[self.data_type()]

    def data_type(self) -> str:
        """What was written, or what the table holds otherwise."""
        return self.type or ("bool" if self.place.table.is_bits else "uint16")

    def number_parameters(self) -> dict[str, str]:
        """The table, and the word order where there are words."""
        table = self.place.table
        return {"table": table.name} if table.is_bits else {"table": table.name, "order": self.order}


def _place_in(info: ValidationInfo) -> Address | None:
    """The address of the tag under validation; None where it is itself at fault."""
    text = info.data.get("address")
    return None if text is None else Address.parse(text)


class ModbusDevice(DeviceConfig):
    """One unit behind the connection."""

    unit_id: int = Field(
        1, ge=0, le=255, description="Modbus unit (slave address); many devices with a network socket ignore it."
    )
    max_registers: int = Field(
        125, ge=2, le=125, description="Most registers that the device gives in one answer; see its manual."
    )
    max_gap: int = Field(
        16,
        ge=0,
        le=124,
        description="Most addresses without a tag that a request may read along; 0 where the device refuses them.",
    )
    tags: dict[Name, ModbusTag] = Field(min_length=1, description="The points of this device, by name.")  # type: ignore[assignment]  # narrowed by each driver


class ModbusConnection(ConnectionConfig):
    """One Modbus TCP end point: a PLC, or a converter with several units behind it."""

    driver: Literal["modbus"] = Field(description="modbus.")
    transport: Literal["tcp"] = Field("tcp", description="How the frames travel: tcp.")
    host: str = Field(description="Host name or IP address of the PLC or converter, nothing else.")
    port: int = Field(502, ge=1, le=65535, description="TCP port; 502 is registered for Modbus.")
    devices: dict[Name, ModbusDevice] = Field(min_length=1, description="The units behind this connection, by name.")  # type: ignore[assignment]  # narrowed by each driver

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str) -> str:
        if "://" in host:
            raise ValueError(
                f"{host!r}: write the host name or IP address alone, without {host.partition('://')[0]}://"
            )
        if not _is_host_name(host) and not _is_ip_address(host):
            raise ValueError(f"{host!r} is neither a host name nor an IP address; the port number goes into `port`")
        return host

    @property
    def end_point(self) -> str:
        """`192.168.1.5:502`, and `[fd00::5]:502` for IPv6."""
        host = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return f"{host}:{self.port}"


def _is_host_name(text: str) -> bool:
    return _HOST_NAME.fullmatch(text) is not None and _NUMBERS_ONLY.fullmatch(text) is None


def _is_ip_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
