"""Makes the pymodbus client for each transport, and sets up its socket or port once it is open."""

from __future__ import annotations

import asyncio
import socket
import ssl
import termios
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pymodbus.client.serial import AsyncModbusSerialClient
from pymodbus.client.tcp import AsyncModbusTcpClient
from serial.rs485 import RS485Settings

from drivers.modbus.causes import why_no_files, why_no_port, why_unreachable
from gateway.driver import LinkError
from gateway.interface import connected_socket

if TYPE_CHECKING:
    from pymodbus.client.base import ModbusBaseClient

    from drivers.modbus.channel import Channel
    from drivers.modbus.connection import ModbusConnection, ModbusTls, Rs485

CONNECT_TIMEOUT_S: Final = 5.0
"""Room for the second and third try of TCP, after 1 s and 3 s (RFC 6298, section 2)."""

_DATA_BITS: Final = 8
_PARITY: Final = {"none": "N", "even": "E", "odd": "O"}

_SOCKET_OPTIONS: Final = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 5),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 10_000),
)
"""A device without power is noticed after 25 s where nothing is sent to it, and after 10 s (the last one, in ms) where
something is, not after 15 minutes (tcp(7))."""

_OURS: Final[dict[str, Any]] = {"reconnect_delay": 0, "retries": 0, "timeout": None}
"""pymodbus neither reconnects nor repeats nor gives up: that is decided elsewhere, for each device."""


def client_of(config: ModbusConnection) -> ModbusBaseClient:
    """A new client, not connected."""
    line = config.line
    if config.host is None:
        assert line is not None
        return AsyncModbusSerialClient(
            str(config.port),
            baudrate=line.baudrate,
            bytesize=_DATA_BITS,
            parity=_PARITY[line.parity],
            stopbits=line.stop_bits,
            **_OURS,
        )
    assert isinstance(config.port, int)
    return AsyncModbusTcpClient(config.host, port=config.port, **_OURS)


async def open_channel(channel: Channel, config: ModbusConnection) -> None:
    """Connect a channel and set up what carries it.

    Raises:
        LinkError: refused, unreachable, unknown, silent, not trusted, not there; the text says which, and what to
            look at.
    """
    if config.host is None:
        await _open_port(channel, config)
    else:
        await _open_socket(channel, config)


async def _open_socket(channel: Channel, config: ModbusConnection) -> None:
    encrypted = {}
    if config.transport == "tls":
        encrypted = {"ssl": await _context(config.tls), "server_hostname": config.tls.server_name or config.host}
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            transport = await channel.open(await _socket(config), **encrypted)
    except OSError as error:
        raise LinkError(f"cannot connect to {config.end_point}: {why_unreachable(error)}") from error
    for level, option, value in _SOCKET_OPTIONS:
        transport.get_extra_info("socket").setsockopt(level, option, value)
    await asyncio.sleep(config.connect_delay_s)


async def _socket(config: ModbusConnection) -> socket.socket | None:
    """Connected by the interface that the connection names; None where it names none."""
    if config.interface is None:
        return None
    assert config.host is not None
    assert isinstance(config.port, int)
    return await connected_socket(config.host, config.port, config.interface)


async def _open_port(channel: Channel, config: ModbusConnection) -> None:
    try:
        transport = await channel.open()
        await asyncio.sleep(0)  # pymodbus sets the port up in the loop's next round, also where it is closed before
        if config.rs485 is not None:
            transport.sync_serial.rs485_mode = _settings(config.rs485)
    except (OSError, ValueError, termios.error) as error:
        why = why_no_port(error)
    else:
        return
    # Out here, since the traceback of the cause would hold the port open, locked against the next try.
    await channel.close()
    raise LinkError(f"cannot open the serial port {config.end_point}: {why}")


def _settings(rs485: Rs485) -> RS485Settings:
    sends_high = rs485.send_level == "high"
    return RS485Settings(
        rts_level_for_tx=sends_high,
        rts_level_for_rx=not sends_high,
        delay_before_tx=rs485.delay_before_ms / 1000,
        delay_before_rx=rs485.delay_after_ms / 1000,
    )


async def _context(tls: ModbusTls) -> ssl.SSLContext:
    """TLS 1.2 or newer, chain and name of the device checked; the files are read anew for each connection."""
    try:
        return await asyncio.to_thread(partial(_read_context, tls))
    except OSError as error:
        raise LinkError(why_no_files(error, tls.ca, tls.certificate, tls.key)) from error


def _read_context(tls: ModbusTls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.certificate is not None:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_passphrase)
    return context


def _no_passphrase() -> str:
    """Instead of asking at the terminal. OpenSSL takes it for a wrong one."""
    return "-"
