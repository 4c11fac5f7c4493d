"""What a technician writes of a Modbus connection: how to reach the units behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticKnownError

from drivers.modbus.adapter import is_without_number
from drivers.modbus.config import ModbusDevice
from drivers.modbus.datatypes import Order
from drivers.modbus.faults import Fault, raise_faults
from drivers.modbus.host import checked_host, checked_path
from drivers.modbus.serial_line import Parity, SerialLine
from gateway.connection import ConnectionConfig, Doubt, Name, Strict, Timing
from gateway.interface import InterfaceName

if TYPE_CHECKING:
    from collections.abc import Iterator

Transport = Literal["tcp", "tls", "rtu", "rtu_over_tcp"]

TcpPort = Annotated[int, WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65_535})]

_NETWORK: Final = frozenset({"tcp", "tls", "rtu_over_tcp"})
_BUS: Final = frozenset({"rtu", "rtu_over_tcp"})
_FITS: Final = {
    "host": _NETWORK,
    "connections": frozenset({"tcp", "tls"}),
    "connect_delay_s": _NETWORK,
    "interface": _NETWORK,
    "tls": frozenset({"tls"}),
    "baudrate": _BUS,
    "parity": _BUS,
    "stop_bits": _BUS,
    "rs485": frozenset({"rtu"}),
    "local_echo": _BUS,
    "late_reply_s": _BUS,
}
"""The transports that each key is for; a key that is not here is for all."""

_USUAL_PORT: Final[dict[Transport, int]] = {"tcp": 502, "tls": 802}
"""Registered with IANA as mbap and mbap-s. Converters with RTU over TCP have no usual port."""
_LAST_PORT: Final = 65_535

_LAST_UNIT_ON_A_BUS: Final = 247
"""0 is for broadcasts, which nobody answers; the others are reserved (Modbus over Serial Line V1.02, section 2.2)."""

_TCP_TIMING: Final = Timing(period_s=1.0, timeout_s=1.0, retries=1, bad_after=2, heartbeat_s=60.0)
_CONVERTER_TIMING: Final = _TCP_TIMING.model_copy(update={"timeout_s": 2.0})
_TIMING: Final[dict[Transport, Timing]] = {
    "rtu": _TCP_TIMING.model_copy(update={"period_s": 5.0}),
    "rtu_over_tcp": _CONVERTER_TIMING.model_copy(update={"period_s": 5.0}),
}
"""Where it differs from TCP: a serial line carries about a thousand times less."""


class ModbusTls(Strict):
    """How the device proves who it is, and how the gateway does. Each file is PEM."""

    ca: str | None = Field(
        None,
        description="File with the certificates of the authority that signed the device's, such as "
        "/etc/edge-gateway/certs/plant-ca.pem; without it those that the system trusts.",
    )
    certificate: str | None = Field(
        None, description="File with the gateway's own certificate, for devices that ask for one."
    )
    key: str | None = Field(
        None,
        validate_default=True,
        description="File with the private key of the certificate, without a passphrase.",
    )
    server_name: str | None = Field(
        None, min_length=1, description="Name in the device's certificate, where it is not what stands in host."
    )

    @field_validator("ca", "certificate", "key")
    @classmethod
    def _is_a_path(cls, path: str | None) -> str | None:
        return None if path is None else checked_path(path)

    @field_validator("key")
    @classmethod
    def _is_a_pair(cls, key: str | None, info: ValidationInfo) -> str | None:
        if "certificate" in info.data and (key is None) != (info.data["certificate"] is None):
            raise ValueError("certificate and key belong together: give both or none")
        return key


class Rs485(Strict):
    """A port whose RS-485 driver is switched by RTS. Most USB adapters switch by themselves and need none of this."""

    send_level: Literal["high", "low"] = Field("high", description="Level of RTS while sending.")
    delay_before_ms: float = Field(0.0, ge=0, le=100, description="From switching to the first bit, ms.")
    delay_after_ms: float = Field(0.0, ge=0, le=100, description="From the last bit to switching back, ms.")


class ModbusConnection(ConnectionConfig):
    """One way to Modbus units: a PLC, a converter with several units behind it, or a serial bus."""

    TIMING = _TCP_TIMING

    driver: Literal["modbus"] = Field(description="modbus.")
    transport: Transport = Field(
        "tcp",
        description="tcp; tls: the same, encrypted; rtu: a serial port; rtu_over_tcp: a converter that passes the "
        "bytes of the serial line on as they are (transparent mode).",
    )
    host: str | None = Field(
        None, validate_default=True, description="Host name or IP address of the PLC or converter, nothing else."
    )
    port: TcpPort | str | None = Field(
        None,
        validate_default=True,
        description="TCP port, 502 where nothing is said (802 with tls); for rtu the serial port, such as "
        "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0.",
    )
    connections: int = Field(
        1, ge=1, le=8, description="Most TCP connections at once. Many PLCs have only a few for all who ask."
    )
    connect_delay_s: float = Field(
        0.0, ge=0, le=60, description="From the connection to the first request, s, for devices that need it."
    )
    interface: InterfaceName | None = Field(
        None, description="Network interface to leave by, such as eth1, whatever the routes say."
    )
    tls: ModbusTls = Field(ModbusTls(), description="Certificates for transport: tls.")
    baudrate: int = Field(
        19_200, ge=300, le=4_000_000, description="Bits per second on the serial line, the same at all units."
    )
    parity: Parity = Field("even", description="Parity bit on the serial line.")
    stop_bits: Literal[1, 2] | None = Field(
        None, description="Stop bits; without it 1 with parity and 2 without, as the standard has it."
    )
    rs485: Rs485 | None = Field(None, description="For ports whose direction is switched by RTS.")
    local_echo: Literal["none", "discard"] = Field(
        "none", description="discard: the adapter gives back all that is sent, which is thrown away."
    )
    late_reply_s: float | None = Field(
        None,
        gt=0,
        le=600,
        description="How long a unit that left a request unanswered is left alone, s, since its reply may still come "
        "and could be taken for another; without it three times timeout_s.",
    )
    request_gap_ms: float = Field(
        0.0, ge=0, le=10_000, description="From an answer to the next request, ms, for devices that need a pause."
    )
    order: Order | None = Field(
        None, description="Order of the bytes of all tags where neither they nor their unit say one; without it ABCD."
    )
    devices: dict[Name, ModbusDevice] = Field(min_length=1, description="The units behind this connection, by name.")  # type: ignore[assignment]  # narrowed by each driver

    @field_validator(*_FITS)
    @classmethod
    def _fits_the_transport(cls, given: object, info: ValidationInfo) -> object:
        transport, key = info.data.get("transport"), str(info.field_name)
        if transport is not None and transport not in _FITS[key] and given is not None:
            others = ", ".join(sorted(_FITS[key]))
            raise ValueError(f"{key} is for transport: {others}; leave it out with transport: {transport}")
        return given

    @field_validator("host")
    @classmethod
    def _is_a_host(cls, host: str | None, info: ValidationInfo) -> str | None:
        if host is not None:
            return checked_host(host)
        if info.data.get("transport") in _NETWORK:
            raise PydanticKnownError("missing")
        return None

    @field_validator("port")
    @classmethod
    def _is_a_port(cls, port: int | str | None, info: ValidationInfo) -> int | str | None:
        transport: Transport | None = info.data.get("transport")
        if transport is None:
            return port
        if port is None:
            if transport not in _USUAL_PORT:
                raise PydanticKnownError("missing")
            return _USUAL_PORT[transport]
        return _serial_port(port) if transport == "rtu" else _tcp_port(port)

    @model_validator(mode="after")
    def _passes_its_order_on(self) -> Self:
        if self.order is not None:
            for device in self.devices.values():
                device.settle(self.order)
        return self

    @model_validator(mode="after")
    def _units_are_on_the_bus(self) -> Self:
        if self.transport in _BUS:
            raise_faults(
                "ModbusConnection",
                (
                    Fault(("devices", name, "unit_id"), f"units on a serial line have 1 to {_LAST_UNIT_ON_A_BUS}")
                    for name, device in self.devices.items()
                    if not 1 <= device.unit_id <= _LAST_UNIT_ON_A_BUS
                ),
            )
        return self

    def timing(self) -> Timing:
        """By transport; behind a converter that serves several units, each waits for the others too."""
        if self.transport in _TIMING:
            return _TIMING[self.transport]
        units = {device.unit_id for device in self.devices.values()}
        return _CONVERTER_TIMING if len(units) > 1 else _TCP_TIMING

    def doubts(self) -> Iterator[Doubt]:
        """A serial port whose name does not tell one adapter from its twin."""
        if isinstance(self.port, str) and is_without_number(self.port):
            text = "this adapter has no serial number, so that another one of its kind has the same name"
            yield Doubt("port", text, "write the path in /dev/serial/by-path, which says where it is plugged in")

    @property
    def end_point(self) -> str:
        """`192.168.1.5:502`, `[fd00::5]:502` for IPv6, or the serial port."""
        if self.host is None:
            return str(self.port)
        host = f"[{self.host}]" if ":" in self.host else self.host.lower()
        return f"{host}:{self.port}"

    @property
    def line(self) -> SerialLine | None:
        """How bytes travel on the serial line, also on the one behind a converter; None where there is none."""
        if self.transport not in _BUS:
            return None
        return SerialLine(self.baudrate, self.parity, self.stop_bits)


def _serial_port(port: int | str) -> str:
    if isinstance(port, int):
        raise ValueError("transport: rtu needs a serial port, such as /dev/serial/by-id/usb-...")  # noqa: TRY004 - pydantic reports ValueErrors
    return checked_path(port)


def _tcp_port(port: int | str) -> int:
    if isinstance(port, str):
        raise ValueError(f"{port!r}: a TCP port is a number; a serial port needs transport: rtu")  # noqa: TRY004 - as above
    if not 1 <= port <= _LAST_PORT:
        raise ValueError(f"a TCP port is 1 to {_LAST_PORT}, not {port}")
    return port
